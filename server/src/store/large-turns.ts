// Look-ups of large rows take turns, two at a time: read straight away, tasks of 1 MB over 32 connections kept everybody's look-ups waiting
// for 159 ms (measured). How large one is shows when it is there, so whoever had a large one is expected to ask for more of them.
// Turns for all would cost small ones a third of their rate.
import { createTurns } from './turns.ts'

const LARGE_BYTES = 64 * 1024
const EXPECTED_MS = 1000

/** Makes it; `bytesOf` says how much was found, `now` is in milliseconds. */
export function createLargeTurns<T>({
  bytesOf,
  now,
}: {
  bytesOf: (found: T) => number
  now: () => number
}): (asker: string | null, read: () => Promise<T>) => Promise<T> {
  const turns = createTurns({ at_once: 2, most_waiting: Infinity })
  // When each asker last had a large one; those long ago are forgotten when they ask again.
  const large_at = new Map<string | null, number>()

  function expectsLarge(asker: string | null): boolean {
    const at = large_at.get(asker)
    if (at === undefined) return false
    // A time ahead is that of a clock that was set back.
    if (Math.abs(now() - at) < EXPECTED_MS) return true
    large_at.delete(asker)
    return false
  }

  return async (asker, read) => {
    const found = await (expectsLarge(asker) ? turns({ asker }, read) : read())
    if (bytesOf(found) > LARGE_BYTES) large_at.set(asker, now())
    return found
  }
}
