// `npm run soak`: half of what the machine can bear, for minutes, at receivers of which some fail. Ends with status 1 when
// memory or handles of the server grow, or when a callback was lost or came twice.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createProject, SETTLE_MS } from './api.ts'
import { check, runBench } from './faults.ts'
import { milliseconds } from './figures.ts'
import { sendAll } from './http-load.ts'
import { startReceivers, type Receivers } from './receivers-process.ts'
import { collectable, daysBehind, startServer } from './server-process.ts'
import { inFolder } from './setups.ts'
import { createLedger, runLoad, type Addressee, type Ledger } from './soak-load.ts'
import { createSampler, progressLine, risen, SAMPLE_MS, sampleTable, type Sample } from './soak-samples.ts'

const HELP = `Usage: npm run soak -- [options]

  --minutes N  how long, 5 or more (10)
  --rate N     tasks a second; without it half of what the machine could do when the old tasks were made
  --old N      tasks that are past their retention from the start, for the pruner (100000)
  --help`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string' },
    old: { type: 'string', default: '100000' },
    help: { type: 'boolean', default: false },
  },
})

function atLeast(least: number, name: 'minutes' | 'rate' | 'old'): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < least) {
    console.error(`--${name} must be a whole number of ${least} or more, not ${values[name]}`)
    process.exit(2)
  }
  return value
}

// Before that the caches are still filling.
const SHORTEST_MINUTES = 5
// The port "discard": nobody listens there.
const DEAD = 'http://127.0.0.1:65535'
// Out of 50 callbacks.
const SHARES: Record<Addressee, number> = { dead: 1, hanging: 1, slow: 1, refusing: 5, healthy: 42 }
const addressees = Object.entries(SHARES).flatMap(([name, share]) =>
  Array<Addressee>(share).fill(name as Addressee),
)
const addresseeOf = (number: number): Addressee => addressees[number % addressees.length] ?? 'healthy'

/** Makes tasks that are past their retention, as fast as the server can; gives the project's key and that speed. */
async function fill(
  data: string,
  receivers: Receivers,
  count: number,
): Promise<{ key: string; per_s: number }> {
  const server = await startServer(data, { flags: daysBehind(2) })
  const { port } = server
  const { healthy } = receivers.urls
  const key = await createProject({ ports: [port] }, healthy)
  const headers = { authorization: `Bearer ${key}` }
  const [kept] = await sendAll(
    [port],
    [{ method: 'PATCH', path: '/v1/project', headers, body: '{"retention_days":1}' }],
    1,
  )
  check(kept?.status === 200, `the retention was refused: ${kept?.body}`)
  const ledger = createLedger(count, () => 'healthy')
  receivers.listen(ledger.accepted)
  const started = milliseconds()
  await runLoad({ ports: [port], key, ledger, rate: Infinity, urlOf: () => healthy })
  await ledger.complete(SETTLE_MS)
  const per_s = (count / (milliseconds() - started)) * 1000
  await server.stop()
  checkLedger(ledger)
  return { key, per_s }
}

/** Runs the load on a new server and looks at it until the load is over; gives back what it saw. */
async function soak(
  data: string,
  receivers: Receivers,
  { key, rate, ledger }: { key: string; rate: number; ledger: Ledger },
): Promise<Sample[]> {
  const server = await startServer(data, { flags: collectable })
  const started_at = Date.now()
  receivers.listen(ledger.accepted)
  const takeSample = createSampler(server, data)
  const samples: Sample[] = []
  const started = milliseconds()
  let took_s = 0
  async function look(): Promise<void> {
    for (let n = 1; ; n++) {
      await sleep(started + n * SAMPLE_MS - milliseconds())
      if (took_s > 0) return
      const sample = await takeSample(n, ledger.takeWaits())
      samples.push(sample)
      console.log(`${(n * SAMPLE_MS) / 1000} s: ${progressLine(sample)}`)
    }
  }
  const urls: Record<Addressee, string> = { ...receivers.urls, dead: DEAD }
  const urlOf = (number: number) => urls[addresseeOf(number)]
  const load = runLoad({ ports: [server.port], key, ledger, rate, urlOf })
  const onEnd = () => (took_s = (milliseconds() - started) / 1000)
  await Promise.all([load.finally(onEnd), look()])
  await ledger.complete(SETTLE_MS)
  await server.stop()
  checkLedger(ledger)
  checkDatabase(data, started_at, ledger)
  // Longer than was asked for: the machine could not bear the rate.
  console.log(
    `${ledger.count} tasks in ${Math.round(took_s)} s; each of ${ledger.expected} callbacks was accepted once.`,
  )
  return samples
}

function checkLedger(ledger: Ledger): void {
  const { lost, doubled } = ledger.faults()
  check(lost === 0, `${lost} of ${ledger.expected} callbacks were lost`)
  check(doubled === 0, `${doubled} callbacks came twice, or to the wrong receiver`)
}

/** The database agrees: what was accepted is delivered, and everything else is still to be delivered. */
function checkDatabase(data: string, since: number, { count, expected }: Ledger): void {
  const database = new DatabaseSync(join(data, 'ringback.db'), { readOnly: true })
  const rows = database
    .prepare('select state, count(*) as count from deliveries where created_at >= ? group by state')
    .all(since)
  database.close()
  const states = JSON.stringify(Object.fromEntries(rows.map(({ state, count }) => [state, count])))
  const wanted = JSON.stringify({ delivered: expected, pending: count - expected })
  check(states === wanted, `the deliveries are ${states}, not ${wanted}`)
}

async function main(): Promise<void> {
  const seconds = 60 * atLeast(SHORTEST_MINUTES, 'minutes')
  const old = atLeast(1, 'old')
  const wanted = values.rate === undefined ? undefined : atLeast(1, 'rate')
  const receivers = await startReceivers()
  try {
    const samples = await inFolder(async (data) => {
      const { key, per_s } = await fill(data, receivers, old)
      const rate = wanted ?? Math.round(per_s / 2)
      console.log(`The limit is ${Math.round(per_s)} tasks a second; the soak has ${rate}.`)
      const ledger = createLedger(rate * seconds, addresseeOf)
      return soak(data, receivers, { key, rate, ledger })
    })
    console.log(`\n${sampleTable(samples)}`)
    const names = risen(samples)
    check(names.length === 0, `not flat: ${names.join(', ')}`)
  } finally {
    await receivers.stop()
  }
}

if (values.help) {
  console.log(HELP)
} else await runBench(main)
