// Time as the engine sees it: every deadline is measured with the store's clock, and tests move it by hand. A timer is
// only a hint to look again; what must happen is a row in the database.

/** Tells the time in milliseconds, and calls back at one. */
export type Clock = {
  now: () => number
  /**
   * Calls back once `now()` has reached `time_ms`; soon, but never synchronously, when it already has. When the time was set back it
   * calls back no later than it would have without that. Returns how to call it off.
   */
  at: (time_ms: number, callback: () => void) => () => void
}

// A longer delay makes setTimeout fire at once.
const LONGEST_DELAY_MS = 2 ** 31 - 1

/** Makes the real clock over `now`. Its timers keep no process alive: that is for the server's socket to do. */
export function createClock(now: () => number): Clock {
  return {
    now,
    at(time_ms, callback) {
      const asked_at = now()
      let called_off = false
      let timer: NodeJS.Timeout | undefined
      const look = () => {
        if (called_off) return
        const time = now()
        const delay = time_ms - time
        // A timer may fire a millisecond early by the wall clock, and may have been cut to the longest delay. A time before that of the
        // asking is of a clock that was set back: it may be hours until `time_ms` then.
        if (delay <= 0 || time < asked_at) callback()
        else timer = setTimeout(look, Math.min(delay, LONGEST_DELAY_MS)).unref()
      }
      // A time-out of zero would take a millisecond, which a busy loop has not to give away.
      if (time_ms <= now()) setImmediate(look)
      else look()
      return () => {
        called_off = true
        clearTimeout(timer)
      }
    },
  }
}

/** Resolves when the clock has reached `time_ms`. */
export const until = (clock: Clock, time_ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.at(time_ms, resolve)
  })
