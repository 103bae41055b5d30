// Puts the fronts of the dialects beside the API: each in a scope of its own, so that its customers meet nothing but their
// platform's words, whatever goes wrong.
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Front } from '../dialects/front.ts'
import type { AppError } from '../domain/errors.ts'
import type { Deps } from './deps.ts'
import type { NotServed } from './edge.ts'
import { createErrorHandler, setProblemHead } from './errors.ts'

/** A front as the rest of the edge knows it. */
export type Registered = { refuse: Front['refuse']; onError: ReturnType<typeof createErrorHandler> }

/** Finds the front that a path belongs to, if any. */
export type FrontOf = (path: string) => Registered | undefined

/** Registers all fronts. Returns how to find them. */
export function registerFronts(app: FastifyInstance, deps: Deps, notServed: NotServed): FrontOf {
  const fronts = new Map<string, Registered>()
  for (const { front } of deps.dialects.all) {
    if (front === null) continue
    const onError = createErrorHandler({
      log: deps.log,
      bodyLimit: deps.config.body_limit,
      say: sayAs(front),
    })
    fronts.set(front.mount, { refuse: (error) => front.refuse(error), onError })
    app.register(
      async (scope) => {
        scope.setErrorHandler(onError)
        scope.setNotFoundHandler(notServed)
        scope.addHook('onRoute', (route) => {
          // The document is the native API's.
          route.schema = { ...route.schema, hide: true }
        })
        await front.register(scope, deps)
      },
      { prefix: front.mount },
    )
  }
  return (path) => {
    const [mount] = /^\/[^/?]*/.exec(path) ?? []
    return fronts.get(mount ?? '')
  }
}

const sayAs = (front: Front) => (error: AppError, reply: FastifyReply) => {
  const { status, body } = front.refuse(error)
  setProblemHead(reply, error).code(status).type('application/json; charset=utf-8').send(body)
}
