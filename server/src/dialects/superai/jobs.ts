// The routes of jobs: making, listing, reading, and the four things that can be done with one. The table of states that binds
// them is narrower than ours only where our own refuses already, so a refusal just says it in the words of a job.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { verbatim } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import type { Verbs } from '../apply.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { chunksOf, listAnswer, membersBehind } from '../task-list.ts'
import { INGEST, writeBatch } from './batch.ts'
import { filterOf, numberOf, wordOf, type Query } from './filter.ts'
import { CHUNK, ingest, type IngestDeps } from './ingest.ts'
import { presentJob, stateOf } from './job.ts'
import { printNewBatch, readNewBatch } from './new-batch.ts'
import { answer, appOf, bodyOf, jobOf, JSON_TYPE, type Handler } from './request.ts'
import { review, reviewOf } from './review.ts'

// Clients ask for pages of 500.
const PAGE_MAX = 1000
const PAGE_NUMBER_MAX = 10_000_000
const TOTAL_MAX = 10_000
// As long as a request may take to make its jobs, before others take it that its process has ended.
const INGEST_LEASE_MS = 60_000

/** Makes the routes of jobs. */
export function jobRoutes(deps: FrontDeps & IngestDeps) {
  const { store, verbs } = deps
  const told = async (request: FastifyRequest, reply: FastifyReply, act: (task: Task) => Promise<Task>) =>
    answer(reply, presentJob(await act(await jobOf(store, request))))

  return {
    create: (request, reply) => create(deps, request, reply),

    list: async (request, reply) => {
      const query = request.query as Query
      const filter = filterOf(appOf(request), query)
      const pageNumber = numberOf(query, 'page', { min: 0, max: PAGE_NUMBER_MAX, other: 0 })
      const pageSize = numberOf(query, 'size', { min: 1, max: PAGE_MAX, other: 10 })
      wordOf(query, 'sortBy', ['id', 'created'])
      const order = wordOf(query, 'orderBy', ['asc', 'desc']) === 'asc' ? 'oldest' : 'newest'
      const { scope } = callerOf(request)
      const offset = pageNumber * pageSize
      const counted = await store.countTasks(scope, filter, TOTAL_MAX)
      reply.type(JSON_TYPE)
      return listAnswer(chunksOf(store, scope, { filter, range: { order, limit: pageSize, offset } }), {
        before: '{"jobs":[',
        present: presentJob,
        behind({ count, has_more }) {
          // Counted no further than a floor; who goes on by `pages` still comes to the end.
          const total = Math.max(counted, count === 0 ? 0 : offset + count + (has_more ? 1 : 0))
          return membersBehind({ total, pageSize, pageNumber, pages: Math.ceil(total / pageSize) })
        },
      })
    },

    get: (request, reply) => told(request, reply, async (task) => task),

    response: async (request, reply) => {
      const task = await jobOf(store, request)
      if (task.status !== 'completed') {
        throw new AppError(
          'invalid_transition',
          `The job is ${stateOf(task)}; it has an output once COMPLETED`,
        )
      }
      return answer(reply, { response: verbatim(task.response) })
    },

    cancel: (request, reply) =>
      told(request, reply, (task) =>
        apply(verbs, task, 'cancel', 'PENDING, SCHEDULED, IN_PROGRESS or SUSPENDED'),
      ),

    restart: (request, reply) =>
      told(request, reply, (task) => apply(verbs, task, 'restart', 'FAILED, CANCELED or EXPIRED')),

    review: (request, reply) =>
      told(request, reply, (task) => review(verbs, task, reviewOf(bodyOf(request)))),
  } satisfies Record<string, Handler>
}

async function apply(verbs: Verbs, task: Task, verb: 'cancel' | 'restart', from: string): Promise<Task> {
  const applied = await verbs.tryApply(task, verb, {})
  if (applied.kind === 'done') return applied.task
  throw new AppError(
    'invalid_transition',
    `The job is ${stateOf(applied.task)}; ${verb} works on ${from} ones`,
  )
}

/** Takes a batch. A small one's jobs are there when it is answered; others are made afterwards, and told of by the batch. */
async function create(
  deps: FrontDeps & IngestDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string> {
  const { store } = deps
  const { scope, project } = callerOf(request)
  const app = appOf(request)
  const batch = await readNewBatch(deps, app, request)
  const { inputs } = batch
  const owner = { scope, project, batch_id: deps.newId() }
  const created_at = store.now()
  const isSmall = inputs !== null && inputs.length <= CHUNK
  await store.insertRecord({
    ...scope,
    kind: INGEST,
    key: owner.batch_id,
    body: printNewBatch(batch),
    created_at,
    updated_at: created_at,
    due_at: isSmall ? created_at + INGEST_LEASE_MS : created_at,
    expires_at: null,
    version: 1,
  })
  const accepted = { message: 'Jobs accepted', batch_id: owner.batch_id }
  if (!isSmall) return answer(reply, accepted)
  const forget = () => store.deleteRecord(scope, INGEST, owner.batch_id)
  try {
    const { first_uuid, ...ingested } = await ingest(deps, owner, { ...batch, inputs })
    await writeBatch(store, owner, { app, created_at, ...ingested })
    await forget()
    return answer(reply, inputs.length === 1 ? { ...accepted, uuid: first_uuid ?? undefined } : accepted)
  } catch (error) {
    // Its customer hears that it was not taken, and will ask again.
    await forget().catch(() => {})
    throw error
  }
}
