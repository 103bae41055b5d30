// The engine: everything that happens without a request. It puts the parts together and knows the order of start and stop;
// what a part does is in its own file.
import type { Registry } from 'prom-client'
import type { RetryPolicy } from '../domain/delivery.ts'
import type { Project } from '../domain/project.ts'
import type { Task } from '../domain/task.ts'
import { callBytes, deliveryBytes } from '../domain/weight.ts'
import type { ReadyCall } from '../store/call-verbs.ts'
import type { ClaimResult } from '../store/claiming.ts'
import type { Ready, Store } from '../store/store.ts'
import { createBreakers } from './breakers.ts'
import type { CallSender } from './call-sender.ts'
import { createCalls, type CallWiring } from './calls.ts'
import { createClock, until, type Clock } from './clock.ts'
import { createDeliver, type Render } from './deliver.ts'
import { createDispatcher } from './dispatcher.ts'
import { createExpirer } from './expirer.ts'
import type { Fetcher } from './fetcher.ts'
import { createIntake } from './intake.ts'
import type { Log } from './log.ts'
import { createLoop } from './loop.ts'
import { createMetrics } from './metrics.ts'
import { createPauseReporter, type TellOperator } from './pause-reporter.ts'
import { createRates } from './rates.ts'
import { createRecordWorker, type WorkOf } from './record-worker.ts'
import { createReplayer } from './replayer.ts'
import { createReport, type Attempted } from './report.ts'
import { createRescuer } from './rescuer.ts'
import { createRounds } from './rounds.ts'
import type { Sender } from './senders.ts'
import { createTermsCache } from './terms.ts'

export type EngineOptions = {
  store: Store
  /** The engine's own: it closes it when it stops. */
  sender: Sender
  /** The engine's own, too, and so is the fetcher. */
  callSender: CallSender
  fetcher: Fetcher
  /** The retry policy of a project's dialect. */
  policy: (project: Project) => RetryPolicy
  /** The request of an attempt in a project's dialect. */
  render: Render
  /** Applies the verb `expire`; a race that it loses is no error. */
  expire: (task: Task) => Promise<unknown>
  calls: CallWiring
  /** The work on a record by its project's dialect. */
  workOf: WorkOf
  /** Writes when keys were last used, once a minute and in the end. */
  flushKeyUses: () => Promise<void>
  log: Log
  registry: Registry
  /** Tells the operator of a destination that paused by itself; without it, the log and the metrics do. */
  tellOperator?: TellOperator
  /** Called after each attempt that was written. */
  onAttempt?: (attempted: Attempted) => void
  /** Must tell the store's time. */
  clock?: Clock
}

export type Engine = {
  /** Frees what earlier processes left behind, then delivers. Rejects when the store does not answer. Idempotent. */
  start(): Promise<void>
  /**
   * Takes no more work, gives what is in flight `grace_ms` to end, cuts the rest off as `unknown`, and resolves when all
   * is written. An engine is stopped for good. Idempotent.
   */
  stop(grace_ms: number): Promise<void>
}

const SWEEP = { every_ms: 60_000, pause_ms: 20, first_ms: 60_000, chunk: 500 }
const STUCK = { every_ms: 10_000, pause_ms: 100, first_ms: 1000, chunk: 2000 }
const KEY_USES_MS = 60_000
const COUNTED_MAX = 100_000
const PRUNE = { every_ms: 3_600_000, pause_ms: 100, first_ms: 60_000, chunk: 200 }

// What is leased has its turn before what is not, whatever their priorities; so no more is than can be begun.
const byPriority = {
  bytesOf: callBytes,
  ahead: 1,
  precedes: (one: ReadyCall, other: ReadyCall) => one.priority > other.priority,
}

