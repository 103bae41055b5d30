// What the soak looks at every few seconds, and what it makes of it: a line while it runs, a table and a verdict at the end.
// Garbage and a busy moment of a shared machine hide a leak, so what is judged are looks right after a garbage collection.
import { stat } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { median, milliseconds, percentile, rise } from './figures.ts'
import type { ServerProcess } from './server-process.ts'

/** The server at one moment; the last four are of the time since the sample before. */
export type Sample = {
  memory_bytes: number
  heap_bytes: number
  handles: number
  wal_bytes: number
  database_bytes: number
  pruned: number
  /** Processor time, as a share of one core. */
  server_percent: number
  /** Processor time of everything that runs on the machine, as a share of all its cores. */
  machine_percent: number
  lag_p99_ms: number
  wait_p99_ms: number
}

/** How often to look. */
export const SAMPLE_MS = 5000
const COLLECT_EVERY = 6

/** Which samples are taken right after a garbage collection; `n` counts from 1. */
const isCollected = (n: number) => n % COLLECT_EVERY === 0

/** Takes the sample of the number `n`; `waits` are those of healthy callbacks, in milliseconds. */
export type Sampler = (n: number, waits: readonly number[]) => Promise<Sample>

/** Makes what looks at a `collectable` server and its data folder. */
export function createSampler(server: ServerProcess, data: string): Sampler {
  let before = { at: milliseconds(), server_s: 0, machine_s: machineSeconds() }
  return async (n, waits) => {
    if (isCollected(n)) await server.collect()
    const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`)
    const text = await answer.text()
    const metric = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
    const sizeOf = async (file: string) => (await stat(join(data, file))).size
    const now = {
      at: milliseconds(),
      server_s: metric('process_cpu_seconds_total'),
      machine_s: machineSeconds(),
    }
    const since_s = (now.at - before.at) / 1000
    const server_percent = (100 * (now.server_s - before.server_s)) / since_s
    const machine_percent = (100 * (now.machine_s - before.machine_s)) / since_s / availableParallelism()
    before = now
    return {
      memory_bytes: metric('process_resident_memory_bytes'),
      heap_bytes: metric('nodejs_heap_size_used_bytes'),
      handles: metric('process_open_fds'),
      wal_bytes: await sizeOf('ringback.db-wal'),
      database_bytes: await sizeOf('ringback.db'),
      pruned: metric('ringback_pruned_tasks_total'),
      server_percent,
      machine_percent,
      lag_p99_ms: metric('nodejs_eventloop_lag_p99_seconds') * 1000,
      wait_p99_ms: percentile(waits, 0.99),
    }
  }
}

const machineSeconds = () =>
  cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000

type Row = { name: string; of: (sample: Sample) => number; unit: string }
type Judged = Row & { tolerated: number }

const MIB = 1024 ** 2
// Flat is what rises by no more than is tolerated. Memory that a busy moment needed does not all return to the system, and
// a receiver that slows down with the machine gets up to 64 connections.
const judged: Judged[] = [
  { name: 'memory', of: (sample) => sample.memory_bytes / MIB, unit: ' MiB', tolerated: 32 },
  { name: 'heap', of: (sample) => sample.heap_bytes / MIB, unit: ' MiB', tolerated: 4 },
  { name: 'handles', of: (sample) => sample.handles, unit: '', tolerated: 64 },
  { name: 'write-ahead log', of: (sample) => sample.wal_bytes / MIB, unit: ' MiB', tolerated: 4 },
]
const shown: Row[] = [
  { name: 'database', of: (sample) => sample.database_bytes / MIB, unit: ' MiB' },
  { name: 'pruned', of: (sample) => sample.pruned, unit: '' },
  { name: 'server', of: (sample) => sample.server_percent, unit: ' %' },
  { name: 'machine', of: (sample) => sample.machine_percent, unit: ' %' },
  { name: 'event loop p99', of: (sample) => sample.lag_p99_ms, unit: ' ms' },
  { name: 'healthy p99', of: (sample) => sample.wait_p99_ms, unit: ' ms' },
]

const whole = (value: number) => Math.round(value).toLocaleString('en')

/** A sample as one line. */
export const progressLine = (sample: Sample): string =>
  [...judged, ...shown].map(({ name, of, unit }) => `${name} ${whole(of(sample))}${unit}`).join(', ')

const collectedOf = (samples: readonly Sample[]) => samples.filter((_, i) => isCollected(i + 1))

/** How much a straight line through the second half of the collected samples rises. What was not measured is not flat. */
function verdictOf({ of, tolerated }: Judged, samples: readonly Sample[]): { by: number; isFlat: boolean } {
  const collected = collectedOf(samples)
  const by = rise(collected.slice(collected.length / 2).map(of))
  return { by, isFlat: by <= tolerated }
}

/** The names of what rose over the second half of the run; none when all is flat. */
export const risen = (samples: readonly Sample[]): string[] =>
  judged.filter((row) => !verdictOf(row, samples).isFlat).map(({ name }) => name)

/** The samples as a table: medians of the first, the third, the sixth and the last tenth of the run. */
export function sampleTable(samples: readonly Sample[]): string {
  const cells = ({ name, of, unit }: Row, from: readonly Sample[]) => {
    const tenth = (n: number) =>
      from.slice(Math.floor((n * from.length) / 10), Math.ceil(((n + 1) * from.length) / 10))
    return [name, ...[0, 2, 5, 9].map((n) => whole(median(tenth(n).map(of))) + unit)]
  }
  const verdict = (row: Judged) => {
    const { by, isFlat } = verdictOf(row, samples)
    const change = `${by < 0 ? '−' : '+'}${Math.abs(by).toFixed(1)}${row.unit}`
    return `${change}, ${isFlat ? 'flat' : 'rises'}`
  }
  const head = ['', 'start', 'after warm-up', 'middle', 'end', 'second half']
  const collected = collectedOf(samples)
  return [
    head,
    head.map(() => '---'),
    ...judged.map((row) => [...cells(row, collected), verdict(row)]),
    ...shown.map((row) => [...cells(row, samples), '']),
  ]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n')
}
