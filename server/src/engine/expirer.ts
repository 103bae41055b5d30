// Expires tasks whose deadline has passed. What is late is late by the store's clock whether or not this loop has run; it
// only makes the change visible and tells the customer.
import type { Task } from '../domain/task.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

// A new task may have an earlier deadline than all that were there, so it never sleeps longer.
const EVERY_MS = 1000
const CHUNK = 100

/** Makes the expirer's iteration; `expire` applies the verb, and a race that it loses is no error. */
export function createExpirer({
  store,
  expire,
  clock,
  log,
}: {
  store: Pick<Store, 'overdueTasks'>
  expire: (task: Task) => Promise<unknown>
  clock: Clock
  log: Log
}): () => Promise<number> {
  async function expireOne(task: Task): Promise<boolean> {
    try {
      await expire(task)
      return true
    } catch (error) {
      log.warn({ err: error, task_id: task.id }, 'expire.failed')
      return false
    }
  }

  return async () => {
    const began_at = clock.now()
    const { tasks, next_at } = await store.overdueTasks(CHUNK)
    const expired = await Promise.all(tasks.map(expireOne))
    const now = clock.now()
    const latest = now + EVERY_MS
    // As long as it took: without a rest 20,000 of one deadline made others' callbacks wait 44 ms (measured).
    const rested_at = Math.min(2 * now - began_at, latest)
    // One that failed is first again next time: not at once.
    return expired.includes(false) ? latest : Math.max(rested_at, Math.min(next_at ?? Infinity, latest))
  }
}
