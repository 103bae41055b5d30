// What a commit means to others: to this process's engine at once, and to the other nodes on the database by a signal.
import type { Task } from '../domain/task.ts'
import { isOpen } from '../domain/task.ts'
import type { Signals } from './signals.ts'
import type { Outlet } from './store.ts'

export type Nodes = {
  /** Something is pending at some destination from `due_at` on. */
  wake(due_at: number): void
  /** What has not begun at a destination must be given back. */
  hold(destination_id: string): void
  /** A project's settings or secrets changed. */
  changed(project_id: string): void
  /** A transition was committed. */
  moved(task: Task): void
  /** Calls back with the ids of tasks that another node settled. Returns how to stop that. */
  onSettled(listener: (task_ids: readonly string[]) => void): () => void
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
  signals?.subscribe(({ wake, settled, held, changed }) => {
    if (wake) outlet().wake(now())
    for (const id of held) outlet().hold(id)
    for (const id of changed) outlet().projectChanged(id)
    if (settled.length > 0) for (const listener of listeners) listener(settled)
  })
  return {
    wake(due_at) {
      outlet().wake(due_at)
      // What is due later every node finds by itself.
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
      if (!isOpen(task.status)) signals?.publish({ settled: [task.id] })
    },
    onSettled(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
