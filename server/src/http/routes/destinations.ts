// Destinations: how they fare, and holding back what goes to one of them.
import type { FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { print } from '../../domain/json.ts'
import { callerOf } from '../../dialects/caller.ts'
import type { Deps } from '../deps.ts'
import { pageOf, printPage } from '../pages.ts'
import { presentDestination } from '../present.ts'
import { routeAudit } from '../rights.ts'
import { json, route } from '../route.ts'
import { PageQuery } from '../schemas/task.ts'

const tag = 'Destinations'

/** Makes the routes under /v1/destinations. */
export function destinationRoutes(deps: Deps) {
  const { store, log } = deps
  async function destinationOf(request: FastifyRequest, id: string) {
    const { scope } = callerOf(request)
    const found = await store.findDestination(scope, id)
    if (found === undefined) throw new AppError('not_found', `There is no destination ${id} for this key`)
    return found
  }

  return {
    list: route({
      id: 'listDestinations',
      summary: 'List destinations with how they fare',
      tag,
      query: PageQuery,
      answers: { 200: 'DestinationPage' },
      async handler(request, reply) {
        const { scope } = callerOf(request)
        const page = await store.listDestinations(scope, pageOf(request.query))
        return json(reply, 200, printPage(page, presentDestination))
      },
    }),
    pause: route({
      id: 'pauseDestination',
      summary: 'Send nothing there until it is resumed; attempts under way end',
      tag,
      answers: { 200: 'Destination' },
      async handler(request, reply) {
        const { id, key } = await destinationOf(request, request.params.id)
        await store.pauseDestination(
          id,
          routeAudit(request, deps, { object: id, detail: { destination: key } }),
        )
        log.info({ destination_id: id, destination: key, reason: 'operator' }, 'destination.paused')
        return json(reply, 200, print(presentDestination(await destinationOf(request, id))))
      },
    }),
    resume: route({
      id: 'resumeDestination',
      summary: 'Send what has waited there',
      tag,
      answers: { 200: 'Destination' },
      async handler(request, reply) {
        const { id, key } = await destinationOf(request, request.params.id)
        const audit = routeAudit(request, deps, { object: id, detail: { destination: key } })
        if (await store.resumeDestination(id, audit)) {
          log.info({ destination_id: id, destination: key }, 'destination.resumed')
        }
        return json(reply, 200, print(presentDestination(await destinationOf(request, id))))
      },
    }),
  }
}
