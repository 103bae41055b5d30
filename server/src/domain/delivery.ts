// The life of a delivery: held → pending → sending → delivered | failed | canceled. What an attempt's outcome means for it
// is decided here; the store only writes the decision down, guarded by the fence.
import type { EventType } from './event.ts'
import type { Outcome } from './outcome.ts'
import type { Mode } from './project.ts'
import { jittered, plan } from './retry.ts'

export const deliveryStates = ['held', 'pending', 'sending', 'delivered', 'failed', 'canceled'] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** Which state may follow which: the table that every write obeys. */
export const deliveryTransitions: Record<DeliveryState, readonly DeliveryState[]> = {
  held: ['pending', 'sending', 'canceled'],
  pending: ['sending', 'failed', 'canceled'],
  sending: ['delivered', 'failed', 'canceled', 'pending'],
  delivered: [],
  failed: [],
  canceled: [],
}

/** Whether a delivery in this state still has something to do. */
export const isUnsettled = (state: DeliveryState): boolean => deliveryTransitions[state].length > 0

export const failureReasons = [
  'retries_exhausted',
  'window_over',
  'max_age',
  'gone',
  'not_retryable',
  'canceled',
] as const
export type FailureReason = (typeof failureReasons)[number]

/**
 * A delivery as stored. `seq` counts the task's deliveries, `sequence` is its event's place among the task's events. An
 * `ordered` one waits for its turn within its task, and the next waits for it; `resend` says that its event was sent before.
 * `attempt_count` counts all attempts, `unknown_count` those that burned no retry, `unknown_streak` the last of them in a row.
 */
export type Delivery = {
  id: string
  project_id: string
  mode: Mode
  task_id: string
  seq: number
  event_id: string
  event_type: EventType
  sequence: number
  destination_id: string
  url: string
  resend: 0 | 1
  ordered: 0 | 1
  state: DeliveryState
  reason: FailureReason | null
  due_at: number | null
  attempt_count: number
  unknown_count: number
  unknown_streak: number
  first_attempt_at: number | null
  give_up_at: number | null
  cancel_requested: 0 | 1
  lease_owner: string | null
  lease_until: number | null
  fence: number
  created_at: number
  settled_at: number | null
}

/** What a delivery has whose first attempt is still to come. */
export const untried = {
  reason: null,
  attempt_count: 0,
  unknown_count: 0,
  unknown_streak: 0,
  first_attempt_at: null,
  give_up_at: null,
  cancel_requested: 0,
  settled_at: null,
} as const satisfies Partial<Delivery>

/** How a dialect's deliveries are retried; times in milliseconds. `waits` are without jitter. */
export type RetryPolicy = {
  waits: readonly number[]
  retryable: (outcome: Outcome) => boolean
  timeout_ms: number
  window_ms: number
}

/** One attempt as logged. */
export type Attempt = {
  delivery_id: string
  number: number
  started_at: number
  duration_ms: number
  outcome: string
  status: number | null
  response_headers: string | null
  response_body: string | null
  truncated: 0 | 1
  remote_address: string | null
  error: string | null
}

// Behind the time-out an attempt may read two seconds of body, wait for its commit, and meet a clock that drifts.
const LEASE_MARGIN_MS = 12_000

/** How long a lease lasts: longer than the longest attempt with this time-out, in milliseconds. */
export const leaseMs = (timeout_ms: number): number => timeout_ms + LEASE_MARGIN_MS

/** A delivery that was never tried is given up after this long, whatever kept us from trying. */
export const MAX_AGE_MS = 7 * 86_400_000
// So many attempts in a row that nobody saw end are more likely our fault than bad luck.
const UNKNOWN_STREAK_LIMIT = 5
const UNKNOWN_LONG_WAIT_MS = 3_600_000

/** What becomes of a delivery after an attempt, or without one. */
export type Settlement = Pick<
  Delivery,
  | 'state'
  | 'reason'
  | 'due_at'
  | 'attempt_count'
  | 'unknown_count'
  | 'unknown_streak'
  | 'first_attempt_at'
  | 'give_up_at'
>

/** A mail server says itself whether another attempt could succeed; what a web server's answer means is the dialect's to say. */
const isRetryable = (outcome: Outcome, policy: RetryPolicy): boolean =>
  outcome.kind === 'deferred' || (outcome.kind !== 'refused' && policy.retryable(outcome))

/** Decides what an attempt that started at `started_at` and ended at `now` means for its delivery. */
export function settle(
  delivery: Delivery,
  outcome: Outcome,
  policy: RetryPolicy,
  { started_at, now }: { started_at: number; now: number },
): Settlement {
  const unknown = outcome.kind === 'unknown'
  const first_attempt_at = delivery.first_attempt_at ?? started_at
  const after = {
    attempt_count: delivery.attempt_count + 1,
    unknown_count: delivery.unknown_count + (unknown ? 1 : 0),
    unknown_streak: unknown ? delivery.unknown_streak + 1 : 0,
    first_attempt_at,
    give_up_at: delivery.give_up_at ?? first_attempt_at + policy.window_ms,
  }
  const final = (state: DeliveryState, reason: FailureReason | null): Settlement => ({
    ...after,
    state,
    reason,
    due_at: null,
  })
  if (outcome.kind === 'delivered') return final('delivered', null)
  if (delivery.cancel_requested) return final('canceled', 'canceled')
  const again = (wait_ms: number): Settlement => ({
    ...after,
    state: 'pending',
    reason: null,
    due_at: Math.min(now + wait_ms, after.give_up_at),
  })
  if (now >= after.give_up_at) return final('failed', 'window_over')
  if (unknown) return again(after.unknown_streak >= UNKNOWN_STREAK_LIMIT ? UNKNOWN_LONG_WAIT_MS : 0)
  if (!isRetryable(outcome, policy)) return final('failed', outcome.status === 410 ? 'gone' : 'not_retryable')
  const retry = after.attempt_count - after.unknown_count
  const wait = policy.waits[retry - 1]
  if (wait === undefined) return final('failed', 'retries_exhausted')
  return again(Math.max(jittered(wait, delivery.id, retry - 1), outcome.retry_after_ms ?? 0))
}

/**
 * Why a claimed delivery must not be tried any more, or null. The last planned attempt may stand at the very end of the
 * window, so it gets one time-out's length of grace for our own delay.
 */
export function abandonReason(delivery: Delivery, policy: RetryPolicy, now: number): FailureReason | null {
  if (delivery.give_up_at !== null && now > delivery.give_up_at + policy.timeout_ms) return 'window_over'
  if (delivery.give_up_at === null && now > delivery.created_at + MAX_AGE_MS) return 'max_age'
  return null
}

/**
 * The exact times of the attempts still to come, the next one first; empty when none is. One that is due already waits for
 * nothing of the plan's, so it counts as made now.
 */
export function attemptPlan(delivery: Delivery, policy: RetryPolicy, now: number): number[] {
  if (!isUnsettled(delivery.state) || delivery.cancel_requested) return []
  const next_at = delivery.state === 'pending' ? Math.max(delivery.due_at ?? now, now) : now
  return plan(policy.waits, delivery.id, {
    next_at,
    retries_used: delivery.attempt_count - delivery.unknown_count,
    give_up_at: delivery.give_up_at ?? next_at + policy.window_ms,
  })
}
