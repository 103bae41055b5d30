// The routes of Scale's batches (contract §2.5). A batch is in progress from its creation on; `finalize` changes nothing.
import { AppError } from '../../domain/errors.ts'
import { joinMembers, type Printable } from '../../domain/json.ts'
import type { StoredRecord } from '../../domain/record.ts'
import { judgeCallbackUrl } from '../callback-url.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { answering, type Request } from './answer.ts'
import { batchOf, countsOf, presentBatch, presentCounts, readBatch, type Batch } from './batch.ts'
import { bodyOf, booleanField, objectField, requiredName, urlField, wholeField } from './fields.ts'
import { projectOf } from './project.ts'
import { lastOf, pageOf, rangeOf, type Query } from './query.ts'
import { changeRecord, newRecord, recordsOf } from './record.ts'

const PRIORITY = { low: -1_000_000, high: 1_000_000 }

/** Makes the routes under /v1/batches. */
export function batchRoutes(deps: FrontDeps) {
  const { store, newId } = deps

  /** Changes the batch that a request names. */
  async function change(request: Request, to: (batch: Batch) => Batch): Promise<Printable> {
    const named = { ...callerOf(request).scope, kind: 'batch', key: request.params.name } as const
    const record = await changeRecord(store, named, (record) => ({
      body: JSON.stringify(to(readBatch(record))),
    }))
    return presentBatch(record)
  }

  return {
    create: answering(async (request) => {
      const { scope } = callerOf(request)
      const body = bodyOf(request)
      const name = requiredName(body, 'name')
      const project = requiredName(body, 'project')
      const callback = urlField(body, 'callback')
      if (callback !== null) await judgeCallbackUrl(deps, callback, 'callback')
      const batch: Batch = {
        project,
        callback,
        calibration_batch: booleanField(body.values, 'calibration_batch') ?? false,
        self_label_batch: booleanField(body.values, 'self_label_batch') ?? false,
        metadata: objectField(body, 'metadata'),
        priority: null,
        status: 'in_progress',
        completed_at: null,
        callback_task_id: newId(),
        resting: true,
      }
      await projectOf(store, scope, project)
      const record = newRecord(scope, 'batch', name, { body: JSON.stringify(batch), now: store.now() })
      if ((await store.insertRecord(record)).kind === 'created') return presentBatch(record)
      throw new AppError('conflict', `name: there is a batch ${name} already; take another name`)
    }),
    list: answering(async (request) => {
      const { scope } = callerOf(request)
      const query = request.query as Query
      const { limit, offset } = pageOf(query)
      const project = lastOf(query, 'project')
      const status = lastOf(query, 'status')
      const wanted = (batch: Batch) =>
        (project === undefined || batch.project === project) &&
        (status === undefined || batch.status === status)
      const page: StoredRecord[] = []
      let total = 0
      const { from: created_from, to: created_to } = rangeOf(query, 'start_time', 'end_time')
      for await (const record of recordsOf(store, scope, 'batch', { created_from, created_to })) {
        if (!wanted(readBatch(record))) continue
        if (total >= offset && page.length < limit) page.push(record)
        total++
      }
      const detailed = booleanField(query, 'detailed') === true
      const docs = await Promise.all(
        page.map(async (record): Promise<Printable> =>
          detailed
            ? { ...presentBatch(record), ...presentCounts(await countsOf(store, record)) }
            : presentBatch(record),
        ),
      )
      return { docs, totalDocs: total, total, limit, offset, has_more: offset + page.length < total }
    }),
    get: answering(async (request) => {
      const { record } = await batchOf(store, callerOf(request).scope, request.params.name)
      return presentBatch(record)
    }),
    status: answering(async (request) => {
      const { record, batch } = await batchOf(store, callerOf(request).scope, request.params.name)
      return { status: batch.status, ...presentCounts(await countsOf(store, record)) }
    }),
    setMetadata: answering(async (request) => {
      const metadata = joinMembers(bodyOf(request).texts)
      return change(request, (batch) => ({ ...batch, metadata }))
    }),
    prioritize: answering(async (request) => {
      const { values } = bodyOf(request)
      const priority = wholeField(values, 'priority', PRIORITY)
      if (priority === undefined) throw new AppError('invalid_request', 'priority: required, but missing')
      return change(request, (batch) => ({ ...batch, priority }))
    }),
  }
}
