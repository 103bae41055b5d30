// Applying a kept inbound request by hand: for one that came too early, too late, or lost a race it should have won.
import { AppError } from '../../domain/errors.ts'
import { compact, print } from '../../domain/json.ts'
import { isJson } from '../../domain/json-check.ts'
import { presentTask } from '../../dialects/native/present.ts'
import { callerOf } from '../../dialects/caller.ts'
import type { Deps } from '../deps.ts'
import { missing } from '../missing.ts'
import { routeAudit } from '../rights.ts'
import { json, route } from '../route.ts'

/** Makes the routes under /v1/arrivals. */
export function arrivalRoutes(deps: Deps) {
  const { store, verbs } = deps
  return {
    apply: route({
      id: 'applyArrival',
      summary: 'Complete a task with the body of a kept inbound request',
      tag: 'Arrivals',
      answers: { 200: 'Task' },
      async handler(request, reply) {
        const { id } = request.params
        const caller = callerOf(request)
        const found = await store.findArrival(caller.scope, id)
        if (found === undefined) throw missing('arrival', id, caller, store.now())
        const response = responseOf(found.arrival.body)
        const audit = routeAudit(request, deps, { object: id, detail: { task_id: found.task.id } })
        const task = await verbs.apply(found.task, 'complete', { response }, { audit })
        return json(reply, 200, print(presentTask(task)))
      },
    }),
  }
}

function responseOf(body: string | null): string {
  if (body === null)
    throw new AppError('conflict', 'The body of this arrival was not kept, so it cannot be applied')
  if (!isJson(body))
    throw new AppError('conflict', 'The body of this arrival is not JSON, so it cannot become a response')
  return compact(body)
}
