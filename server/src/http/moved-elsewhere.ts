// Waiting requests whose task another node moves. A signal says so at once; since signals may get lost, all that wait are
// looked up once a second in one statement.
import type { AwaitedTask, Store } from '../store/store.ts'
import type { Log } from './deps.ts'
import type { Waiters } from './waiters.ts'

const LOOK_MS = 1000

/** Begins to look; returns how to stop. */
export function watchOtherNodes({
  store,
  waiters,
  log,
}: {
  store: Pick<Store, 'movedTasks' | 'onMovedElsewhere'>
  waiters: Waiters
  log: Log
}): () => void {
  async function look(waits: readonly AwaitedTask[]): Promise<void> {
    if (waits.length === 0) return
    try {
      for (const task of await store.movedTasks(waits)) waiters.notify(task)
    } catch (error) {
      log.warn({ err: error }, 'wait.unseen')
    }
  }

  let looking = false
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    void look(waiters.awaited()).finally(() => (looking = false))
  }, LOOK_MS)
  const unsubscribe = store.onMovedElsewhere((task_ids) => {
    void look(task_ids.flatMap((id) => waiters.awaitedOf(id)))
  })
  return () => {
    clearInterval(timer)
    unsubscribe()
  }
}
