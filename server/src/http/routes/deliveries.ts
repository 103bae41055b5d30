// Deliveries: reading them, sending an event again, and giving one up.
import { AppError } from '../../domain/errors.ts'
import { isUnsettled } from '../../domain/delivery.ts'
import { print } from '../../domain/json.ts'
import type { Static } from 'typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Scope } from '../../domain/project.ts'
import type { DeliveryFilter, Store } from '../../store/store.ts'
import { callerOf, type Caller } from '../../dialects/caller.ts'
import { lastEventOf, resend, type Again } from '../../dialects/resend.ts'
import type { Deps } from '../deps.ts'
import { destinationFilter } from '../destination-filter.ts'
import { guarded, guardOf, once } from '../idempotency.ts'
import { missing } from '../missing.ts'
import { pageOf, printPage } from '../pages.ts'
import { presentDelivery, presentDeliveryDetail } from '../present.ts'
import { routeAudit } from '../rights.ts'
import { json, route } from '../route.ts'
import { DeliveryQuery } from '../schemas/delivery.ts'
import { timeOf } from '../time.ts'
import { taskOf } from './tasks.ts'

const tag = 'Deliveries'

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
        const { id: object, task_id, event_type: event } = delivery
        await store.cancelDelivery(
          delivery,
          routeAudit(request, deps, { object, detail: { task_id, event } }),
        )
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
        return sendAgain(deps, request, reply, delivery)
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
        return sendAgain(deps, request, reply, await lastEventOf(store, task))
      },
    }),
  }
}

async function sendAgain(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  again: Again,
): Promise<string> {
  const caller = callerOf(request)
  const guard = guardOf(request, caller.scope)
  return once(deps.store, guard, reply, async () => {
    const resent = await resend(deps, caller, again, (shown) => ({
      idempotency: guarded(guard, 202, print(presentDelivery(shown))),
      audit: routeAudit(request, deps, {
        object: shown.id,
        detail: { task_id: shown.task_id, event: shown.event_type },
      }),
    }))
    return resent && json(reply, 202, print(presentDelivery(resent)))
  })
}

function filterOf(scope: Scope, query: Static<typeof DeliveryQuery>): DeliveryFilter {
  const { limit: _limit, cursor: _cursor, destination, created_after, ...filter } = query
  return {
    ...filter,
    ...(destination === undefined ? {} : { destination: destinationFilter(scope, destination) }),
    ...(created_after === undefined ? {} : { created_after: timeOf('created_after', created_after) }),
  }
}
