// `npm run bench`: everything in one run, in interleaved rounds, since the machine's own speed drifts. Prints medians and
// their ratios to raw; ends with status 1 when a scenario lost or doubled anything.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { median } from './figures.ts'
import { BenchFault, createAndResolve, drain, raw, type Figures, type Settings } from './scenarios.ts'
import { startSink } from './sink-process.ts'

const HELP = `Usage: npm run bench -- [options]

  --rounds N       interleaved rounds, of which medians are shown (3)
  --tasks N        requests of raw, create and resolve a round (30000)
  --due N          deliveries due after the restart (50000)
  --size BYTES     what a provider posts (1024)
  --connections N  requests under way at a time (64)
  --profile DIR    write the server's CPU profiles of resolve and drain there
  --help`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    tasks: { type: 'string', default: '30000' },
    due: { type: 'string', default: '50000' },
    size: { type: 'string', default: '1024' },
    connections: { type: 'string', default: '64' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

function positive(name: 'rounds' | 'tasks' | 'due' | 'size' | 'connections'): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 1) {
    console.error(`--${name} must be a whole number of 1 or more, not ${values[name]}`)
    process.exit(2)
  }
  return value
}

const names = ['raw', 'create', 'resolve', 'drain'] as const
type Round = Record<(typeof names)[number], Figures>

async function run(rounds: number, settings: Settings): Promise<Round[]> {
  const sink = await startSink()
  const results: Round[] = []
  try {
    for (let i = 1; i <= rounds; i++) {
      const round = {
        raw: await raw(sink, settings),
        ...(await createAndResolve(sink, settings)),
        drain: await drain(sink, settings),
      }
      console.log(`round ${i}: ${names.map((name) => `${name} ${whole(round[name].per_s)}/s`).join(', ')}`)
      results.push(round)
    }
  } finally {
    await sink.stop()
  }
  return results
}

const whole = (value: number) => Math.round(value).toLocaleString('en')

function table(rounds: Round[]): string {
  const rows = names.map((name) => {
    const of = (pick: (figures: Figures) => number | undefined) =>
      rounds.flatMap((round) => pick(round[name]) ?? [])
    const rates = of(({ per_s }) => per_s)
    const ratios = rounds.map((round) => round[name].per_s / round.raw.per_s)
    const wait = (values: number[]) => (values.length === 0 ? '' : `${median(values).toFixed(1)} ms`)
    return [
      name,
      whole(median(rates)),
      `${whole(Math.min(...rates))}–${whole(Math.max(...rates))}`,
      median(ratios).toFixed(2),
      wait(of(({ p50_ms }) => p50_ms)),
      wait(of(({ p99_ms }) => p99_ms)),
    ]
  })
  const head = ['scenario', 'per second', 'spread', 'ratio to raw', 'p50', 'p99']
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

if (values.help) {
  console.log(HELP)
} else {
  const settings: Settings = {
    tasks: positive('tasks'),
    due: positive('due'),
    size: positive('size'),
    connections: positive('connections'),
    profile: values.profile,
  }
  const rounds = positive('rounds')
  console.log(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}`)
  try {
    console.log(`\n${table(await run(rounds, settings))}`)
  } catch (error) {
    if (!(error instanceof BenchFault)) throw error
    console.error(`fault: ${error.message}`)
    process.exitCode = 1
  }
}
