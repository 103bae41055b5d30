// Tells the world about an attempt: one wide log line, the metrics, and whoever watches. One that failed is normal operation,
// so it is level info and has no stack.
import type { CallStep } from '../domain/call.ts'
import { isUnsettled, type Attempt, type Delivery, type Settlement } from '../domain/delivery.ts'
import type { Outcome } from '../domain/outcome.ts'
import type { ReadyCall } from '../store/call-verbs.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** An attempt of a delivery as it was decided and written. */
export type Attempted = { delivery: Delivery; outcome: Outcome; settlement: Settlement; attempt: Attempt }

/** An attempt of a call as it was decided and written; `next_due_at` is null when it was the last of its task. */
export type Called = {
  call: Pick<ReadyCall, 'id' | 'project_id' | 'destination_id' | 'url'> & { step: CallStep }
  outcome: Outcome
  attempt: Attempt
  next_due_at: number | null
}

/** What every attempt says of its destination; `byHand` of one that somebody watches. */
export type Tried = {
  subject: { id: string; project_id: string; destination_id: string; byHand: boolean }
  outcome: Outcome
  attempt: Attempt
  next_due_at: number | null
}

export type Report = {
  delivery(attempted: Attempted): void
  call(called: Called): void
}

/** Makes the one reporter of attempts. What a watcher throws is logged and goes no further. */
export function createReport({
  log,
  metrics,
  watchers,
  onAttempt = () => {},
}: {
  log: Log
  metrics: Metrics
  /** Hear of each attempt. */
  watchers: readonly ((tried: Tried) => void)[]
  /** Hears of those of deliveries. */
  onAttempt?: ((attempted: Attempted) => void) | undefined
}): Report {
  function tell<T>(listener: (value: T) => void, value: T): void {
    try {
      listener(value)
    } catch (error) {
      log.error({ err: error }, 'attempt_listener.failed')
    }
  }

  return {
    delivery(attempted) {
      const { delivery, outcome, settlement, attempt } = attempted
      metrics.attempted(outcome.kind, attempt.duration_ms)
      if (!isUnsettled(settlement.state)) metrics.settled(settlement.state)
      log.info(
        {
          delivery_id: delivery.id,
          task_id: delivery.task_id,
          event: delivery.event_type,
          destination: receiverOf(delivery.url),
          ...sayings(outcome, attempt),
          state: settlement.state,
          reason: settlement.reason,
          next_attempt_at: settlement.due_at,
        },
        'delivery.attempted',
      )
      const { id, project_id, destination_id, resend } = delivery
      const subject = { id, project_id, destination_id, byHand: resend === 1 }
      const tried = { subject, outcome, attempt, next_due_at: settlement.due_at }
      for (const watcher of watchers) tell(watcher, tried)
      tell(onAttempt, attempted)
    },
    call({ call, outcome, attempt, next_due_at }) {
      metrics.called(call.step, outcome.kind, attempt.duration_ms)
      log.info(
        {
          task_id: call.id,
          step: call.step,
          destination: receiverOf(call.url),
          ...sayings(outcome, attempt),
          next_call_at: next_due_at,
        },
        'call.attempted',
      )
      const { id, project_id, destination_id } = call
      const tried = {
        subject: { id, project_id, destination_id, byHand: false },
        outcome,
        attempt,
        next_due_at,
      }
      for (const watcher of watchers) tell(watcher, tried)
    },
  }
}

const sayings = ({ kind, status, error }: Outcome, { number, duration_ms }: Attempt) => ({
  attempt: number,
  outcome: kind,
  status,
  duration_ms,
  error,
})

const ORIGIN = /^https?:\/\/(?:[^/\\?#]*@)?[^/\\?#]*/i

/** What a log may show of a callback URL: its origin without credentials, or the domain of a mail address. */
export function receiverOf(url: string): string {
  const origin = ORIGIN.exec(url)?.[0]
  if (origin === undefined) return url.slice(url.lastIndexOf('@') + 1)
  const at = origin.lastIndexOf('@')
  return at < 0 ? origin : origin.slice(0, origin.indexOf('//') + 2) + origin.slice(at + 1)
}
