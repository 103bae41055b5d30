// Reading and listing tasks, and the stories of single ones; creating one is in create-task.ts.
import type { Static } from 'typebox'
import { presentTask } from '../../dialects/native/present.ts'
import { print } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import type { Store, TaskFilter } from '../../store/store.ts'
import { callerOf, type Caller } from '../../dialects/caller.ts'
import type { Deps } from '../deps.ts'
import { guardOf, once } from '../idempotency.ts'
import { missing } from '../missing.ts'
import { numberedPageOf, pageOf, printPage } from '../pages.ts'
import { presentArrival, presentCallAttempt, presentDelivery, presentEvent } from '../present.ts'
import { json, route } from '../route.ts'
import { CreateTask, GetTaskQuery, PageQuery, TaskQuery } from '../schemas/task.ts'
import { timeOf } from '../time.ts'
import { createTask } from './create-task.ts'

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
        return once(store, guard, reply, () => createTask(deps, request, reply, guard))
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
      summary: 'List tasks, newest first; a page ends sooner where they come to 1 MiB',
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
        const page = await store.listEvents(task.id, numberedPageOf(request.query))
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
    attempts: route({
      id: 'listTaskAttempts',
      summary: 'List the requests that were made for a task, in order; of its polls the last hundred',
      tag,
      query: PageQuery,
      answers: { 200: 'CallAttemptPage' },
      async handler(request, reply) {
        const task = await taskOf(store, callerOf(request), request.params.id)
        const { rows, has_more } = await store.listCallAttempts(task.id, numberedPageOf(request.query))
        const numbered = rows.map((attempt) => ({ ...attempt, id: String(attempt.number) }))
        return json(reply, 200, printPage({ rows: numbered, has_more }, presentCallAttempt))
      },
    }),
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
