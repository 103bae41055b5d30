// The routes of AsyncQueue's customers, all on one screen (contract §1, §5, §6). Errors are `{"error"}` and nothing else. The inbound
// URL stands beside the native one (http/routes/inbound.ts).
import type { FastifyInstance } from 'fastify'
import { problems, type AppError } from '../../domain/errors.ts'
import { print } from '../../domain/json.ts'
import type { Front, FrontDeps, Refusal } from '../front.ts'
import { answer } from './answer.ts'
import { createAuth } from './auth.ts'
import { createRoute } from './create.ts'
import { keyRoutes } from './keys.ts'
import { presentProviders } from './poll-config.ts'
import { createAddressLimit, signalRoutes } from './signals.ts'
import { taskRoutes } from './tasks.ts'
import { createTeamLimit } from './team-rate.ts'
import { tokenRoutes } from './tokens.ts'

// A call's body of 1 MiB is a text in the body of the request, where most of its characters may be escaped.
const CREATE_BYTES = 3 * 1024 * 1024

/** AsyncQueue's front. */
export const asyncqueueFront: Front = { mount: '/asyncqueue', refuse, register }

function refuse({ code, message }: AppError): Refusal {
  const { status } = problems[code]
  if (code === 'invalid_json') return { status, body: print({ error: 'Invalid JSON body' }) }
  if (code === 'body_too_large') return { status, body: print({ error: 'The body is too large' }) }
  // What is wrong with a URL is 400 here, whatever it is.
  return { status: status === 422 ? 400 : status, body: print({ error: message }) }
}

function register(app: FastifyInstance, deps: FrontDeps): void {
  app.addHook('onRequest', async ({ raw }) => {
    // Whatever a client says that it sends, it is JSON.
    raw.headers['content-type'] = 'application/json'
  })
  app.get('/v1/providers', async (_request, reply) => answer(reply, 200, presentProviders()))

  app.register(async (scope) => {
    const { check, signal } = signalRoutes(deps)
    scope.addHook('onRequest', createAddressLimit(deps))
    scope.post('/v1/signals/:token', { onRequest: check }, signal)
  })

  const limit = createTeamLimit(deps.config.team_rate, () => deps.store.now())
  app.register(async (scope) => {
    scope.addHook('onRequest', createAuth(deps, 'customer'))
    scope.addHook('onRequest', limit)

    const bodyLimit = Math.max(CREATE_BYTES, deps.config.body_limit)
    scope.post('/v1/tasks', { bodyLimit }, createRoute(deps))
    const tasks = taskRoutes(deps)
    scope.get('/v1/tasks', tasks.list)
    scope.get('/v1/tasks/:id', tasks.get)
    scope.post('/v1/tasks/:id/cancel', tasks.cancel)

    const tokens = tokenRoutes(deps)
    scope.post('/v1/tokens', tokens.create)
    scope.get('/v1/tokens', tokens.list)
    scope.delete('/v1/tokens/:id', tokens.revoke)
  })

  app.register(async (scope) => {
    // Not counted with the customers' requests: who holds a leaked key must not keep it from being revoked.
    scope.addHook('onRequest', createAuth(deps, 'operator'))

    const keys = keyRoutes(deps)
    scope.post('/teams/:teamId/apikeys', keys.create)
    scope.post('/apikeys/:keyId/revoke', keys.revoke)
  })
}
