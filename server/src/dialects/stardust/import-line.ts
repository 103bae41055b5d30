// From a line to its task. Every step may be done again: a line that was written before its import's cursor was has a task
// with the line's own id, and is neither written twice nor taken for a duplicate of itself.
import { AppError, type ProblemCode } from '../../domain/errors.ts'
import { print } from '../../domain/json.ts'
import type { Project, Scope } from '../../domain/project.ts'
import { draftTask, type NewTask } from '../create-task.ts'
import type { WorkDeps } from '../front.ts'
import { lineIds, timeOfBatch } from './ids.ts'
import { CALLBACK_FIELD, type Line } from './line.ts'

/** What all lines of an import have in common. */
export type Batch = {
  batch_id: string
  scope: Scope
  project: Project
  /** Digits: the platform's project, in which identifiers are unique. */
  project_id: string
  /** What each task keeps of the dialect's (ext.ts). */
  ext: string
  /** Whether it was begun before, so that any of its tasks may be there. */
  begun: boolean
}

/** The label by which the tasks of one of the platform's projects are found. */
export const projectLabel = (project_id: string): string => `project=${project_id}`

const faultsOfUrls: ReadonlySet<ProblemCode> = new Set([
  'invalid_callback_url',
  'destination_forbidden',
  'mail_not_configured',
])

/** Makes the task of a line. Gives what is wrong with the line, after its customer was told where a URL of theirs is known. */
export async function importLine(
  deps: WorkDeps,
  batch: Batch,
  { number, line }: { number: number; line: Line },
): Promise<string | null> {
  const ids = lineIds(batch.scope, batch.batch_id, number)
  const own = batch.begun ? await deps.store.findTask(batch.scope, ids.id) : undefined
  // Only a good line's task has a unique id.
  if (own !== undefined && own.unique_id !== null) return null
  const fault = line.fault ?? (await createTask(deps, batch, ids, line))
  if (fault !== null && line.callback_url !== null) await tellError(deps, batch, ids, line, fault)
  return fault
}

type Ids = ReturnType<typeof lineIds>

async function createTask(deps: WorkDeps, batch: Batch, ids: Ids, line: Line): Promise<string | null> {
  const drafted = await draft(deps, batch, ids, line, `${batch.project_id}/${line.identifier}`)
  if (typeof drafted === 'string') return drafted
  const result = await deps.store.createTask({ ...drafted, idempotency: null, labels: labelsOf(batch) })
  if (result.kind !== 'unique_id_taken' || result.task_id === ids.id) return null
  return `Duplicate uniqueIdentifier ${line.identifier}: a task of this project has it already`
}

/** The task of a line, or why its callback URL must not be called. */
async function draft(
  deps: WorkDeps,
  batch: Batch,
  ids: Ids,
  { type, record, info, callback_url }: Line,
  unique_id: string | null,
): Promise<NewTask | string> {
  try {
    const { task, destination } = await draftTask(deps, batch, {
      ...ids,
      type,
      params: record,
      metadata: info,
      unique_id,
      callback_url,
      ext: batch.ext,
    })
    // Its id tells this time, by which lists look for it.
    return { task: { ...task, created_at: timeOfBatch(batch.batch_id) }, destination }
  } catch (error) {
    if (!(error instanceof AppError) || !faultsOfUrls.has(error.code)) throw error
    return callback_url === null ? error.message : error.message.replace('callback_url', CALLBACK_FIELD)
  }
}

const labelsOf = ({ project_id }: Batch) => [projectLabel(project_id)]

/** Makes a task that failed in its creation, so that its callback tells of it (contract §5.1). */
async function tellError(deps: WorkDeps, batch: Batch, ids: Ids, line: Line, fault: string): Promise<void> {
  if ((await deps.store.findTask(batch.scope, ids.id)) !== undefined) return
  const drafted = await draft(deps, batch, ids, line, null)
  // A URL that must not be called is called by nobody.
  if (typeof drafted === 'string') return
  const creation = { ...drafted, idempotency: null, labels: labelsOf(batch) }
  await deps.verbs.createApplied(creation, 'fail', { error: print({ message: fault }), during: 'setup' })
}
