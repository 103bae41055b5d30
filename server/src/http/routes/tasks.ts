// Creating, reading and listing tasks, and the stories of single ones.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { draftTask } from '../../dialects/create-task.ts'
import { presentTask } from '../../dialects/native/present.ts'
import { AppError } from '../../domain/errors.ts'
import { members, print } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import type { Store, TaskFilter } from '../../store/store.ts'
import { callerOf, type Caller } from '../../dialects/caller.ts'
import { createCallbackId } from '../callback-id.ts'
import type { Deps } from '../deps.ts'
import { guarded, guardOf, once, type Guard } from '../idempotency.ts'
import { missing } from '../missing.ts'
import { pageOf, printPage } from '../pages.ts'
import { presentArrival, presentDelivery, presentEvent } from '../present.ts'
import { json, route } from '../route.ts'
import { CreateTask, GetTaskQuery, PageQuery, TaskQuery } from '../schemas/task.ts'
import { timeOf } from '../time.ts'

const tag = 'Tasks'

/** Finds a task of the caller by its id or external id; throws `not_found` or `pruned`. */
export async function taskOf(
  store: Pick<Store, 'findTask' | 'now'>,
  caller: Caller,
  id: string,
): Promise<Task> {
  const task = await store.findTask(caller.scope, id)
  if (task === undefined) throw missing('task', id, caller, store.now())
  return task
}

/** Makes the routes under /v1/tasks that change nothing but by creating. */
export function taskRoutes(deps: Deps) {
  const { store } = deps
  return {
    create: route({
      id: 'createTask',
      summary: 'Create a task and get its one-time inbound URL',
      tag,
      body: CreateTask,
      answers: { 201: 'TaskCreated' },
      idempotent: true,
      handler(request, reply) {
        const guard = guardOf(request, callerOf(request).scope)
        return once(store, guard, reply, () => create(deps, request, reply, guard))
      },
    }),
    get: route({
      id: 'getTask',
      summary: 'Get a task, with ?wait= once it is settled',
      tag,
      query: GetTaskQuery,
      answers: { 200: 'Task' },
      async handler(request, reply) {
        const task = await taskOf(store, callerOf(request), request.params.id)
        const wait_ms = (request.query.wait ?? 0) * 1000
        const shown = await deps.untilMoved(task, { wait_ms, reply })
        return json(reply, 200, print(presentTask(shown)))
      },
    }),
    list: route({
      id: 'listTasks',
      summary: 'List tasks, newest first',
      tag,
      query: TaskQuery,
      answers: { 200: 'TaskPage' },
      async handler(request, reply) {
        const { scope } = callerOf(request)
        const page = await store.listTasks(scope, filterOf(request.query), pageOf(request.query))
        return json(reply, 200, printPage(page, presentTask))
      },
    }),
    events: route({
      id: 'listTaskEvents',
      summary: 'List what happened to a task, in order',
      tag,
      query: PageQuery,
      answers: { 200: 'EventPage' },
      async handler(request, reply) {
        const task = await taskOf(store, callerOf(request), request.params.id)
        const page = await store.listEvents(task.id, pageOf(request.query))
        return json(
          reply,
          200,
          printPage(page, presentEvent, ({ sequence }) => String(sequence)),
        )
      },
    }),
    deliveries: route({
      id: 'listTaskDeliveries',
      summary: 'List the deliveries of a task, newest first',
      tag,
      query: PageQuery,
      answers: { 200: 'DeliveryPage' },
      async handler(request, reply) {
        const caller = callerOf(request)
        const task = await taskOf(store, caller, request.params.id)
        const page = await store.listDeliveries(caller.scope, { task_id: task.id }, pageOf(request.query))
        return json(reply, 200, printPage(page, presentDelivery))
      },
    }),
    arrivals: route({
      id: 'listTaskArrivals',
      summary: 'List the requests that reached the inbound URLs of a task',
      tag,
      query: PageQuery,
      answers: { 200: 'ArrivalPage' },
      async handler(request, reply) {
        const task = await taskOf(store, callerOf(request), request.params.id)
        const page = await store.listArrivals(task.id, pageOf(request.query))
        return json(reply, 200, printPage(page, presentArrival))
      },
    }),
  }
}

async function create(
  deps: Deps,
  request: FastifyRequest<{ Body: Static<typeof CreateTask> }>,
  reply: FastifyReply,
  guard: Guard | null,
): Promise<string | undefined> {
  const { newId, config } = deps
  const caller = callerOf(request)
  const { front } = deps.dialects.get(caller.project.dialect)
  if (front !== null) {
    throw new AppError(
      'invalid_request',
      `Tasks of this project are created by its customers, under ${front.mount}`,
    )
  }
  const { body } = request
  const texts = members(request.text)
  const callbackId = createCallbackId(deps, config)
  const draft = await draftTask(deps, caller, {
    id: newId(),
    type: body.type ?? 'task',
    status: 'waiting',
    params: texts.get('params') ?? '{}',
    metadata: texts.get('metadata') ?? '{}',
    unique_id: body.unique_id ?? null,
    callback_url: body.callback_url ?? null,
    callback_hash: callbackId.hash,
    expires_in_s: body.expires_in_s,
  })
  const answer = print({ ...presentTask(draft.task), ...callbackId.shown })
  const result = await deps.store.createTask({ ...draft, idempotency: guarded(guard, 201, answer) })
  switch (result.kind) {
    case 'created':
      return json(reply, 201, answer)
    case 'unique_id_taken':
      throw new AppError(
        'unique_id_taken',
        'unique_id: another task has it; take another, or use that task',
        {
          task_id: result.task_id,
        },
      )
    case 'idempotency_key_taken':
      return undefined
  }
}

function filterOf(query: Static<typeof TaskQuery>): TaskFilter {
  const { limit: _limit, cursor: _cursor, created_after, created_before, ...filter } = query
  return {
    ...filter,
    ...(created_after === undefined ? {} : { created_from: timeOf('created_after', created_after) }),
    ...(created_before === undefined ? {} : { created_to: timeOf('created_before', created_before) }),
  }
}
