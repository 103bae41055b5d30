// What the soak looks at every few seconds, and what it makes of it: a line while it runs, a table and a verdict at the end.
// On a shared machine a busy moment raises the tops of memory and handles; a leak raises the floor, so floors are judged.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { median, milliseconds, percentile, rise } from './figures.ts'

/** The server at one moment; the last three are of the time since the sample before. */
export type Sample = {
  memory_bytes: number
  heap_bytes: number
  handles: number
  wal_bytes: number
  database_bytes: number
  pruned: number
  /** Of one core: a server that works no more than before and yet answers later had its core taken away. */
  processor_percent: number
  lag_p99_ms: number
  wait_p99_ms: number
}

/** Makes what looks at a server and its data folder; `waits` are those of healthy callbacks, in milliseconds. */
export function createSampler(port: number, data: string): (waits: readonly number[]) => Promise<Sample> {
  let before = { at: milliseconds(), processor_s: 0 }
  return async (waits) => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
    const text = await answer.text()
    const metric = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
    const sizeOf = async (file: string) => (await stat(join(data, file))).size
    const now = { at: milliseconds(), processor_s: metric('process_cpu_seconds_total') }
    const processor_percent = ((now.processor_s - before.processor_s) / (now.at - before.at)) * 100_000
    before = now
    return {
      memory_bytes: metric('process_resident_memory_bytes'),
      heap_bytes: metric('nodejs_heap_size_used_bytes'),
      handles: metric('process_open_fds'),
      wal_bytes: await sizeOf('ringback.db-wal'),
      database_bytes: await sizeOf('ringback.db'),
      pruned: metric('ringback_pruned_tasks_total'),
      processor_percent,
      lag_p99_ms: metric('nodejs_eventloop_lag_p99_seconds') * 1000,
      wait_p99_ms: percentile(waits, 0.99),
    }
  }
}

type Row = { name: string; of: (sample: Sample) => number; unit: string }

const MIB = 1024 ** 2
const judged: Row[] = [
  { name: 'memory', of: (sample) => sample.memory_bytes / MIB, unit: ' MiB' },
  { name: 'heap', of: (sample) => sample.heap_bytes / MIB, unit: ' MiB' },
  { name: 'handles', of: (sample) => sample.handles, unit: '' },
  { name: 'write-ahead log', of: (sample) => sample.wal_bytes / MIB, unit: ' MiB' },
]
const shown: Row[] = [
  { name: 'database', of: (sample) => sample.database_bytes / MIB, unit: ' MiB' },
  { name: 'pruned', of: (sample) => sample.pruned, unit: '' },
  { name: 'processor', of: (sample) => sample.processor_percent, unit: ' %' },
  { name: 'event loop p99', of: (sample) => sample.lag_p99_ms, unit: ' ms' },
  { name: 'healthy p99', of: (sample) => sample.wait_p99_ms, unit: ' ms' },
]

const whole = (value: number) => Math.round(value).toLocaleString('en')

/** A sample as one line. */
export const progressLine = (sample: Sample): string =>
  [...judged, ...shown].map(({ name, of, unit }) => `${name} ${whole(of(sample))}${unit}`).join(', ')

const FLOORS = 10
// A floor rises when it does so by more than this share of itself, and by more than chance.
const TOLERATED = 0.05

/** The names of what rose over the second half of the samples; none when all is flat. */
export const risen = (samples: readonly Sample[]): string[] =>
  judged.filter((row) => riseOf(row, samples).rises).map(({ name }) => name)

function riseOf({ of }: Row, samples: readonly Sample[]) {
  const values = samples.slice(samples.length / 2).map(of)
  const length = Math.ceil(values.length / FLOORS)
  const floors = values.flatMap((_, i) =>
    i % length === 0 ? [Math.min(...values.slice(i, i + length))] : [],
  )
  const { mean, by, error } = rise(floors)
  return { by, error, rises: by > TOLERATED * mean && by > error }
}

/** The samples as a table: medians of the first, the third, the sixth and the last tenth of the run. */
export function sampleTable(samples: readonly Sample[]): string {
  const tenth = (n: number) =>
    samples.slice(Math.floor((n * samples.length) / 10), Math.ceil(((n + 1) * samples.length) / 10))
  const cells = ({ name, of, unit }: Row) => [
    name,
    ...[0, 2, 5, 9].map((n) => whole(median(tenth(n).map(of))) + unit),
  ]
  const verdict = (row: Row) => {
    const { by, error, rises } = riseOf(row, samples)
    const sign = by < 0 ? '−' : '+'
    return `${sign}${Math.abs(by).toFixed(1)} ± ${error.toFixed(1)}${row.unit}: ${rises ? 'rises' : 'flat'}`
  }
  const head = ['', 'start', 'after warm-up', 'middle', 'end', 'floor in the second half']
  return [
    head,
    head.map(() => '---'),
    ...judged.map((row) => [...cells(row), verdict(row)]),
    ...shown.map((row) => [...cells(row), '']),
  ]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n')
}
