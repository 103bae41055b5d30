// Requests that wait for a task to settle (`?wait=`). They live in memory and are woken by commits; ten thousand of them
// cost no query. Register before reading the task, or a commit in between goes unnoticed.
import { isOpen, type Task } from '../domain/task.ts'

/** A request's wait: `settled` resolves with the settled task, or undefined when there is nothing more to wait for. */
export type Wait = { settled: Promise<Task | undefined>; stop: () => void }

export type Waiters = {
  /** Waits for a task to settle, at most `wait_ms`. */
  wait: (task_id: string, wait_ms: number) => Wait
  /** Tells of a committed transition. */
  notify: (task: Task) => void
  /** The tasks that are waited for. */
  awaited: () => string[]
  isAwaited: (task_id: string) => boolean
  /** Ends every wait, and those to come at once. */
  stop: () => void
}

/** Makes the room where requests wait. */
export function createWaiters(): Waiters {
  const rooms = new Map<string, Set<(task: Task | undefined) => void>>()
  let stopped = false

  return {
    wait(task_id, wait_ms) {
      const { promise, resolve } = Promise.withResolvers<Task | undefined>()
      if (stopped) {
        resolve(undefined)
        return { settled: promise, stop: () => {} }
      }
      const room = rooms.get(task_id) ?? new Set()
      rooms.set(task_id, room)
      const leave = (task: Task | undefined) => {
        clearTimeout(timer)
        room.delete(leave)
        if (room.size === 0 && rooms.get(task_id) === room) rooms.delete(task_id)
        resolve(task)
      }
      const timer = setTimeout(leave, wait_ms, undefined)
      room.add(leave)
      return { settled: promise, stop: () => leave(undefined) }
    },
    notify(task) {
      if (rooms.size === 0 || isOpen(task.status)) return
      const room = rooms.get(task.id)
      if (room !== undefined) for (const leave of room) leave(task)
    },
    awaited: () => [...rooms.keys()],
    isAwaited: (task_id) => rooms.has(task_id),
    stop() {
      stopped = true
      for (const room of rooms.values()) for (const leave of room) leave(undefined)
    },
  }
}
