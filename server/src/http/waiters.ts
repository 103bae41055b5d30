// Requests that wait for a task to settle, or to take its next step (`?wait=`). They live in memory and are woken by commits;
// ten thousand of them cost no query. Register before reading the task, or a commit in between goes unnoticed.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isOpen, taskStatuses, type Task, type TaskStatus } from '../domain/task.ts'
import type { AwaitedTask } from '../store/store.ts'

/** A request's wait: `moved` resolves with the task as it is then, or undefined when there is nothing more to wait for. */
export type Wait = { moved: Promise<Task | undefined>; stop: () => void }

export type Waiters = {
  /** Waits for a task as long as its status is one of `whileIn` (all open ones unless told), at most `wait_ms`. */
  wait: (task_id: string, wait_ms: number, whileIn?: readonly TaskStatus[]) => Wait
  /** Tells of a committed transition. */
  notify: (task: Task) => void
  /** What is waited for. */
  awaited: () => AwaitedTask[]
  /** What is waited for of this task. */
  awaitedOf: (task_id: string) => AwaitedTask[]
  /** Ends every wait, and those to come at once. */
  stop: () => void
}

type Waiting = { whileIn: readonly TaskStatus[]; leave: (task: Task | undefined) => void }

const open = taskStatuses.filter(isOpen)

/**
 * Wakes one in each turn of the event loop, since each of them prints the task: two thousand that did so at one moment, with 900 kB,
 * held up everybody for 5 s (measured).
 */
async function wake(waiting: Waiting[], task: Task): Promise<void> {
  for (const { leave } of waiting) {
    leave(task)
    await nextTurn()
  }
}

/** Makes the room where requests wait. */
export function createWaiters(): Waiters {
  const rooms = new Map<string, Set<Waiting>>()
  let stopped = false

  const awaitedOf = (task_id: string) =>
    Array.from(rooms.get(task_id) ?? [], ({ whileIn }) => ({ task_id, whileIn }))

  return {
    wait(task_id, wait_ms, whileIn = open) {
      const { promise, resolve } = Promise.withResolvers<Task | undefined>()
      if (stopped) {
        resolve(undefined)
        return { moved: promise, stop: () => {} }
      }
      const room = rooms.get(task_id) ?? new Set()
      rooms.set(task_id, room)
      const leave = (task: Task | undefined) => {
        clearTimeout(timer)
        room.delete(waiting)
        if (room.size === 0 && rooms.get(task_id) === room) rooms.delete(task_id)
        resolve(task)
      }
      const waiting = { whileIn, leave }
      const timer = setTimeout(leave, wait_ms, undefined)
      room.add(waiting)
      return { moved: promise, stop: () => leave(undefined) }
    },
    notify(task) {
      if (rooms.size === 0) return
      const moved = Array.from(rooms.get(task.id) ?? []).filter(
        ({ whileIn }) => !whileIn.includes(task.status),
      )
      void wake(moved, task)
    },
    awaited: () => [...rooms.keys()].flatMap(awaitedOf),
    awaitedOf,
    stop() {
      stopped = true
      for (const room of rooms.values()) for (const { leave } of room) leave(undefined)
    },
  }
}
