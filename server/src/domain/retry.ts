// Retries are a pure function of (policy, delivery, attempt): the plan shown is the plan kept, and nothing about it is
// stored but the time of the next attempt.
import { hash32 } from './id.ts'

/** How often and how long a delivery is tried. */
export type RetryRule = { retries: number; window_ms: number }

const FIRST_WAIT_MS = 5000
// The waits together fill 94 % of the window; with a jitter of 4 % that is 90.2 to 97.8 %, and room for the attempts.
const FILL = 0.94
const JITTER = 0.04

const sumOfPowers = (ratio: number, count: number) =>
  ratio === 1 ? count : (ratio ** count - 1) / (ratio - 1)

/** The ratio r >= 1 for which first × (1 + r + … + r^(count-1)) is `total`, by bisection. */
function solveRatio(first: number, count: number, total: number): number {
  let low = 1
  let high = 2
  while (first * sumOfPowers(high, count) < total) high *= 2
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (first * sumOfPowers(middle, count) < total) low = middle
    else high = middle
  }
  return low
}

/** The waits before retry 1, 2, … in milliseconds, without jitter: growing by one ratio, from about five seconds. */
export function waits({ retries, window_ms }: RetryRule): number[] {
  if (retries === 0) return []
  const total = window_ms * FILL
  // With one wait, or a window too short for waits of five seconds, there is nothing to grow.
  const first = retries === 1 ? total : Math.min(FIRST_WAIT_MS, total / retries)
  const ratio = retries === 1 ? 1 : solveRatio(first, retries, total)
  return Array.from({ length: retries }, (_, i) => first * ratio ** i)
}

/** The wait in milliseconds with the jitter of this delivery and retry: the same each time it is asked for. */
export function jittered(wait_ms: number, delivery_id: string, retry: number): number {
  const unit = hash32(`${delivery_id}:${retry}`) / 2 ** 32
  return Math.round(wait_ms * (1 + JITTER * (2 * unit - 1)))
}

/**
 * The times of the attempts still to come: the next one at `next_at`, each further one as if it failed at once.
 * `retries_used` counts the retries already made or planned up to `next_at`; no time lies behind `give_up_at`.
 */
export function plan(
  allWaits: readonly number[],
  delivery_id: string,
  { next_at, retries_used, give_up_at }: { next_at: number; retries_used: number; give_up_at: number },
): number[] {
  const times = [next_at]
  let time = next_at
  for (let retry = retries_used; retry < allWaits.length; retry++) {
    time = Math.min(time + jittered(allWaits[retry] ?? 0, delivery_id, retry), give_up_at)
    times.push(time)
  }
  return times
}
