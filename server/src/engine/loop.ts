// One background activity: an iteration that runs when it is woken or when its time comes, and never twice at once. A wake-up
// during an iteration may have come too late for it, so it makes another one follow.
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

export type Loop = {
  /** Begins with an iteration at once. Idempotent. */
  start(): void
  /** Ends the loop, and resolves when the iteration under way is over. Idempotent. */
  stop(): Promise<void>
  /** Asks for an iteration now. */
  wake(): void
  /** Asks for an iteration at `time_ms` or earlier. */
  wakeAt(time_ms: number): void
}

const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 5000

/**
 * Makes a loop; it rests until `start`. `run` returns when it wants to run next, in milliseconds, or null for when it is
 * woken. An iteration that throws is logged and tried again after a growing wait that no wake-up cuts short.
 */
export function createLoop({
  name,
  clock,
  log,
  run,
}: {
  name: string
  clock: Clock
  log: Log
  run: () => Promise<number | null>
}): Loop {
  let started = false
  let next_at = Infinity
  let not_before = -Infinity
  let failures = 0
  let underWay: Promise<void> | null = null
  let callOff: (() => void) | undefined

  function arm(): void {
    callOff?.()
    if (!started || underWay !== null || next_at === Infinity) return
    // A wait is longer than the longest only if the clock was set back.
    const wait_until = Math.min(not_before, clock.now() + LONGEST_BACKOFF_MS)
    callOff = clock.at(Math.max(next_at, wait_until), () => {
      next_at = Infinity
      underWay = iterate()
    })
  }

  async function iterate(): Promise<void> {
    try {
      const wanted = await run()
      failures = 0
      not_before = -Infinity
      next_at = Math.min(next_at, wanted ?? Infinity)
    } catch (error) {
      const wait_ms = Math.min(FIRST_BACKOFF_MS * 2 ** failures++, LONGEST_BACKOFF_MS)
      log.error({ loop: name, err: error, wait_ms }, 'loop.failed')
      not_before = clock.now() + wait_ms
      next_at = not_before
    } finally {
      underWay = null
      arm()
    }
  }

  const wakeAt = (time_ms: number) => {
    if (time_ms >= next_at) return
    next_at = time_ms
    arm()
  }

  return {
    start() {
      if (started) return
      started = true
      next_at = clock.now()
      arm()
    },
    async stop() {
      started = false
      callOff?.()
      await underWay
    },
    wake: () => wakeAt(clock.now()),
    wakeAt,
  }
}
