// Counts requests in windows that begin with their first one, as the limits that tell their callers how much is left have it.
import type { Rate } from '../domain/project.ts'

/** A window after a request was counted in it. */
export type Counted = { remaining: number; resets_at: number; isOver: boolean }

// Past it windows that are over are dropped; so many that are not cost some megabytes.
const WINDOWS_MAX = 10_000

/** Makes the counter, with a window for each caller; `now` is in milliseconds. */
export function createWindowCounter({ count, window_s }: Rate): (caller: string, now: number) => Counted {
  const windows = new Map<string, { used: number; resets_at: number }>()
  return (caller, now) => {
    const found = windows.get(caller)
    const isFresh = found !== undefined && found.resets_at > now
    const window = isFresh ? found : { used: 0, resets_at: now + window_s * 1000 }
    if (!isFresh && windows.size >= WINDOWS_MAX) {
      for (const [other, { resets_at }] of windows) if (resets_at <= now) windows.delete(other)
    }
    const isOver = window.used >= count
    if (!isOver) window.used++
    if (!isFresh) windows.set(caller, window)
    return { remaining: count - window.used, resets_at: window.resets_at, isOver }
  }
}
