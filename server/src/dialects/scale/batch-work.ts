// The look at a batch: is anything of it still open? It completes once nothing is, and its customer is told by a callback. A
// callback belongs to a task, so that a hidden one is made for it. Whoever looks next may do all of it again.
import { print } from '../../domain/json.ts'
import type { Scope } from '../../domain/project.ts'
import type { StoredRecord } from '../../domain/record.ts'
import { isOpen, taskStatuses } from '../../domain/task.ts'
import type { Judge } from '../callback-url.ts'
import { draftTask } from '../create-task.ts'
import type { WorkDeps } from '../front.ts'
import type { Work } from '../work.ts'
import { BATCH_TYPE, inBatch, LOOK_MS, presentBatch, readBatch, reopened, type Batch } from './batch.ts'
import { scaleId } from './id.ts'

// Who adds a task has found the batch awake before. No request lives longer than this.
const LAST_LOOK_MS = 60_000
const OPEN = taskStatuses.filter(isOpen)
// The URL was judged when the batch was made, and will be again at every attempt.
const judged: Judge = { egress: { checkUrl: async () => ({ ok: true }) }, config: { mail: true } }

type Deps = Pick<WorkDeps, 'store' | 'verbs' | 'directory' | 'newId'>

/** Makes the work on batches. */
export const createBatchWork =
  (deps: Deps): Work =>
  async (record, { now }) => {
    const batch = readBatch(record)
    const { project_id, mode, key } = record
    const scope = { project_id, mode }
    const { state, newest_at } = await stateOf(deps, scope, key, now())
    if (state === 'open') {
      return { body: JSON.stringify(reopened(batch, deps.newId)), due_at: now() + LOOK_MS }
    }
    // Had new tasks that are settled already. Reopened in a write of its own, so that its next callback has an id that stays.
    if (batch.status === 'completed' && newest_at > (batch.completed_at ?? 0)) {
      return { body: JSON.stringify(reopened(batch, deps.newId)), due_at: now() }
    }
    const isNews = state === 'settled' && batch.status !== 'completed'
    const after: Batch = {
      ...batch,
      ...(isNews ? { status: 'completed', completed_at: now() } : {}),
      resting: true,
    }
    const body = JSON.stringify(after)
    if (isNews) await tell(deps, scope, { ...record, body })
    return { body, due_at: batch.resting ? null : now() + LAST_LOOK_MS }
  }

/** Whether a batch has open tasks, or had a new one just now, as more may follow; or none at all. And when it had its last. */
async function stateOf(
  { store }: Deps,
  scope: Scope,
  name: string,
  now: number,
): Promise<{ state: 'open' | 'settled' | 'empty'; newest_at: number }> {
  const filter = inBatch(name)
  const page = { limit: 1, offset: 0, order: 'newest' } as const
  const [newest] = (await store.findTasks(scope, filter, page)).rows
  if (newest === undefined) return { state: 'empty', newest_at: 0 }
  const open = await store.findTasks(scope, { ...filter, statuses: OPEN }, page)
  const isOpen = open.rows.length > 0 || newest.created_at > now - LOOK_MS
  return { state: isOpen ? 'open' : 'settled', newest_at: newest.created_at }
}

/** Makes the callback of a batch that is complete, unless it is there: then this was interrupted before. */
async function tell({ store, verbs, directory }: Deps, scope: Scope, record: StoredRecord): Promise<void> {
  const { callback, callback_task_id: id } = readBatch(record)
  if (callback === null || (await store.findTask(scope, id)) !== undefined) return
  const project = await directory.project(scope.project_id)
  if (project === undefined) throw new Error(`Batch ${record.key} belongs to no project`)
  const draft = await draftTask(
    { ...judged, store },
    { scope, project },
    {
      id,
      external_id: scaleId(id),
      type: BATCH_TYPE,
      params: print({ batch: record.key }),
      metadata: '{}',
      unique_id: null,
      callback_url: callback,
      expires_in_s: null,
    },
  )
  const response = print(presentBatch(record))
  await verbs.createApplied({ ...draft, idempotency: null }, 'complete', { response })
}
