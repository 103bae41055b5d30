// What a broken receiver costs the others. An even load to a healthy receiver is measured on a server of its own, and on one where a
// quarter as many tasks more go to a broken receiver, in turns, since the speed of a shared machine drifts.
import { setTimeout as sleep } from 'node:timers/promises'
import { startDnsServer } from '../server/test/support/dns-server.ts'
import { createProject, createTasks, rate as rateOf, resolveTasks, SETTLE_MS, waitsOf } from './api.ts'
import {
  answer500,
  answerAtOnce,
  answerFirst,
  answerInChunks,
  answerLate,
  drip,
  neverAnswer,
  startBroken,
} from './broken-receivers.ts'
import { check } from './faults.ts'
import { milliseconds } from './figures.ts'
import { addWaiting, afterHours, checkCopy, OPENS_BREAKER, waitingModel } from './models.ts'
import { startReceivers, type Receivers } from './receivers-process.ts'
import { figuresLine, resultOf, type Figures, type Result } from './results.ts'
import { nameServer } from './server-process.ts'
import { onEmptyDatabase, type Ground, type Nodes, type Setup } from './setups.ts'
import { createLedger, runLoad } from './soak-load.ts'
import { countText, type Stage } from './stage.ts'

const BROKEN_ONE_IN = 5
const WARM_UP_S = 2
// Who waited for a name that is not found does not come back with all that was missed meanwhile: that would be a burst of requests.
const LATEST_MS = 200
const CONNECTIONS = 16
const SILENT_NAME = 'receiver.test'
const NAMES = 1000
const FEW = 16
const MANY = 4000
const LARGE = { count: 320, bytes: 900_000, held: 24, prompt: true }
// What has been written to begin with is on its way to the disk for a while.
const REST_MS = 3000

/**
 * So many deliveries with bodies of so many bytes, at least `held` of which must be under way when the round begins. With `prompt`
 * as many small ones have been answered before.
 */
type Before = { count: number; bytes: number; held: number; prompt: boolean }

/**
 * A broken receiver, or many: `urlOf` is where a task's callback goes in a round. `waiting` deliveries wait for it from the
 * start, those of `before` are sent to it before each round, `flags` are Node's for the server beside it.
 */
type Kind = {
  name: string
  urlOf: (number: number, round: number) => string
  waiting?: number
  before?: Before
  flags?: string[]
}

type Side = { nodes: Nodes; key: string }

/** The healthy callbacks' waits in milliseconds from resolution to arrival, their rate, and that of tasks for the broken one. */
type Measured = { waits: number[]; per_s: number; broken_per_s: number }

type Round = { alone: Measured; beside: Measured }

/** The healthy receivers' waits and rate, alone and beside each kind of broken one. */
export async function fairness(stage: Stage): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const receivers = stack.adopt(await startReceivers(), (started) => started.stop())
  const dns = stack.use(await startDnsServer({ [SILENT_NAME]: 'silent' }))
  const broken = async (...args: Parameters<typeof startBroken>) => stack.use(await startBroken(...args)).url
  const { waiting } = stage.sizes
  const hanging = await broken(neverAnswer)
  // Names below localhost are loopback by definition (RFC 6761), and each is a receiver of its own.
  const named = (url: string, name: string) => url.replace('127.0.0.1', `${name}.localhost`)
  const flipping = await broken(answerFirst())
  const only = (url: string) => ({ urlOf: () => url })
  const kinds: Kind[] = [
    // Not broken: what a quarter more work costs by itself.
    { name: 'answers at once', ...only(await broken(answerAtOnce)) },
    // The port "discard": nobody listens there.
    { name: 'refuses connections', ...only('http://127.0.0.1:65535') },
    { name: 'never answers', ...only(hanging) },
    { name: 'drips its answer for ever', ...only(await broken(drip)) },
    { name: `answers 500, ${countText(waiting)} waiting`, ...only(await broken(answer500)), waiting },
    { name: 'answers after 10 s', ...only(await broken(answerLate)) },
    { name: 'answers in chunks of a byte', ...only(await broken(answerInChunks)) },
    {
      name: 'has a name that DNS never answers',
      ...only(`http://${SILENT_NAME}`),
      flags: nameServer(dns.address),
    },
    {
      name: `is one of ${LARGE.count} that answered, and then never do with ${LARGE.bytes / 1000} kB each`,
      // New ones in each round: the breakers of those before are open.
      urlOf: (number, round) =>
        named(flipping, `large-${Math.floor(number / BROKEN_ONE_IN) % LARGE.count}-${round}`),
      before: LARGE,
    },
    {
      name: `is one of ${countText(NAMES)} that never answer, with ${countText(MANY)} before`,
      urlOf: (number, round) =>
        named(hanging, `receiver-${Math.floor(number / BROKEN_ONE_IN) % NAMES}-${round}`),
      before: { count: MANY, bytes: FEW, held: NAMES, prompt: false },
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
        await measure(receivers, side, { ...stage.sizes, seconds: WARM_UP_S })
      const rounds: Round[] = []
      for (let i = 1; i <= stage.sizes.rounds; i++) {
        const quiet = await measure(receivers, alone, stage.sizes)
        const urlOf = (number: number) => kind.urlOf(number, i)
        if (kind.before !== undefined) await fillMemory(beside, urlOf, kind.before)
        const round = { alone: quiet, beside: await measure(receivers, beside, stage.sizes, urlOf) }
        rounds.push(round)
        stage.say(`${setup.name}, beside one that ${kind.name}, round ${i}: ${figuresLine(figuresOf(round))}`)
      }
      await Promise.all([alone.nodes.stop(), beside.nodes.stop()])
      return resultOf(
        { group: 'fairness', scenario: `beside one that ${kind.name}`, database: setup.name },
        rounds.map(figuresOf),
        togetherOf(rounds),
      )
    }),
  )
}

