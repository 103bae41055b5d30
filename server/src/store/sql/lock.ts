// The one order in which transactions take their rows: tasks first, sorted by id, in a statement of its own.
import { bulkLock } from '../database.ts'
import type { WriteContext } from './context.ts'

const lockTask = bulkLock(
  { id: 'text' },
  (v) =>
    `select tasks.id from tasks join ${v} on tasks.id = v.id order by tasks.id for no key update of tasks`,
)

/** Locks tasks in the order that every transaction takes them in; SQLite has one writer and needs no locks. */
export async function lockTasks({ tx }: Pick<WriteContext, 'tx'>, ids: readonly string[]): Promise<void> {
  if (tx.flavor.forUpdate === '') return
  await tx.bulk(
    lockTask,
    ids.toSorted().map((id) => ({ id })),
  )
}
