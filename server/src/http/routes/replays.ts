// Replays: sending again, as a job, whatever matches a filter.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { AppError } from '../../domain/errors.ts'
import { print } from '../../domain/json.ts'
import type { Scope } from '../../domain/project.ts'
import { newReplay, type ReplayFilter } from '../../domain/replay.ts'
import { callerOf } from '../../dialects/caller.ts'
import type { Deps } from '../deps.ts'
import { destinationFilter } from '../destination-filter.ts'
import { guarded, guardOf, once, type Guard } from '../idempotency.ts'
import { missing } from '../missing.ts'
import { presentReplay } from '../present.ts'
import { routeAudit } from '../rights.ts'
import { json, route } from '../route.ts'
import { ReplayDeliveries } from '../schemas/replay.ts'
import { timeOf } from '../time.ts'

const tag = 'Deliveries'

type ReplayRequest = FastifyRequest<{ Body: Static<typeof ReplayDeliveries> }>

/** Makes the routes of replays. */
export function replayRoutes(deps: Deps) {
  const { store } = deps
  return {
    create: route({
      id: 'replayDeliveries',
      summary:
        "Send again every event whose latest delivery matches, each task's in order; 200 for a dry run",
      tag,
      body: ReplayDeliveries,
      answers: { 200: 'ReplayStarted', 202: 'ReplayStarted' },
      idempotent: true,
      handler(request, reply) {
        const guard = guardOf(request, callerOf(request).scope)
        return once(store, guard, reply, () => create(deps, request, reply, guard))
      },
    }),
    get: route({
      id: 'getReplay',
      summary: 'Get a replay with its progress',
      tag,
      answers: { 200: 'Replay' },
      async handler(request, reply) {
        const caller = callerOf(request)
        const { id } = request.params
        const found = await store.findReplay(caller.scope, id)
        if (found === undefined) throw missing('replay', id, caller, store.now())
        return json(reply, 200, print(presentReplay(found)))
      },
    }),
  }
}

async function create(
  deps: Deps,
  request: ReplayRequest,
  reply: FastifyReply,
  guard: Guard | null,
): Promise<string | undefined> {
  const { store, newId } = deps
  const { body } = request
  const filter = filterOf(callerOf(request).scope, body, store.now())
  const count = await store.countReplay(filter)
  if (body.dry_run === true) return json(reply, 200, print({ id: null, state: 'dry_run', count }))
  const replay = newReplay(newId(), filter, count)
  const answer = print({ id: replay.id, state: replay.state, count })
  const { filter: detail } = presentReplay(replay)
  const result = await store.createReplay({
    replay,
    idempotency: guarded(guard, 202, answer),
    audit: routeAudit(request, deps, { object: replay.id, detail: { filter: detail, count } }),
  })
  return result === 'created' ? json(reply, 202, answer) : undefined
}

function filterOf(
  scope: Scope,
  { state = 'failed', destination, from, to }: ReplayRequest['body'],
  now: number,
): ReplayFilter {
  const from_at = from === undefined ? null : timeOf('from', from)
  const to_at = to === undefined ? now : timeOf('to', to)
  if (from_at !== null && to !== undefined && from_at > to_at) {
    throw new AppError('invalid_request', 'from: is later than to; give the earlier time as from')
  }
  return {
    ...scope,
    delivery_state: state,
    destination_id: destination === undefined ? null : destinationFilter(scope, destination),
    from_at,
    // So that what the job makes never matches it.
    to_at: Math.min(to_at, now),
    created_at: now,
  }
}
