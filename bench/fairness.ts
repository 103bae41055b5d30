// What a broken receiver costs the others. An even load is measured on a server of its own, where all receivers are healthy, and
// on one where every fifth task goes to a broken receiver, in turns, since the speed of a shared machine drifts.
import { startDnsServer } from '../server/test/support/dns-server.ts'
import { createProject, rate as rateOf, SETTLE_MS, waitsOf } from './api.ts'
import { answer500, answerLate, drip, neverAnswer, startBroken } from './broken-receivers.ts'
import { check } from './faults.ts'
import { milliseconds } from './figures.ts'
import { addWaiting, afterHours, checkCopy, OPENS_BREAKER, waitingModel } from './models.ts'
import { startReceivers, type Receivers } from './receivers-process.ts'
import { figuresLine, resultOf, type Figures, type Result } from './results.ts'
import { nameServer } from './server-process.ts'
import { onEmptyDatabase, type Ground, type Nodes, type Setup } from './setups.ts'
import { createLedger, runLoad, type Addressee } from './soak-load.ts'
import { countText, type Stage } from './stage.ts'

const BROKEN_ONE_IN = 5
const WARM_UP_S = 2
// Who waited for a name that is not found does not come back with all that was missed meanwhile: that would be a burst of requests.
const LATEST_MS = 200
const SILENT_NAME = 'receiver.test'

/** A broken receiver; `waiting` deliveries wait for it from the start, `flags` are Node's for the server beside it. */
type Kind = { name: string; url: string; waiting?: number; flags?: string[] }

/** A server under load: `broken` is where every fifth task goes, or null. */
type Side = { nodes: Nodes; key: string; broken: string | null }

/** The healthy receivers' waits and rate, alone and beside each kind of broken one. */
export async function fairness(stage: Stage): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const receivers = stack.adopt(await startReceivers(), (started) => started.stop())
  const dns = stack.use(await startDnsServer({ [SILENT_NAME]: 'silent' }))
  const broken = async (...args: Parameters<typeof startBroken>) => stack.use(await startBroken(...args)).url
  const { waiting } = stage.sizes
  const kinds: Kind[] = [
    // The port "discard": nobody listens there.
    { name: 'refuses connections', url: 'http://127.0.0.1:65535' },
    { name: 'never answers', url: await broken(neverAnswer) },
    { name: 'drips its answer for ever', url: await broken(drip) },
    { name: `answers 500, ${countText(waiting)} waiting`, url: await broken(answer500), waiting },
    { name: 'answers after 10 s', url: await broken(answerLate) },
    {
      name: 'has a name that DNS never answers',
      url: `http://${SILENT_NAME}`,
      flags: nameServer(dns.address),
    },
  ]
  const results: Result[] = []
  for (const setup of stage.setups)
    for (const kind of kinds) results.push(await compare(stage, setup, receivers, kind))
  check(dns.questions.length > 0, 'the server never asked the name server that does not answer')
  return results
}

function compare(stage: Stage, setup: Setup, receivers: Receivers, kind: Kind): Promise<Result> {
  return onEmptyDatabase(setup, (quiet) =>
    onEmptyDatabase(setup, async (troubled) => {
      const alone = await startAlone(quiet, receivers)
      const beside = await startBeside(troubled, receivers, kind)
      // What is compiled and opened for the first time is nobody's cost.
      for (const side of [alone, beside])
        await measure(stage, receivers, { ...side, broken: null }, WARM_UP_S)
      const rounds: Figures[] = []
      for (let i = 1; i <= stage.sizes.rounds; i++) {
        const { per_s, p50_ms, p99_ms } = await measure(stage, receivers, alone)
        const figures = await measure(stage, receivers, beside)
        const round = { ...figures, alone_per_s: per_s, alone_p50_ms: p50_ms, alone_p99_ms: p99_ms }
        rounds.push({ ...round, p99_to_alone: figures.p99_ms / p99_ms })
        stage.say(`${setup.name}, beside one that ${kind.name}, round ${i}: ${figuresLine(round)}`)
      }
      await Promise.all([alone.nodes.stop(), beside.nodes.stop()])
      return resultOf(
        { group: 'fairness', scenario: `beside one that ${kind.name}`, database: setup.name },
        rounds,
      )
    }),
  )
}

async function startAlone({ start }: Ground, receivers: Receivers): Promise<Side> {
  const nodes = await start()
  return { nodes, key: await createProject(nodes, receivers.urls.healthy), broken: null }
}

async function startBeside(
  { start, database }: Ground,
  receivers: Receivers,
  { url, waiting, flags = [] }: Kind,
): Promise<Side> {
  const nodes = await start(flags)
  const key = await createProject(nodes, receivers.urls.healthy)
  if (waiting === undefined) return { nodes, key, broken: url }
  const model = await waitingModel(nodes, key, url, OPENS_BREAKER)
  await nodes.stop()
  const copied = await addWaiting(database, model, waiting, afterHours())
  const again = await start(flags)
  await checkCopy(again, key, copied, 'pending')
  return { nodes: again, key, broken: url }
}

/**
 * The rate of healthy callbacks, and milliseconds from resolution to arrival. The tasks of the broken receiver have
 * connections of their own, so that their waiting for its name holds up nobody's load, and they end with the others.
 */
async function measure(
  { sizes: { rate: wanted, seconds: usual } }: Stage,
  receivers: Receivers,
  { nodes: { ports }, key, broken }: Side,
  seconds = usual,
) {
  const isFifth = (number: number) => number % BROKEN_ONE_IN === 0
  const addresseeOf = (number: number): Addressee => (broken !== null && isFifth(number) ? 'dead' : 'healthy')
  const ledger = createLedger(wanted * seconds, addresseeOf)
  // Of those that go to a healthy receiver on both sides.
  const waits: number[] = []
  let last = 0
  receivers.listen((accepted) => {
    ledger.accepted(accepted)
    const taken = ledger.takeWaits()
    if (isFifth(accepted.number)) return
    waits.push(...taken)
    last = accepted.at
  })
  const urls = { ...receivers.urls, dead: broken ?? '' }
  const over = new AbortController()
  const started = milliseconds()
  const load = { ports, key, ledger, rate: wanted, urls }
  const ended = broken === null ? {} : { latest_ms: LATEST_MS, signal: over.signal }
  await Promise.all([
    runLoad({ ...load, takes: isFifth, ...ended }),
    runLoad({ ...load, takes: (number) => !isFifth(number) }).finally(() => over.abort()),
  ])
  await ledger.complete(SETTLE_MS)
  const { lost, doubled } = ledger.faults()
  check(lost === 0 && doubled === 0, `${lost} healthy callbacks were lost, ${doubled} came twice`)
  return { per_s: rateOf(waits.length, started, last), ...waitsOf(waits) }
}
