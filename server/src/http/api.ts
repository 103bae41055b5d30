// The HTTP edge, with every route on one screen. Hooks run in this order: stop and unknown path, key, body, handler; so
// nothing of a body is read before its sender is known.
import { fastify, type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify'
import type { AddressInfo } from 'node:net'
import { collectMethods } from './allowed-methods.ts'
import { createAdminAuth, createKeyAuth } from './auth.ts'
import { parseJsonBody } from './body.ts'
import type { ApiConfig, ApiOptions, Deps } from './deps.ts'
import { createDrain } from './drain.ts'
import { registerDocument, serveDocument } from './document.ts'
import { createBrokenAnswer, createErrorHandler } from './errors.ts'
import { guardEdge } from './edge.ts'
import { registerFronts, type FrontOf } from './fronts.ts'
import { createHosts, type Hosts } from './hosts.ts'
import { createLimiter } from './inbound-rate.ts'
import { adminRoutes } from './routes/admin.ts'
import { arrivalRoutes } from './routes/arrivals.ts'
import { auditRoutes } from './routes/audits.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { destinationRoutes } from './routes/destinations.ts'
import { healthRoutes } from './routes/health.ts'
import { answerUnknownId, createInboundErrorHandler, inboundRoutes, isInbound } from './routes/inbound.ts'
import { replayRoutes } from './routes/replays.ts'
import { projectRoutes } from './routes/project.ts'
import { secretRoutes } from './routes/secrets.ts'
import { taskRoutes } from './routes/tasks.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { verbRoutes } from './routes/verbs.ts'
import { watchOtherNodes } from './moved-elsewhere.ts'
import { declareRight } from './rights.ts'
import { createUntilMoved } from './until-moved.ts'
import { compileValidator } from './validation.ts'
import { createWaiters } from './waiters.ts'

export type Api = {
  /** Opens the port; resolves with where it listens. Port 0 takes a free one. */
  listen(at: { host: string; port: number }): Promise<AddressInfo>
  /** Answers a request without a socket. */
  inject: (request: InjectOptions) => Promise<LightMyRequestResponse>
  /** Refuses new requests with 503, answers waiting ones, lets the others finish, then closes. Idempotent. */
  drain(): Promise<void>
  /** Closes at once, connections and all. Idempotent. */
  close(): Promise<void>
}

// The time a client may take to send a whole request; it bounds what slow senders hold.
const REQUEST_TIMEOUT_MS = 60_000
// Whatever fits into a request's head is an id, known or not.
const LONGEST_ID = 16_384
// Longer than the idle time-outs of usual load balancers, which else send into a socket that we just closed.
const KEEP_ALIVE_MS = 75_000

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
  const deps: Deps = { ...options, config, untilMoved, limitInbound, hosts, isStopping: drain.isStopping }
  let frontOf: FrontOf = () => undefined
  const app = createServer(config, deps, { hosts, frontOf: (url) => frontOf(url) })
  const notServed = guardEdge(app, { drain, methodsOf: collectMethods(app) })
  app.setNotFoundHandler(notServed)
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
    app.get('/metrics', health.metrics)
    app.register(async (scope) => registerApi(scope, deps))
    app.register(async (scope) => registerAdmin(scope, deps))
    frontOf = registerFronts(app, deps, notServed)
    await serveDocument(app)
  }
  extend?.(app)
  await hosts.refresh()
  await app.ready()

  const close = async () => {
    stopListening()
    stopWatching()
    waiters.stop()
    const closed = app.close()
    app.server.closeAllConnections()
    await closed
  }
  return {
    async listen(at) {
      await app.listen(at)
      return app.server.address() as AddressInfo
    },
    inject: (request: InjectOptions) => app.inject(request),
    async drain() {
      waiters.stop()
      await drain.stop()
      await close()
    },
    close,
  }
}

function createServer(
  config: ApiConfig,
  { log }: Deps,
  { hosts, frontOf }: { hosts: Hosts; frontOf: FrontOf },
): FastifyInstance {
  const onError = createErrorHandler({ log, bodyLimit: config.body_limit })
  const app = fastify({
    bodyLimit: config.body_limit,
    trustProxy: config.trust_proxy.length > 0 ? [...config.trust_proxy] : false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    rewriteUrl: (request) => hosts.rewrite(request),
    routerOptions: { maxParamLength: LONGEST_ID },
    // Our own hook says it in our own words.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) =>
      isInbound(request.url)
        ? answerUnknownId(reply)
        : (frontOf(request.url)?.onError ?? onError)(error, request, reply),
    clientErrorHandler: createBrokenAnswer(
      ({ url, host }) => frontOf(hosts.rewrite({ url, headers: { host } }))?.refuse,
    ),
    // The answer to such a request would have no body, which clients of some platforms do not survive.
    http: { requireHostHeader: false },
  })
  // Nor would that to an expectation that nobody has heard of.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.setErrorHandler(onError)
  app.setValidatorCompiler(compileValidator)
  // Answers are finished text; their schemas are for the document only.
  app.setSerializerCompiler(() => JSON.stringify)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseJsonBody)
  app.decorateRequest('text', '')
  app.decorateRequest('caller', null)
  return app
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
  app.addHook('onRequest', createAdminAuth(deps.config))

  const admin = adminRoutes(deps)
  app.post('/v1/admin/projects', admin.createProject)
  app.get('/v1/admin/projects', admin.listProjects)
  app.post('/v1/admin/projects/:id/keys', admin.createKey)
  app.get('/v1/admin/projects/:id/keys', admin.listKeys)
  app.delete('/v1/admin/projects/:id/keys/:key_id', admin.revokeKey)
  app.post('/v1/admin/secrets/reseal', admin.reseal)
  app.get('/v1/admin/audits', auditRoutes(deps).list)
}
