// The HTTP edge, with every route on one screen. Hooks run in this order: stop and unknown path, key, body, handler; so
// nothing of a body is read before its sender is known.
import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import { createAdminAuth, createKeyAuth } from './auth.ts'
import type { ApiOptions, Deps } from './deps.ts'
import { createDrain, type Drain } from './drain.ts'
import { registerDocument, serveDocument } from './document.ts'
import { registerFronts, type FrontOf } from './fronts.ts'
import { createHosts, type Hosts } from './hosts.ts'
import { createLimiter } from './inbound-rate.ts'
import { createGuesses } from './key-guesses.ts'
import { adminRoutes } from './routes/admin.ts'
import { arrivalRoutes } from './routes/arrivals.ts'
import { auditRoutes } from './routes/audits.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { destinationRoutes } from './routes/destinations.ts'
import { healthRoutes } from './routes/health.ts'
import { createInboundErrorHandler, inboundRoutes } from './routes/inbound.ts'
import { replayRoutes } from './routes/replays.ts'
import { projectRoutes } from './routes/project.ts'
import { secretRoutes } from './routes/secrets.ts'
import { taskRoutes } from './routes/tasks.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { verbRoutes } from './routes/verbs.ts'
import { createServer } from './server.ts'
import { watchOtherNodes } from './moved-elsewhere.ts'
import { declareRight } from './rights.ts'
import { createUntilMoved } from './until-moved.ts'
import { createWaiters } from './waiters.ts'

type At = { host: string; port: number }

export type Api = {
  /** Opens the port; resolves with where it listens. Port 0 takes a free one. */
  listen(at: At): Promise<AddressInfo>
  /** Opens the port of the admin routes, with `admin_apart`; resolves as `listen` does. */
  listenAdmin(at: At): Promise<AddressInfo>
  /** Refuses new requests with 503, answers waiting ones, lets the others finish, then closes. Idempotent. */
  drain(): Promise<void>
  /** Closes at once, connections and all. Idempotent. */
  close(): Promise<void>
}

/** Builds the API. `extend` adds routes of its owner's, such as the inbox of `ringback dev`. */
export async function createApi(options: ApiOptions, extend?: (app: FastifyInstance) => void): Promise<Api> {
  const drain = createDrain()
  const waiters = createWaiters()
  const stopListening = options.store.onTransition(waiters.notify)
  const stopWatching = options.store.shared ? watchOtherNodes({ ...options, waiters }) : () => {}
  const config = { ...options.config, public_url: options.config.public_url.replace(/\/+$/, '') }
  const hosts = createHosts(options)
  const untilMoved = createUntilMoved({ store: options.store, waiters })
  const limitInbound = createLimiter(config.inbound_rate)
  const guesses = createGuesses(config.wrong_key_rate, () => options.store.now())
  const { isStopping } = drain
  const deps: Deps = { ...options, config, untilMoved, limitInbound, guesses, hosts, isStopping }
  let frontOf: FrontOf = () => undefined
  const { app, notServed } = createServer(deps, { drain, frontOf: (url) => frontOf(url) })
  // Behind all hooks that refuse keys, those of dialects, too.
  app.addHook('preHandler', ({ caller }, _reply, done) => {
    if (caller !== null) options.keyUses.used(caller.key.id)
    done()
  })
  if (config.surface !== 'inbound') await registerDocument(app, config)

  const health = healthRoutes(deps)
  app.get('/healthz', health.healthz)
  app.get('/readyz', health.readyz)
  if (config.surface !== 'api') app.register(async (scope) => registerInbound(scope, deps))
  if (config.surface !== 'inbound') {
    app.register(async (scope) => registerApi(scope, deps))
    if (!config.admin_apart) registerInside(app, deps, health)
    frontOf = registerFronts(app, deps, notServed)
    await serveDocument(app)
  }
  extend?.(app)
  const apart = config.admin_apart ? createInside(deps, { drain, health }) : undefined
  const apps = apart === undefined ? [app] : [app, apart]
  await hosts.refresh()
  await Promise.all(apps.map((each) => each.ready()))

  const close = async () => {
    stopListening()
    stopWatching()
    waiters.stop()
    const closed = apps.map((each) => each.close())
    for (const { server } of apps) server.closeAllConnections()
    await Promise.all(closed)
  }
  return {
    listen: (at) => listenOn(app, at),
    async listenAdmin(at) {
      if (apart === undefined) throw new Error('The admin routes have no server of their own')
      return listenOn(apart, at)
    },
    async drain() {
      waiters.stop()
      await drain.stop()
      await close()
    },
    close,
  }
}

