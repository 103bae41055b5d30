// A clock that stands still until a test moves it. Only time is manual: sockets and databases take theirs, so wait for
// an event of theirs before you move it on.
import type { Clock } from '../../src/engine/clock.ts'

export type ManualClock = Clock & {
  /** Moves the time to `time_ms` and calls back whoever waited for it, earliest first, with their own time as now. */
  advanceTo(time_ms: number): void
  advance(ms: number): void
  /** Sets the time back; whoever waits does so for no longer than he would have. */
  setBack(ms: number): void
  /**
   * Moves the time on in small steps until `done` resolves, with its value. For work that rests in between, who knows how
   * often: a database that is slower than the test sees a moment later than the one it was moved to.
   */
  advanceUntil<T>(done: Promise<T>, step_ms?: number): Promise<T>
  /** The times that are waited for, earliest first. */
  waiting(): number[]
}

const STEP_MS = 10
const REAL_STEP_MS = 1

type Timer = { time_ms: number; callback: () => void }

/** Makes a clock that stands at `start_ms`. */
export function createManualClock(start_ms = Date.UTC(2030, 0, 1)): ManualClock {
  let now = start_ms
  let timers: Timer[] = []

  const clock: ManualClock = {
    now: () => now,
    at(time_ms, callback) {
      const timer = { time_ms, callback }
      timers.push(timer)
      if (time_ms <= now) setImmediate(() => fire(timer))
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    advanceTo(time_ms) {
      for (;;) {
        const due = timers.filter((timer) => timer.time_ms <= time_ms).toSorted(byTime)[0]
        if (due === undefined) break
        now = Math.max(now, due.time_ms)
        fire(due)
      }
      now = Math.max(now, time_ms)
    },
    advance: (ms) => clock.advanceTo(now + ms),
    setBack(ms) {
      now -= ms
      for (const timer of timers) timer.time_ms -= ms
    },
    async advanceUntil(done, step_ms = STEP_MS) {
      const steps = setInterval(() => clock.advance(step_ms), REAL_STEP_MS)
      try {
        return await done
      } finally {
        clearInterval(steps)
      }
    },
    waiting: () => timers.toSorted(byTime).map(({ time_ms }) => time_ms),
  }

  function fire(timer: Timer): void {
    if (!timers.includes(timer)) return
    timers = timers.filter((other) => other !== timer)
    timer.callback()
  }

  return clock
}

const byTime = (a: Timer, b: Timer) => a.time_ms - b.time_ms
