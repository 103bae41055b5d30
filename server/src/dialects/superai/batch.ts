// Batches: a record of kind `ingest` while jobs are still made of it, due so that the work goes on whatever happens to the
// process that took it; and from then on one of kind `batch`, which only tells how it went.
import { print, type Printable } from '../../domain/json.ts'
import type { Project, Scope } from '../../domain/project.ts'
import type { StoredRecord } from '../../domain/record.ts'
import { isoTime } from '../../domain/time.ts'
import type { Store } from '../../store/store.ts'
import type { Ingested } from './ingest.ts'
import { batchLabel } from './job.ts'
import { parseNewBatch } from './new-batch.ts'

/** The kind of a batch's record while its jobs are made. */
export const INGEST = 'ingest'
/** The kind of a batch's record afterwards. */
export const BATCH = 'batch'

const DAY_MS = 86_400_000

/** When something that is done now may be deleted: with the tasks of its time. */
export const keptUntil = ({ settings }: Project, now: number): number =>
  now + settings.retention_days * DAY_MS

type Done = Omit<Ingested, 'first_uuid'> & { app: string }

/** Writes how a batch went, unless that is known already. */
export async function writeBatch(
  store: Pick<Store, 'now' | 'insertRecord'>,
  { scope, project, batch_id }: { scope: Scope; project: Project; batch_id: string },
  { created_at, ...done }: Done & { created_at: number },
): Promise<void> {
  const now = store.now()
  await store.insertRecord({
    ...scope,
    kind: BATCH,
    key: batch_id,
    body: print({
      app: done.app,
      total: done.total,
      valid: done.valid,
      invalid_index: done.invalid_index,
      error_message: done.error_message,
    }),
    created_at,
    updated_at: now,
    due_at: null,
    expires_at: keptUntil(project, now),
    version: 1,
  })
}

type Shown = { readonly [field: string]: Printable }

/** A batch of an app; undefined when it has none of this id. */
export async function findBatch(
  store: Pick<Store, 'findRecord' | 'countTasks'>,
  scope: Scope,
  { app, batch_id }: { app: string; batch_id: string },
): Promise<Shown | undefined> {
  // In this order, since it changes from the one to the other.
  const ingest = await store.findRecord(scope, INGEST, batch_id)
  const record = await store.findRecord(scope, BATCH, batch_id)
  if (record !== undefined) {
    const done = JSON.parse(record.body) as Done
    return done.app === app ? presentBatch(record, done, { processed: done.total }) : undefined
  }
  return ingest === undefined ? undefined : presentIngest(store, ingest, app)
}

/** The batches of an app that jobs are still made of, newest first. */
export async function unfinishedBatches(
  store: Pick<Store, 'findRecord' | 'listRecords' | 'countTasks'>,
  scope: Scope,
  app: string,
): Promise<Shown[]> {
  const found: Shown[] = []
  for (let offset = 0, more = true; more; offset += READ_AT_A_TIME) {
    const page = await store.listRecords(scope, INGEST, { limit: READ_AT_A_TIME, offset })
    for (const record of page.rows) {
      const shown = await presentIngest(store, record, app)
      // Its work may be over before its record is put away.
      const isDone = (await store.findRecord(scope, BATCH, record.key)) !== undefined
      if (shown !== undefined && !isDone) found.push(shown)
    }
    more = page.has_more
  }
  return found
}

// Each may carry 4 MiB of inputs.
const READ_AT_A_TIME = 10
const COUNT_MAX = 10_000_000

/** A batch that jobs are still made of; undefined for another app's, and for one whose record was put away. */
async function presentIngest(
  store: Pick<Store, 'countTasks'>,
  record: StoredRecord,
  app: string,
): Promise<Shown | undefined> {
  if (record.due_at === null) return undefined
  const { inputs, ...batch } = parseNewBatch(record.body)
  if (batch.app !== app) return undefined
  const { project_id, mode } = record
  const valid = await store.countTasks(
    { project_id, mode },
    { labels: [[batchLabel(record.key)]] },
    COUNT_MAX,
  )
  const total = inputs?.length ?? 0
  const known = { app, total, valid, invalid_index: null, error_message: null }
  return presentBatch(record, known, { processed: valid, unfinished: true })
}

/** The batch object (contract §1.7). */
const presentBatch = (
  { key, created_at }: StoredRecord,
  { app, total, valid, invalid_index, error_message }: Done,
  { processed, unfinished = false }: { processed: number; unfinished?: boolean },
): Shown => ({
  app_uuid: app,
  batch_id: key,
  batch_total: total,
  total_processed: processed,
  valid_count: valid,
  invalid_index,
  created: isoTime(created_at),
  batch_processed: !unfinished,
  error_message,
})
