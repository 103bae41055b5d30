// Upkeep that walks a whole table: a round is many small chunks with pauses between them, so that no commit waits behind it
// for long.
import type { Clock } from './clock.ts'

/** Handles the chunk after `after`; returns where the next one begins, or null at the end of the table. */
export type Step = (after: string) => Promise<string | null>

/** Makes the iteration of a loop that goes round every `every_ms`, first `first_ms` from now. */
export function createRounds({
  step,
  clock,
  every_ms,
  pause_ms,
  first_ms,
}: {
  step: Step
  clock: Clock
  every_ms: number
  pause_ms: number
  first_ms: number
}): () => Promise<number> {
  let after = ''
  let next_at = clock.now() + first_ms

  return async () => {
    // It is further ahead only if the clock was set back.
    next_at = Math.min(next_at, clock.now() + Math.max(first_ms, every_ms))
    if (clock.now() < next_at) return next_at
    const next = await step(after)
    after = next ?? ''
    next_at = clock.now() + (next === null ? every_ms : pause_ms)
    return next_at
  }
}