function figuresOf({ alone, beside }: Round): Figures {
  const [quiet, noisy] = [waitsOf(alone.waits), waitsOf(beside.waits)]
  return {
    per_s: beside.per_s,
    ...noisy,
    broken_per_s: beside.broken_per_s,
    alone_per_s: alone.per_s,
    alone_p50_ms: quiet.p50_ms,
    alone_p99_ms: quiet.p99_ms,
    p99_to_alone: noisy.p99_ms / quiet.p99_ms,
  }
}

/** One stall of a tenth of a second decides the p99 of a round; that of all rounds together takes several. */
function togetherOf(rounds: readonly Round[]): Figures {
  const quiet = waitsOf(rounds.flatMap(({ alone }) => alone.waits)).p99_ms
  const noisy = waitsOf(rounds.flatMap(({ beside }) => beside.waits)).p99_ms
  return { all_alone_p99_ms: quiet, all_p99_ms: noisy, all_p99_to_alone: noisy / quiet }
}

async function startAlone({ start }: Ground, receivers: Receivers): Promise<Side> {
  const nodes = await start()
  return { nodes, key: await createProject(nodes, receivers.urls.healthy) }
}

async function startBeside(
  { start, database }: Ground,
  receivers: Receivers,
  { urlOf, waiting, flags = [] }: Kind,
): Promise<Side> {
  const nodes = await start(flags)
  const key = await createProject(nodes, receivers.urls.healthy)
  if (waiting === undefined) return { nodes, key }
  const model = await waitingModel(nodes, key, urlOf(0, 0), OPENS_BREAKER)
  await nodes.stop()
  const copied = await addWaiting(database, model, waiting, afterHours())
  const again = await start(flags)
  await checkCopy(again, key, copied, 'pending')
  return { nodes: again, key }
}

async function fillMemory(
  { nodes, key }: Side,
  urlOf: (number: number) => string,
  { count, bytes, held, prompt }: Before,
): Promise<void> {
  const fields = (i: number) => ({ callback_url: urlOf(i * BROKEN_ONE_IN) })
  const fill = async (size: number) => {
    const { tasks } = await createTasks(nodes, key, { count, connections: CONNECTIONS, fields })
    await resolveTasks(nodes, tasks, { size, connections: CONNECTIONS })
    await sleep(REST_MS)
  }
  if (prompt) await fill(FEW)
  await fill(bytes)
  const hanging = await nodes.inFlight()
  check(hanging >= held, `only ${hanging} of ${count} attempts are under way at receivers that never answer`)
}

/**
 * With `brokenUrlOf` every fifth task is in place of what is left out without it; those have connections of their own, so that
 * their waiting for a name holds up nobody's load, and they end with the others.
 */
async function measure(
  receivers: Receivers,
  { nodes: { ports }, key }: Side,
  { rate: wanted, seconds }: Pick<Stage['sizes'], 'rate' | 'seconds'>,
  brokenUrlOf?: (number: number) => string,
): Promise<Measured> {
  const isFifth = (number: number) => number % BROKEN_ONE_IN === 0
  const ledger = createLedger(wanted * seconds, (number) => (isFifth(number) ? 'dead' : 'healthy'))
  let last = 0
  receivers.listen((accepted) => {
    ledger.accepted(accepted)
    last = accepted.at
  })
  const over = new AbortController()
  const started = milliseconds()
  const load = { ports, key, ledger, rate: wanted }
  const [broken = 0] = await Promise.all([
    brokenUrlOf &&
      runLoad({ ...load, urlOf: brokenUrlOf, takes: isFifth, latest_ms: LATEST_MS, signal: over.signal }),
    runLoad({
      ...load,
      urlOf: () => receivers.urls.healthy,
      takes: (number) => !isFifth(number),
    }).finally(() => over.abort()),
  ])
  await ledger.complete(SETTLE_MS)
  check(ledger.expected > 0, 'at this rate there was no task for the healthy receiver')
  const { lost, doubled } = ledger.faults()
  check(lost === 0 && doubled === 0, `${lost} healthy callbacks were lost, ${doubled} came twice`)
  const waits = ledger.takeWaits()
  return { waits, per_s: rateOf(waits.length, started, last), broken_per_s: broken / seconds }
}
