// Deliveries: reading them, sending an event again, and giving one up.
import { AppError } from '../../domain/errors.ts'
import { isUnsettled, leaseMs, type Delivery } from '../../domain/delivery.ts'
import { print } from '../../domain/json.ts'
import type { Static } from 'typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Scope } from '../../domain/project.ts'
import type { DeliveryFilter, NewDelivery, Store } from '../../store/store.ts'
import { callerOf, type Caller } from '../auth.ts'
import type { Deps } from '../deps.ts'
import { destinationFilter } from '../destination-filter.ts'
import { firstAnswer, guarded, guardOf } from '../idempotency.ts'
import { missing } from '../missing.ts'
import { pageOf, printPage } from '../pages.ts'
import { presentDelivery, presentDeliveryDetail } from '../present.ts'
import { json, route } from '../route.ts'
import { DeliveryQuery } from '../schemas/delivery.ts'
import { timeOf } from '../time.ts'
import { taskOf } from './tasks.ts'

const tag = 'Deliveries'

// How often a re-send looks again when the event's delivery changed under it.
const ROUNDS_MAX = 20

/** What is sent again: an event, and where it goes. */
type Again = Pick<NewDelivery, 'task_id' | 'event_id' | 'event_type' | 'sequence' | 'destination_id' | 'url'>

async function deliveryOf(store: Store, caller: Caller, id: string) {
  const found = await store.findDelivery(caller.scope, id)
  if (found === undefined) throw missing('delivery', id, caller, store.now())
  return found
}

/** Makes the routes under /v1/deliveries, and the re-send of a task. */
export function deliveryRoutes(deps: Deps) {
  const { store, dialects } = deps
  return {
    list: route({
      id: 'listDeliveries',
      summary: 'List deliveries, newest first',
      tag,
      query: DeliveryQuery,
      answers: { 200: 'DeliveryPage' },
      async handler(request, reply) {
        const { scope } = callerOf(request)
        const page = await store.listDeliveries(scope, filterOf(scope, request.query), pageOf(request.query))
        return json(reply, 200, printPage(page, presentDelivery))
      },
    }),
    get: route({
      id: 'getDelivery',
      summary: 'Get a delivery with its attempts and the plan of those to come',
      tag,
      answers: { 200: 'DeliveryDetail' },
      async handler(request, reply) {
        const caller = callerOf(request)
        const { project } = caller
        const found = await deliveryOf(store, caller, request.params.id)
        const policy = dialects.get(project.dialect).policy(project)
        return json(reply, 200, print(presentDeliveryDetail(found, policy, store.now())))
      },
    }),
    cancel: route({
      id: 'cancelDelivery',
      summary: 'Give a delivery up; while it is being sent, once that attempt has failed',
      tag,
      answers: { 200: 'Delivery' },
      async handler(request, reply) {
        const caller = callerOf(request)
        const { delivery } = await deliveryOf(store, caller, request.params.id)
        if (!isUnsettled(delivery.state)) {
          throw new AppError('invalid_transition', `delivery: it is ${delivery.state} already`, {
            current: delivery.state,
          })
        }
        await store.cancelDelivery(delivery)
        const after = await deliveryOf(store, caller, delivery.id)
        return json(reply, 200, print(presentDelivery(after.delivery)))
      },
    }),
    resend: route({
      id: 'resendDelivery',
      summary: "Send a delivery's event again, at once",
      tag,
      answers: { 202: 'Delivery' },
      idempotent: true,
      async handler(request, reply) {
        const { delivery } = await deliveryOf(store, callerOf(request), request.params.id)
        return resend(deps, request, reply, delivery)
      },
    }),
    resendTask: route({
      id: 'resendTask',
      summary: "Send a task's last event again, at once",
      tag,
      answers: { 202: 'Delivery' },
      idempotent: true,
      async handler(request, reply) {
        const task = await taskOf(store, callerOf(request), request.params.id)
        const event = await store.lastEvent(task.id)
        if (event === undefined) {
          throw new AppError('nothing_to_resend', 'No event of this task has happened yet')
        }
        const { callback_url, destination_id } = task
        if (callback_url === null || destination_id === null) {
          throw new AppError('nothing_to_resend', 'This task has no callback_url')
        }
        return resend(deps, request, reply, {
          task_id: task.id,
          event_id: event.id,
          event_type: event.type,
          sequence: event.sequence,
          destination_id,
          url: callback_url,
        })
      },
    }),
  }
}

async function resend(
  { store, dialects, newId }: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  again: Again,
): Promise<string> {
  const { scope, project } = callerOf(request)
  const guard = guardOf(request, scope)
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const first = await firstAnswer(store, guard, reply)
    if (first !== undefined) return first
    const unsettled = await store.unsettledDelivery(again.task_id, again.sequence)
    const delivery = toDelivery(again, scope, newId(), store.now())
    // The answer is kept with the key before the store has decided on the state, so it tells the first one.
    const answer = print(
      presentDelivery(unsettled === undefined ? fresh(delivery) : forward(unsettled, store.now())),
    )
    const result = await store.resend({
      delivery: { ...delivery, lease_ms: leaseMs(dialects.get(project.dialect).policy(project).timeout_ms) },
      unsettled_id: unsettled?.id ?? null,
      idempotency: guarded(guard, 202, answer),
    })
    if (result === 'done') return json(reply, 202, answer)
    if (result === 'pruned')
      throw new AppError('pruned', "This event's body was deleted after its retention time")
  }
  throw new AppError('conflict', 'The deliveries of this event keep changing; try again')
}

const toDelivery = (again: Again, scope: Scope, id: string, created_at: number) => ({
  id,
  project_id: scope.project_id,
  mode: scope.mode,
  task_id: again.task_id,
  event_id: again.event_id,
  event_type: again.event_type,
  sequence: again.sequence,
  destination_id: again.destination_id,
  url: again.url,
  resend: 1 as const,
  ordered: 0 as const,
  created_at,
})

const fresh = (delivery: ReturnType<typeof toDelivery>) => ({
  ...delivery,
  state: 'pending' as const,
  reason: null,
  attempt_count: 0,
  due_at: delivery.created_at,
  settled_at: null,
  give_up_at: null,
})

const forward = (delivery: Delivery, now: number): Delivery =>
  delivery.state === 'pending' ? { ...delivery, due_at: Math.min(delivery.due_at ?? now, now) } : delivery

function filterOf(scope: Scope, query: Static<typeof DeliveryQuery>): DeliveryFilter {
  const { limit: _limit, cursor: _cursor, destination, created_after, ...filter } = query
  return {
    ...filter,
    ...(destination === undefined ? {} : { destination: destinationFilter(scope, destination) }),
    ...(created_after === undefined ? {} : { created_after: timeOf('created_after', created_after) }),
  }
}
