// Writes what became of an attempt, again and again while the store does not take it, but only as long as the lease holds:
// afterwards somebody else may have found it.
import { until, type Clock } from './clock.ts'
import type { Log } from './log.ts'

/** What became of a decision: written, somebody else's lease by now, or left to the rescuer since the store took it not. */
export type Written = 'done' | 'lost' | 'left'

export type Persist = {
  /** Tries until it is written or `lease_until`; `attempt` says whether the lease still held. */
  write(attempt: () => Promise<boolean>, of: { id: string; lease_until: number }): Promise<Written>
  /** From now on a write that fails is not repeated. */
  hurry(): void
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5000

/** Makes the writer. */
export function createPersist({ clock, log }: { clock: Clock; log: Log }): Persist {
  let hurried = false
  return {
    async write(attempt, { id, lease_until }) {
      let unheard = false
      for (let wait_ms = FIRST_WAIT_MS; ; wait_ms = Math.min(wait_ms * 2, LONGEST_WAIT_MS)) {
        try {
          if (await attempt()) return 'done'
          // Before the lease is over nobody else settles it, but that a call ends with its task: so an earlier try was committed, and
          // its answer got lost.
          return unheard && clock.now() < lease_until ? 'done' : 'lost'
        } catch (error) {
          unheard = true
          const retry_at = clock.now() + wait_ms
          const left = hurried || retry_at >= lease_until
          log.warn({ err: error, id, left_to_rescuer: left }, 'settle.failed')
          if (left) return 'left'
          await until(clock, retry_at)
        }
      }
    },
    hurry() {
      hurried = true
    },
  }
}
