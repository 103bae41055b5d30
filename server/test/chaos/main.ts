// `npm run chaos`: three nodes on one PostgreSQL under load, while nodes are killed and frozen and the database goes away, and
// a checker that knows only what clients, receivers and the API tell. Ends with status 1 when it finds a fault.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openApi } from '../crash/api.ts'
import { check } from '../crash/check.ts'
import { explainDuplicates } from '../crash/check-duplicates.ts'
import { gather, untilSettled, type Evidence } from '../crash/evidence.ts'
import type { Journal } from '../crash/journal.ts'
import { createRandom } from '../crash/random.ts'
import { runClients } from './clients.ts'
import { NODES } from './cluster.ts'
import { disturb, type Counts } from './disturbances.ts'
import { setStage, type Stage } from './stage.ts'

const HELP = `Usage: npm run chaos -- [options]

  --minutes N  how long nodes and database are disturbed (10)
  --seed N     repeats the choices of an earlier run, though not its interleavings
  --help`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    help: { type: 'boolean', default: false },
  },
})

const PROGRESS_MS = 10_000
const SHOWN_FAULTS = 20

function numberOf(name: 'minutes' | 'seed'): number {
  const value = Number(values[name])
  if (Number.isFinite(value) && value >= 0) return value
  console.error(`--${name} must be a number, not ${values[name]}`)
  process.exit(2)
}

/** Tells now and then how far the run is; disposing ends that. */
function tellProgress({ receivers, cluster }: Stage, { stories }: Journal): Disposable {
  const started = Date.now()
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1000)
    const callbacks = receivers.reduce((sum, { receipts }) => sum + receipts.length, 0)
    const { length } = cluster.incidents
    console.log(`${seconds} s: ${stories.length} tasks, ${callbacks} callbacks, ${length} incidents`)
  }, PROGRESS_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Lets clients and disturbances loose on the stage; resolves when the last client has ended. */
async function play(stage: Stage, journal: Journal, seed: number, until_ms: number): Promise<Counts> {
  const { cluster, postgres, url, receivers } = stage
  const clients = new AbortController()
  using _progress = tellProgress(stage, journal)
  const scene = { cluster, postgres, url, random: createRandom(seed, 1), frozen: new Set<Promise<void>>() }
  const [counts] = await Promise.all([
    disturb(scene, until_ms).finally(() => clients.abort()),
    runClients({
      cluster,
      journal,
      seed,
      callback_urls: receivers.map((receiver) => receiver.url),
      signal: clients.signal,
    }),
  ])
  return counts
}

/** Waits until all is delivered, and reads what the API tells of it. */
async function listen({ cluster, receivers, key }: Stage, journal: Journal): Promise<Evidence> {
  const [node] = await cluster.allUp()
  await using api = openApi(node?.base_url ?? '', key)
  await untilSettled(api)
  const logs = {
    receipts: receivers.flatMap(({ receipts }) => receipts),
    faults: [...cluster.faults, ...receivers.flatMap((receiver) => receiver.faults)],
    most_in_hand: Math.max(...receivers.map((receiver) => receiver.mostInHand())),
    processes: NODES,
    destinations: receivers.length,
    incidents: cluster.incidents,
  }
  // Awaited here, while the connections are open.
  return await gather(api, journal, logs, 'disturbed')
}

/** Prints what was found; gives the faults. */
function judge(evidence: Evidence, counts: Counts, failed_starts: number): string[] {
  const { faults, figures } = check(evidence)
  const { causes, most } = explainDuplicates(evidence)
  console.log('disturbances', { ...counts, failed_starts })
  console.log('figures', figures)
  console.log('repeated after', { ...causes, most_that_may_be: most })
  // A run in which the disturbances hit nothing shows nothing.
  return figures.lost_answers > 0 && figures.unknown_attempts > 0
    ? faults
    : [...faults, 'the disturbances met nothing under way']
}

/** Keeps for later what the faults were found in. */
function keep(folder: string, evidence: Evidence, faults: string[]): void {
  const attempts = [...evidence.attempts]
  const ledgers = [...evidence.ledgers]
  writeFileSync(join(folder, 'evidence.json'), JSON.stringify({ ...evidence, attempts, ledgers, faults }))
}

async function run(minutes: number, seed: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-chaos-'))
  console.log(`seed ${seed}; what the nodes warn of is in ${folder} until all is well`)
  await using stage = await setStage(seed, folder)
  const journal: Journal = { stories: [], unsure: [] }
  const counts = await play(stage, journal, seed, Date.now() + minutes * 60_000)
  const evidence = await listen(stage, journal)
  await stage.cluster.stop()
  const faults = judge(evidence, counts, stage.cluster.failedStarts())
  if (faults.length === 0) {
    rmSync(folder, { recursive: true, force: true })
    console.log(`no faults with seed ${seed}`)
    return true
  }
  keep(folder, evidence, faults)
  console.log(`${faults.length} faults with seed ${seed}:\n${faults.slice(0, SHOWN_FAULTS).join('\n')}`)
  return false
}

if (values.help) console.log(HELP)
else {
  // Else nodes that stand still would stay for ever.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  process.exitCode = (await run(numberOf('minutes'), numberOf('seed'))) ? 0 : 1
}
