// The routes of batches.
import { AppError } from '../../domain/errors.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { findBatch, unfinishedBatches } from './batch.ts'
import { numberOf, type Query } from './filter.ts'
import { answer, appOf, paramsOf, type Handler } from './request.ts'

const PAGE_MAX = 1000

/** Makes the routes of batches. */
export function batchRoutes({ store }: Pick<FrontDeps, 'store'>) {
  return {
    /** Only those that jobs are still made of (contract §1.2). */
    list: async (request, reply) => {
      const app = appOf(request)
      const { scope } = callerOf(request)
      const query = request.query as Query
      const pageNumber = numberOf(query, 'page', { min: 0, max: 1_000_000, other: 0 })
      const pageSize = numberOf(query, 'size', { min: 1, max: PAGE_MAX, other: 10 })
      const batches = await unfinishedBatches(store, scope, app)
      const shown = batches.slice(pageNumber * pageSize, (pageNumber + 1) * pageSize)
      const pages = Math.ceil(batches.length / pageSize)
      return answer(reply, { batches: shown, total: batches.length, pageSize, pageNumber, pages })
    },

    get: async (request, reply) => {
      const { batch } = paramsOf(request)
      const named = { app: appOf(request), batch_id: batch.toLowerCase() }
      const found = await findBatch(store, callerOf(request).scope, named)
      if (found === undefined) throw new AppError('not_found', `There is no batch ${batch} of this app`)
      return answer(reply, found)
    },
  } satisfies Record<string, Handler>
}
