// Tells the operator of destinations that paused by themselves. The promise to tell is the row that says that nobody has been
// told; so a call that fails is made again, after a restart too, and the operator may hear of a pause twice.
import type { DestinationReport } from '../domain/destination.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** Tells of a pause; rejects when the operator did not take it. */
export type TellOperator = (paused: DestinationReport) => Promise<void>

const EVERY_MS = 10_000
const AFTER_FAILURE_MS = 60_000
const CHUNK = 100

/** Makes the iteration of its loop; without `tell` it sleeps for ever, since log and metrics have said it already. */
export function createPauseReporter({
  store,
  tell,
  clock,
  log,
}: {
  store: Pick<Store, 'unreportedPauses' | 'markReported'>
  tell: TellOperator | undefined
  clock: Clock
  log: Log
}): () => Promise<number | null> {
  return async () => {
    if (tell === undefined) return null
    for (const paused of await store.unreportedPauses(CHUNK)) {
      try {
        await tell(paused)
      } catch (error) {
        log.warn({ err: error, destination_id: paused.id }, 'operator.not_told')
        return clock.now() + AFTER_FAILURE_MS
      }
      await store.markReported(paused.id)
    }
    return clock.now() + EVERY_MS
  }
}
