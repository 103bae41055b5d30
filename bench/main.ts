// `npm run bench`: everything in one run, in interleaved rounds, since the machine's own speed drifts. Prints medians and
// their ratios to raw and to SQLite; ends with status 1 when a scenario lost or doubled anything.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startPostgres } from '../server/test/support/postgres.ts'
import { median } from './figures.ts'
import { createAndResolve, drain, raw, runBench, type Figures, type Settings } from './scenarios.ts'
import { onPostgres, sqlite, type Setup } from './setups.ts'
import { startSink, type Sink } from './sink-process.ts'

const HELP = `Usage: npm run bench -- [options]

  --rounds N       interleaved rounds, of which medians are shown (3)
  --tasks N        requests of raw, create and resolve a round (30000)
  --due N          deliveries due after the restart (50000)
  --size BYTES     what a provider posts (1024)
  --connections N  requests under way at a time (64)
  --nodes LIST     also on PostgreSQL, with one node and then with two if LIST is 1,2; on the server of DATABASE_URL if
                   that is set (a user that may create databases), else on one of its own
  --profile DIR    write the server's CPU profiles of resolve and drain there
  --help`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    tasks: { type: 'string', default: '30000' },
    due: { type: 'string', default: '50000' },
    size: { type: 'string', default: '1024' },
    connections: { type: 'string', default: '64' },
    nodes: { type: 'string' },
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

function nodeCounts(): number[] {
  const counts = values.nodes?.split(',').map(Number) ?? []
  if (counts.some((count) => !Number.isInteger(count) || count < 1)) {
    console.error(`--nodes must be whole numbers of 1 or more with commas between, not ${values.nodes}`)
    process.exit(2)
  }
  return counts
}

// Of a server that has a machine with others, and no more than a laptop has to spare.
const POSTGRES = { shared_buffers: '512MB', max_wal_size: '4GB' }

const names = ['create', 'resolve', 'drain'] as const
type Round = { setup: Setup; raw: Figures; scenarios: Record<(typeof names)[number], Figures> }[]

async function run(rounds: number, counts: readonly number[], settings: Settings): Promise<Round[]> {
  await using stack = new AsyncDisposableStack()
  const sink = stack.adopt(await startSink(), (sink) => sink.stop())
  const setups = [sqlite]
  if (counts.length > 0) {
    const postgres = stack.adopt(await startPostgres({ fsync: true, settings: POSTGRES }), (own) =>
      own.stop(),
    )
    setups.push(...counts.map((count) => onPostgres(postgres, count)))
  }
  const results: Round[] = []
  for (let i = 1; i <= rounds; i++) {
    const round: Round = []
    for (const setup of setups) round.push(await measure(sink, setup, settings))
    results.push(round)
    for (const { setup, raw, scenarios } of round) {
      const rates = names.map((name) => `${name} ${whole(scenarios[name].per_s)}/s`)
      console.log(`round ${i}, ${setup.name}: raw ${whole(raw.per_s)}/s, ${rates.join(', ')}`)
    }
  }
  return results
}

async function measure(sink: Sink, setup: Setup, settings: Settings): Promise<Round[number]> {
  return {
    setup,
    raw: await raw(sink, settings),
    scenarios: {
      ...(await createAndResolve(sink, setup, settings)),
      drain: await drain(sink, setup, settings),
    },
  }
}

const whole = (value: number) => Math.round(value).toLocaleString('en')

function table(rounds: Round[]): string {
  const setups = rounds[0]?.map(({ setup }) => setup.name) ?? []
  const rows = [
    row(
      ['raw', ''],
      rounds.flat().map(({ raw }) => raw),
    ),
  ]
  for (const [i, setup] of setups.entries()) {
    for (const name of names) {
      const runs = rounds.flatMap((round) => round[i] ?? [])
      const ratios = [
        runs.map(({ raw, scenarios }) => scenarios[name].per_s / raw.per_s),
        rounds.flatMap(([first, ...others]) =>
          i === 0 ? [] : (others[i - 1]?.scenarios[name].per_s ?? 0) / (first?.scenarios[name].per_s ?? 0),
        ),
      ]
      rows.push(
        row(
          [name, setup],
          runs.map(({ scenarios }) => scenarios[name]),
          ratios,
        ),
      )
    }
  }
  const head = ['scenario', 'database', 'per second', 'spread', 'to raw', 'to SQLite', 'p50', 'p99']
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** A row of the table: medians of the figures and of the ratios, which are empty where there is nothing to compare with. */
function row(titles: string[], figures: Figures[], ratios: number[][] = [[], []]): string[] {
  const rates = figures.map(({ per_s }) => per_s)
  const shown = (values: number[], show: (value: number) => string) =>
    values.length === 0 ? '' : show(median(values))
  const wait = (value: number) => `${value.toFixed(1)} ms`
  return [
    ...titles,
    shown(rates, whole),
    `${whole(Math.min(...rates))}–${whole(Math.max(...rates))}`,
    ...ratios.map((values) => shown(values, (value) => value.toFixed(2))),
    shown(
      figures.flatMap(({ p50_ms }) => p50_ms ?? []),
      wait,
    ),
    shown(
      figures.flatMap(({ p99_ms }) => p99_ms ?? []),
      wait,
    ),
  ]
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
  const counts = nodeCounts()
  console.log(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}`)
  await runBench(async () => console.log(`\n${table(await run(rounds, counts, settings))}`))
}
