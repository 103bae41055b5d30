// What a commit means to others: to this process's engine at once, and to the other nodes on the database by a signal.
import type { Task } from '../domain/task.ts'
import { isOpen } from '../domain/task.ts'
import type { Signals } from './signals.ts'
import type { Addressed, Outlet } from './store.ts'

export type Nodes = {
  /** Something is pending at some destination from `due_at` on; `to` says at which, if that is known. */
  wake(due_at: number, to?: Addressed): void
  /** A call is pending at some destination from `due_at` on. */
  wakeCalls(due_at: number): void
  /** What has not begun at a destination must be given back. */
  hold(destination_id: string): void
  /** A project's settings or secrets changed. */
  changed(project_id: string): void
  /** A transition was committed. */
  moved(task: Task): void
  /** Calls back with the ids of tasks that another node moved, as far as it tells. Returns how to stop that. */
  onMoved(listener: (task_ids: readonly string[]) => void): () => void
}

/** Connects this process's engine with the other nodes; without signals there are none. */
export function createNodes({
  outlet,
  signals,
  now,
}: {
  outlet: () => Outlet
  signals: Signals | null
  now: () => number
}): Nodes {
  const listeners = new Set<(task_ids: readonly string[]) => void>()
  signals?.subscribe(({ wake, moved, held, changed }) => {
    if (wake) {
      outlet().wake(now())
      outlet().wakeCalls(now())
    }
    for (const id of held) outlet().hold(id)
    for (const id of changed) outlet().projectChanged(id)
    if (moved.length > 0) for (const listener of listeners) listener(moved)
  })
  return {
    wake(due_at, to) {
      outlet().wake(due_at, to)
      // What is due later every node finds by itself.
      if (due_at <= now()) signals?.publish({ wake: true })
    },
    wakeCalls(due_at) {
      outlet().wakeCalls(due_at)
      if (due_at <= now()) signals?.publish({ wake: true })
    },
    hold(destination_id) {
      outlet().hold(destination_id)
      signals?.publish({ held: [destination_id] })
    },
    changed(project_id) {
      outlet().projectChanged(project_id)
      signals?.publish({ changed: [project_id] })
    },
    moved(task) {
      // Of what is called for, each step is waited for; of others, the end.
      if (!isOpen(task.status) || task.call_plan !== null) signals?.publish({ moved: [task.id] })
    },
    onMoved(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
