// Finds attempts whose end nobody saw: their process died, hung, or could not write. Each becomes an attempt with outcome
// `unknown`, which burns no retry.
import { leaseMs, settle, type Delivery } from '../domain/delivery.ts'
import { unanswered } from '../domain/outcome.ts'
import type { ReadyCall } from '../store/call-verbs.ts'
import type { Store } from '../store/store.ts'
import type { Calls } from './calls.ts'
import type { Clock } from './clock.ts'
import { toAttempt, type Deliver } from './deliver.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Report } from './report.ts'
import type { TermsCache } from './terms.ts'

const EVERY_MS = 1000
const CHUNK = 500

/** Makes the rescuer's iteration; the first one that succeeds also takes the leases of earlier processes. */
export function createRescuer({
  store,
  deliver,
  calls,
  terms: cache,
  clock,
  metrics,
  report,
  log,
}: {
  store: Pick<Store, 'lostLeases' | 'lostCalls'>
  deliver: Pick<Deliver, 'write'>
  calls: Pick<Calls, 'writeUnseen'>
  terms: TermsCache
  clock: Clock
  metrics: Metrics
  report: Report
  log: Log
}): () => Promise<number> {
  let lost_boots = true

  async function rescue(delivery: Delivery): Promise<boolean> {
    const { policy } = cache.get(delivery.project_id) ?? (await cache.load(delivery.project_id))
    const now = clock.now()
    const lease_ms = leaseMs(policy.timeout_ms)
    // When it began is nowhere written; it cannot have been long after the lease did.
    const lease_until = delivery.lease_until ?? now
    const started_at = Math.max(delivery.created_at, Math.min(now, lease_until - lease_ms))
    const outcome = unanswered('unknown', 'Nobody saw how this attempt ended; the receiver may have got it.')
    const settlement = settle(delivery, outcome, policy, { started_at, now })
    const attempt = toAttempt(delivery, outcome, { started_at, now: Math.min(now, lease_until) })
    // Every node looks for these, and one is the first.
    if ((await deliver.write({ delivery, settlement, attempt, lease_ms }, lease_until)) !== 'done')
      return false
    metrics.leaseLost()
    report.delivery({ delivery, outcome, settlement, attempt })
    return true
  }

  async function rescueCall(ready: ReadyCall): Promise<boolean> {
    const isWritten = await calls.writeUnseen(ready)
    if (isWritten) metrics.leaseLost()
    return isWritten
  }

  async function rescueAll<T>(lost: Promise<T[]>, rescueOne: (one: T) => Promise<boolean>) {
    const found = await lost
    const ends = await Promise.allSettled(found.map(rescueOne))
    // One whose terms cannot be read keeps none beside it from being rescued.
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed !== undefined) log.error({ err: failed.reason }, 'rescue.failed')
    // A full chunk of which nothing could be written would come back at once.
    const any = ends.some((end) => end.status === 'fulfilled' && end.value)
    return { more: any && found.length === CHUNK, failed: failed !== undefined }
  }

  return async () => {
    const [deliveries, lostCalls] = await Promise.all([
      rescueAll(store.lostLeases(CHUNK, lost_boots), rescue),
      rescueAll(store.lostCalls(CHUNK, lost_boots), rescueCall),
    ])
    if (deliveries.more || lostCalls.more) return clock.now()
    lost_boots &&= deliveries.failed || lostCalls.failed
    return clock.now() + EVERY_MS
  }
}
