// Changes to a task that are no verb: nobody is told of them, and they leave its status alone. They win by the version, as
// verbs do.
import type { Task } from '../../domain/task.ts'
import { bulk } from '../database.ts'
import { assignments, taskColumns } from './columns.ts'
import type { WriteContext } from './context.ts'
import { replaceLabels } from './labels.ts'
import { findTaken, pickUnique } from './tasks.ts'

/** `task` is the row after the change, and wins only over the row with the version before; null leaves the labels. */
export type AmendTask = { task: Task; labels: readonly string[] | null }
export type AmendResult = { kind: 'done' } | { kind: 'raced' } | { kind: 'unique_id_taken'; task_id: string }

const amendable = ['metadata', 'unique_id', 'ext', 'updated_at', 'version'] as const satisfies (keyof Task)[]

const update = bulk(
  taskColumns,
  (v) => `update tasks set ${assignments(amendable)} from ${v}
    where tasks.id = v.id and tasks.version = v.version - 1 returning tasks.id`,
)

/** Writes a change. The caller has locked the task. */
export async function amendTask({ tx }: WriteContext, { task, labels }: AmendTask): Promise<AmendResult> {
  const holders = task.unique_id === null ? [] : await tx.bulk(findTaken, [pickUnique(task)])
  const other = holders.find(({ task_id }) => task_id !== task.id)
  if (other !== undefined) return { kind: 'unique_id_taken', task_id: String(other.task_id) }
  if ((await tx.bulk(update, [task])).length === 0) return { kind: 'raced' }
  if (labels !== null) await replaceLabels(tx, task, labels)
  return { kind: 'done' }
}
