// Scale's batches: a name for tasks that belong together, complete when all of them are settled. Nobody tells a batch of its
// tasks, so it is looked at every few seconds while some are open (batch-work.ts); that look must not be lost, whence `resting`.
import { Verbatim, type Printable } from '../../domain/json.ts'
import type { Scope } from '../../domain/project.ts'
import type { StoredRecord } from '../../domain/record.ts'
import { isoTime } from '../../domain/time.ts'
import type { Store } from '../../store/store.ts'
import { label } from './extras.ts'
import { changeRecord, recordOf } from './record.ts'
import { statusesOf, statusWords, type StatusWord } from './status.ts'

/** The type of the hidden task that carries a batch's callback; no customer's task has it. */
export const BATCH_TYPE = 'batch'

/** How often a batch with open tasks is looked at. */
export const LOOK_MS = 5000
const COUNT_MAX = 10_000

/** The body of a batch's record; `metadata` is the text of an object, times are milliseconds. */
export type Batch = {
  project: string
  callback: string | null
  calibration_batch: boolean
  self_label_batch: boolean
  metadata: string
  priority: number | null
  status: 'in_progress' | 'completed'
  completed_at: number | null
  /** The id (UUID) of the task that will carry its callback; each time that the batch completes has its own. */
  callback_task_id: string
  /** No look is sure to follow: whoever adds a task must ask for one. */
  resting: boolean
}

/** A batch with an open task. */
export const reopened = (batch: Batch, newId: () => string): Batch => ({
  ...batch,
  ...(batch.status === 'completed' ? { callback_task_id: newId() } : {}),
  status: 'in_progress',
  completed_at: null,
  resting: false,
})

export type Found = { record: StoredRecord; batch: Batch }

/** Reads a batch's record. */
export const readBatch = (record: StoredRecord): Batch => JSON.parse(record.body) as Batch

/** The batch of this name; throws `not_found`. */
export async function batchOf(store: Pick<Store, 'findRecord'>, scope: Scope, name: string): Promise<Found> {
  const record = await recordOf(store, scope, 'batch', name)
  return { record, batch: readBatch(record) }
}

type Deps = { store: Pick<Store, 'now' | 'findRecord' | 'updateRecord'>; newId: () => string }

/**
 * Makes sure that a batch is looked at after a task was added to it. To be called before: a look too many does no harm, while
 * one that never comes would leave the batch in progress for ever.
 */
export async function wakeBatch({ store }: Pick<Deps, 'store'>, { record, batch }: Found): Promise<void> {
  if (!batch.resting) return
  await changeRecord(store, nameOf(record), (record) => ({
    body: JSON.stringify({ ...readBatch(record), resting: false }),
    due_at: store.now() + LOOK_MS,
  }))
}

/** Opens a completed batch that has got a task, at once; the look would do it, too. */
export async function reopenBatch({ store, newId }: Deps, { record, batch }: Found): Promise<void> {
  if (batch.status !== 'completed') return
  await changeRecord(store, nameOf(record), (record) => ({
    body: JSON.stringify(reopened(readBatch(record), newId)),
    due_at: store.now() + LOOK_MS,
  }))
}

const nameOf = ({ project_id, mode, key }: StoredRecord) => ({
  project_id,
  mode,
  kind: 'batch' as const,
  key,
})

/** The filter of a batch's tasks. */
export const inBatch = (name: string) => ({ labels: [[label('batch', name)]] })

/** How many of a batch's tasks have each status, counted up to 10,000. */
export async function countsOf(
  store: Pick<Store, 'countTasks'>,
  { project_id, mode, key }: StoredRecord,
): Promise<Record<StatusWord, number>> {
  const counts = await Promise.all(
    statusWords.map(async (word) => {
      const filter = { ...inBatch(key), statuses: statusesOf(word) }
      return [word, await store.countTasks({ project_id, mode }, filter, COUNT_MAX)] as const
    }),
  )
  return Object.fromEntries(counts) as Record<StatusWord, number>
}

/** The counts under both names that clients know them by. */
export const presentCounts = (counts: Record<StatusWord, number>): { [name: string]: number } => ({
  ...counts,
  ...Object.fromEntries(statusWords.map((word) => [`tasks_${word}`, counts[word]])),
})

/** A batch as its customer sees it. */
export function presentBatch(record: StoredRecord): { readonly [field: string]: Printable } {
  const batch = readBatch(record)
  return {
    name: record.key,
    project: batch.project,
    status: batch.status,
    created_at: isoTime(record.created_at),
    completed_at: batch.completed_at === null ? undefined : isoTime(batch.completed_at),
    callback: batch.callback ?? undefined,
    calibration_batch: batch.calibration_batch,
    self_label_batch: batch.self_label_batch,
    metadata: new Verbatim(batch.metadata),
    priority: batch.priority ?? undefined,
  }
}