/** Makes an engine; it rests until `start`. */
export function createEngine(options: EngineOptions): Engine {
  const { store, sender, callSender, fetcher, policy, render, expire, workOf, flushKeyUses, log, registry } =
    options
  const { calls: wiring, tellOperator, onAttempt } = options
  const clock = options.clock ?? createClock(() => store.now())
  const metrics = createMetrics(registry, {
    inFlight: () => dispatchers.reduce((count, dispatcher) => count + dispatcher.inFlight(), 0),
    waiting: () =>
      store.countWaiting(COUNTED_MAX).catch((error: unknown) => {
        log.warn({ err: error }, 'metrics.uncounted')
        throw error
      }),
  })
  const terms = createTermsCache({ store, policy, now: clock.now })
  const breakers = createBreakers({
    store,
    hold,
    clock,
    log,
    metrics,
  })
  const rates = createRates({
    store,
    policyOf: (project_id) => terms.get(project_id)?.policy,
    clock,
    log,
    metrics,
    onCounted: (due_at) => flush.wakeAt(due_at),
  })
  const flush = createLoop({ name: 'rates', clock, log, run: rates.flush })
  const report = createReport({ log, metrics, watchers: [breakers.attempted, rates.attempted], onAttempt })
  const deliver = createDeliver({ store, sender, render, terms, clock, log, metrics, report })
  const intake = createIntake()
  const calls = createCalls({ store, sender: callSender, intake, wiring, terms, clock, log, report })
  const shared = { terms, clock, onProbe: breakers.probing, log }
  const deliveryDispatcher = createDispatcher<Ready>({
    name: 'claim',
    claim: (request) => counted('deliveries', store.claim(request)),
    attempts: deliver,
    order: { bytesOf: deliveryBytes },
    ...shared,
  })
  const callDispatcher = createDispatcher<ReadyCall>({
    name: 'claim-calls',
    claim: (request) => counted('calls', store.claimCalls(request)),
    attempts: calls,
    order: byPriority,
    ...shared,
  })
  const dispatchers = [deliveryDispatcher, callDispatcher]
  const rescue = createRescuer({ store, deliver, calls, terms, clock, metrics, report, log })
  const sweep = (after: string) => store.sweepDestinations(after, SWEEP.chunk)
  const release = (after: string) => store.releaseStuck(after, STUCK.chunk)
  const prune = async (after: string) => {
    const { pruned, next } = await store.prune(after, PRUNE.chunk)
    metrics.pruned(pruned)
    return next
  }
  const noteKeys = async () => {
    await flushKeyUses()
    return clock.now() + KEY_USES_MS
  }
  const worker = createRecordWorker({ store, workOf, fetch: fetcher.fetch, clock, log })
  const tell = createPauseReporter({ store, tell: tellOperator, clock, log })
  const upkeep = [
    flush,
    createLoop({ name: 'key-uses', clock, log, run: noteKeys }),
    createLoop({ name: 'operator', clock, log, run: tell }),
    createLoop({ name: 'rescue', clock, log, run: rescue }),
    createLoop({ name: 'expire', clock, log, run: createExpirer({ store, expire, clock, log }) }),
    createLoop({ name: 'replay', clock, log, run: createReplayer({ store, clock, log }) }),
    createLoop({ name: 'sweep', clock, log, run: createRounds({ step: sweep, clock, ...SWEEP }) }),
    createLoop({ name: 'release', clock, log, run: createRounds({ step: release, clock, ...STUCK }) }),
    createLoop({ name: 'prune', clock, log, run: createRounds({ step: prune, clock, ...PRUNE }) }),
  ]
  async function counted<T>(what: 'deliveries' | 'calls', claiming: Promise<ClaimResult<T>>) {
    const result = await claiming
    metrics.claimed(what, result.claimed.length)
    return result
  }

  // The lanes of a destination are those of its kind; the other dispatcher has none.
  function hold(destination_id: string): void {
    for (const dispatcher of dispatchers) dispatcher.hold(destination_id)
  }

  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  async function start(): Promise<void> {
    // Before anything is taken, so that what was interrupted comes first again.
    await rescue()
    if (stopping !== undefined) return
    const { admit, withdraw, launch, wake } = deliveryDispatcher
    store.attach({
      admit,
      withdraw,
      launch,
      wake,
      hold,
      wakeCalls: callDispatcher.wake,
      projectChanged: (project_id) => terms.forget(project_id),
      recordDue: (due_at) => worker.recordDue(due_at),
    })
    for (const dispatcher of dispatchers) dispatcher.start()
    worker.start()
    for (const loop of upkeep) loop.start()
  }

  async function stop(grace_ms: number): Promise<void> {
    const ends_at = clock.now() + grace_ms
    await starting?.catch(() => {})
    const worked = worker.stop(grace_ms)
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop()))
    await Promise.all(upkeep.map((loop) => loop.stop()))
    const drained = Promise.all(dispatchers.map((dispatcher) => dispatcher.idle()))
    await Promise.race([drained, until(clock, ends_at)])
    deliver.hurry()
    calls.hurry()
    await Promise.all([sender.close(), callSender.close()])
    await worked
    await fetcher.close()
    await drained
    await rates.flush().catch((error: unknown) => log.warn({ err: error }, 'rates.unwritten'))
    await flushKeyUses().catch((error: unknown) => log.warn({ err: error }, 'key-uses.unwritten'))
  }

  return {
    start: () => (starting ??= start()),
    stop: (grace_ms) => (stopping ??= stop(grace_ms)),
  }
}
