// Makes the steps of replays: small ones with pauses between them, so that nobody else's commits wait for long. The job is its
// row; a process that dies in the middle has lost nothing but the step it was at.
import type { Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

// A new job is found at the next look.
const EVERY_MS = 1000
const CHUNK = 50
// A pause is four times as long as the step before it took, and never shorter than this. Shorter ones are not even faster: what
// is made more quickly than it is sent becomes a backlog, which costs claims, and others wait several times as long (measured).
const PAUSE_MS = 25
const PAUSE_FACTOR = 4

/** Makes the iteration of its loop: one step of one job. */
export function createReplayer({
  store,
  clock,
  log,
}: {
  store: Pick<Store, 'stepReplay'>
  clock: Clock
  log: Log
}): () => Promise<number> {
  return async () => {
    const began_at = clock.now()
    const replay = await store.stepReplay(CHUNK)
    const now = clock.now()
    if (replay === undefined) return now + EVERY_MS
    if (replay.state === 'done') {
      const { id, count, replayed, skipped } = replay
      log.info({ replay_id: id, count, replayed, skipped }, 'replay.done')
    }
    return now + Math.max(PAUSE_MS, PAUSE_FACTOR * (now - began_at))
  }
}
