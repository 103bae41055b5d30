// Puts the fronts of the dialects beside the API: each in a scope of its own, so that its customers meet nothing but their
// platform's words, whatever goes wrong.
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Front } from '../dialects/front.ts'
import type { AppError } from '../domain/errors.ts'
import type { Deps } from './deps.ts'
import type { NotServed } from './edge.ts'
import { createErrorHandler, setProblemHead } from './errors.ts'

type ErrorHandler = ReturnType<typeof createErrorHandler>

/** Registers all fronts. Returns the error handler of the front that a path belongs to, if any. */
export function registerFronts(
  app: FastifyInstance,
  deps: Deps,
  notServed: NotServed,
): (url: string) => ErrorHandler | undefined {
  const handlers = new Map<string, ErrorHandler>()
  for (const { front } of deps.dialects.all) {
    if (front === null) continue
    const onError = createErrorHandler({
      log: deps.log,
      bodyLimit: deps.config.body_limit,
      say: sayAs(front),
    })
    handlers.set(front.mount, onError)
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
  return (url) => {
    const [mount] = /^\/[^/?]*/.exec(url) ?? []
    return handlers.get(mount ?? '')
  }
}

const sayAs = (front: Front) => (error: AppError, reply: FastifyReply) => {
  const { status, body } = front.refuse(error)
  setProblemHead(reply, error).code(status).type('application/json; charset=utf-8').send(body)
}
