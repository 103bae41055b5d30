// One task of a customer: finding it, and changing what is no step of its life. Nobody is told of such a change, so that no event
// happens; a lost race is tried again on the row that won.
import { AppError } from '../../domain/errors.ts'
import type { Task } from '../../domain/task.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import type { Request } from './answer.ts'
import { BATCH_TYPE } from './batch.ts'
import { extrasOf, labelsOf } from './extras.ts'
import { isScaleId, scaleId } from './id.ts'

/** The task of this id that its customer may see; throws `not_found`, for malformed ids too. */
export async function findTask(
  { store }: Pick<FrontDeps, 'store'>,
  request: Request,
  id: string,
): Promise<Task> {
  const task = isScaleId(id) ? await store.findTask(callerOf(request).scope, id) : undefined
  if (task !== undefined && task.type !== BATCH_TYPE) return task
  throw new AppError('not_found', `There is no task ${id} for this key`)
}

// Losing this often means that something is wrong, not that there is a crowd.
const ROUNDS_MAX = 20

/** What may be changed so. */
export type Change = Partial<Pick<Task, 'metadata' | 'unique_id' | 'ext'>>

/** Changes a task, and gives it as it is then. Throws `unique_id_taken`, and `conflict` when others keep winning. */
export async function amendTask(
  { store }: Pick<FrontDeps, 'store'>,
  first: Task,
  change: (task: Task) => Change,
): Promise<Task> {
  let task = first
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const changes = change(task)
    const next = { ...task, ...changes, updated_at: store.now(), version: task.version + 1 }
    const labels = changes.ext === undefined ? null : labelsOf(extrasOf(next))
    const result = await store.amendTask({ task: next, labels })
    switch (result.kind) {
      case 'done':
        return next
      case 'unique_id_taken':
        throw uniqueIdTaken(next.unique_id, result.task_id)
      case 'raced': {
        const fresh = await store.findTask(task, task.id)
        if (fresh === undefined) throw new AppError('not_found', 'There is no such task any more')
        task = fresh
      }
    }
  }
  throw new AppError('conflict', 'This task keeps changing; try again')
}

/** The error for a `unique_id` that another task has, which is named (contract §2.2). */
export const uniqueIdTaken = (unique_id: string | null, task_id: string): AppError =>
  new AppError(
    'unique_id_taken',
    `unique_id: ${unique_id} is already used by task ${scaleId(task_id)}; take another, or clear that one's`,
  )
