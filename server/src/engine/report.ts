// Tells the world about an attempt: one wide log line, the metrics, and whoever watches. A failed delivery is normal
// operation, so it is level info and has no stack.
import { isUnsettled, type Attempt, type Delivery, type Settlement } from '../domain/delivery.ts'
import type { Outcome } from '../domain/outcome.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** An attempt as it was decided and written. */
export type Attempted = { delivery: Delivery; outcome: Outcome; settlement: Settlement; attempt: Attempt }

/** Makes the one reporter of attempts. What a listener throws is logged and goes no further. */
export function createReport({
  log,
  metrics,
  listeners,
}: {
  log: Log
  metrics: Metrics
  listeners: readonly ((attempted: Attempted) => void)[]
}): (attempted: Attempted) => void {
  return (attempted) => {
    const { delivery, outcome, settlement, attempt } = attempted
    metrics.attempted(outcome.kind, attempt.duration_ms)
    if (!isUnsettled(settlement.state)) metrics.settled(settlement.state)
    log.info(
      {
        delivery_id: delivery.id,
        task_id: delivery.task_id,
        event: delivery.event_type,
        destination: receiverOf(delivery.url),
        attempt: attempt.number,
        outcome: outcome.kind,
        status: outcome.status,
        duration_ms: attempt.duration_ms,
        error: outcome.error,
        state: settlement.state,
        reason: settlement.reason,
        next_attempt_at: settlement.due_at,
      },
      'delivery.attempted',
    )
    for (const listener of listeners) {
      try {
        listener(attempted)
      } catch (error) {
        log.error({ err: error }, 'attempt_listener.failed')
      }
    }
  }
}

const ORIGIN = /^https?:\/\/(?:[^/\\?#]*@)?[^/\\?#]*/i

/** What a log may show of a callback URL: its origin without credentials, or the domain of a mail address. */
export function receiverOf(url: string): string {
  const origin = ORIGIN.exec(url)?.[0]
  if (origin === undefined) return url.slice(url.lastIndexOf('@') + 1)
  const at = origin.lastIndexOf('@')
  return at < 0 ? origin : origin.slice(0, origin.indexOf('//') + 2) + origin.slice(at + 1)
}