async function listenOn(app: FastifyInstance, at: At): Promise<AddressInfo> {
  await app.listen(at)
  return app.server.address() as AddressInfo
}

type Health = ReturnType<typeof healthRoutes>

/** The server of what is for the operator's own network, where that has one. */
function createInside(deps: Deps, { drain, health }: { drain: Drain; health: Health }): FastifyInstance {
  // No project's host name means anything here.
  const hosts: Hosts = { ...deps.hosts, rewrite: ({ url = '/' }) => url }
  const { app } = createServer({ ...deps, hosts }, { drain, frontOf: () => undefined })
  app.get('/healthz', health.healthz)
  app.get('/readyz', health.readyz)
  registerInside(app, deps, health)
  return app
}

function registerInside(app: FastifyInstance, deps: Deps, health: Health): void {
  app.get('/metrics', health.metrics)
  app.register(async (scope) => registerAdmin(scope, deps))
}

function registerInbound(app: FastifyInstance, deps: Deps): void {
  app.setErrorHandler(createInboundErrorHandler(deps))
  // The handler reads the body itself, after its checks. Without its header no content type can be the wrong one.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.addHook('onRequest', (request, _reply, done) => {
    delete request.raw.headers['content-type']
    done()
  })
  const { resolve } = inboundRoutes(deps)
  app.post('/v1/callbacks/:id', resolve)
  app.post('/asyncqueue/v1/callbacks/:id', { ...resolve, schema: { hide: true } })
}

function registerApi(app: FastifyInstance, deps: Deps): void {
  app.addHook('onRoute', declareRight)
  app.addHook('onRequest', createKeyAuth(deps))

  const tasks = taskRoutes(deps)
  app.post('/v1/tasks', tasks.create)
  app.get('/v1/tasks', tasks.list)
  app.get('/v1/tasks/:id', tasks.get)
  app.get('/v1/tasks/:id/events', tasks.events)
  app.get('/v1/tasks/:id/deliveries', tasks.deliveries)
  app.get('/v1/tasks/:id/arrivals', tasks.arrivals)
  app.get('/v1/tasks/:id/attempts', tasks.attempts)
  for (const [verb, route] of verbRoutes(deps)) app.post(`/v1/tasks/:id/${verb}`, route)

  const deliveries = deliveryRoutes(deps)
  app.post('/v1/tasks/:id/resend', deliveries.resendTask)
  app.get('/v1/deliveries', deliveries.list)
  app.get('/v1/deliveries/:id', deliveries.get)
  app.post('/v1/deliveries/:id/resend', deliveries.resend)
  app.post('/v1/deliveries/:id/cancel', deliveries.cancel)

  const replays = replayRoutes(deps)
  app.post('/v1/deliveries/replay', replays.create)
  app.get('/v1/replays/:id', replays.get)

  const destinations = destinationRoutes(deps)
  app.get('/v1/destinations', destinations.list)
  app.post('/v1/destinations/:id/pause', destinations.pause)
  app.post('/v1/destinations/:id/resume', destinations.resume)

  app.post('/v1/arrivals/:id/apply', arrivalRoutes(deps).apply)

  const project = projectRoutes(deps)
  app.get('/v1/project', project.get)
  app.patch('/v1/project', project.update)

  const secrets = secretRoutes(deps)
  app.get('/v1/project/secrets', secrets.list)
  app.post('/v1/project/secrets/rotate', secrets.rotate)

  const tokens = tokenRoutes(deps)
  app.post('/v1/tokens', tokens.create)
  app.get('/v1/tokens', tokens.list)
  app.delete('/v1/tokens/:id', tokens.revoke)
}

function registerAdmin(app: FastifyInstance, deps: Deps): void {
  app.addHook('onRoute', declareRight)
  app.addHook('onRequest', createAdminAuth(deps))

  const admin = adminRoutes(deps)
  app.post('/v1/admin/projects', admin.createProject)
  app.get('/v1/admin/projects', admin.listProjects)
  app.post('/v1/admin/projects/:id/keys', admin.createKey)
  app.get('/v1/admin/projects/:id/keys', admin.listKeys)
  app.delete('/v1/admin/projects/:id/keys/:key_id', admin.revokeKey)
  app.post('/v1/admin/secrets/reseal', admin.reseal)
  app.get('/v1/admin/audits', auditRoutes(deps).list)
}
