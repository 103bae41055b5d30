// Holds a request until its task has moved on.
import type { UntilMoved } from '../dialects/front.ts'
import { isOpen, taskStatuses } from '../domain/task.ts'
import type { Store } from '../store/store.ts'
import type { Waiters } from './waiters.ts'

const open = taskStatuses.filter(isOpen)

/** Makes the function that waits. */
export function createUntilMoved({
  store,
  waiters,
}: {
  store: Pick<Store, 'findTask'>
  waiters: Waiters
}): UntilMoved {
  return async (task, { wait_ms, whileIn = open, reply }) => {
    if (wait_ms <= 0 || !whileIn.includes(task.status)) return task
    const latest = async () => (await store.findTask(task, task.id)) ?? task
    const wait = waiters.wait(task.id, wait_ms, whileIn)
    reply.raw.once('close', wait.stop)
    try {
      // It may have moved between the first look and the wait.
      const seen = await latest()
      if (!whileIn.includes(seen.status)) return seen
      return (await wait.moved) ?? (await latest())
    } finally {
      wait.stop()
      reply.raw.off('close', wait.stop)
    }
  }
}
