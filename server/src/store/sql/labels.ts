// Labels: texts by which tasks are found again. They belong to their task and are written under its lock.
import type { Task } from '../../domain/task.ts'
import { bulk, type Row, type Transaction } from '../database.ts'

const insert = bulk(
  { project_id: 'text', mode: 'text', label: 'text', task_id: 'text' },
  (v) => `insert into labels (project_id, mode, label, task_id)
    select v.project_id, v.mode, v.label, v.task_id from ${v}`,
)

/** Labels tasks that have no labels yet; most have none, which costs no statement. */
export async function insertLabels(
  tx: Transaction,
  tasks: readonly { task: Task; labels?: readonly string[] | undefined }[],
): Promise<void> {
  await tx.bulk(
    insert,
    tasks.flatMap(({ task, labels }) => (labels === undefined ? [] : rowsOf(task, labels))),
  )
}

/** Puts these in the place of a task's labels. */
export async function replaceLabels(tx: Transaction, task: Task, labels: readonly string[]): Promise<void> {
  await tx.all('delete from labels where task_id = $1', [task.id])
  await insertLabels(tx, [{ task, labels }])
}

const rowsOf = ({ id, project_id, mode }: Task, labels: readonly string[]): Row[] =>
  Array.from(new Set(labels), (label) => ({ project_id, mode, label, task_id: id }))
