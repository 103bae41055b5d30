// One listening server: Fastify with our parsers, errors and bounds, before it has any route. There are two where the admin routes
// have a port of their own.
import { fastify, type FastifyInstance } from 'fastify'
import { collectMethods } from './allowed-methods.ts'
import { createApiLimit } from './api-rate.ts'
import { parseJsonBody } from './body.ts'
import { createBoundedServer, patient } from './connections.ts'
import type { Deps } from './deps.ts'
import type { Drain } from './drain.ts'
import { guardEdge, plainHeaders, type NotServed } from './edge.ts'
import { createBrokenAnswer, createErrorHandler, createErrorLog } from './errors.ts'
import type { FrontOf } from './fronts.ts'
import { answerUnknownId, isInbound } from './routes/inbound.ts'
import { tendStreams } from './streamed.ts'
import { boundUnread } from './unread.ts'
import { compileValidator } from './validation.ts'

// Whatever fits into a request's head is an id, known or not.
const LONGEST_ID = 16_384

/** Makes a server without routes, and the handler of paths that it does not serve. */
export function createServer(
  { config, hosts, log, store, patience = patient }: Deps,
  { drain, frontOf }: { drain: Drain; frontOf: FrontOf },
): { app: FastifyInstance; notServed: NotServed } {
  const onError = createErrorHandler({ log, bodyLimit: config.body_limit })
  const onBroken = createBrokenAnswer(
    ({ url, host }) => frontOf(hosts.rewrite({ url, headers: { host } }))?.refuse,
  )
  const { connections, connections_per_address: per_address, trust_proxy } = config
  const bounds = { connections: { all: connections, per_address, trust_proxy }, patience, onBroken }
  const app = fastify({
    bodyLimit: config.body_limit,
    trustProxy: trust_proxy.length > 0 ? [...trust_proxy] : false,
    serverFactory: (handler) => createBoundedServer(handler, bounds),
    rewriteUrl: (request) => hosts.rewrite(request),
    routerOptions: { maxParamLength: LONGEST_ID },
    // Our own hook says it in our own words.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      plainHeaders(reply)
      if (isInbound(request.url)) answerUnknownId(reply)
      else (frontOf(request.url)?.onError ?? onError)(error, request, reply)
    },
    // The bounded server has its own.
    clientErrorHandler: () => {},
  })
  // The answer to an expectation that nobody has heard of would have no body, which clients of some platforms do not survive.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.setErrorHandler(onError)
  app.setValidatorCompiler(compileValidator)
  // Answers are finished text; their schemas are for the document only.
  app.setSerializerCompiler(() => JSON.stringify)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseJsonBody)
  app.decorateRequest('text', '')
  app.decorateRequest('caller', null)
  app.decorateRequest('linked_project', null)
  if (config.api_rate !== null)
    app.addHook(
      'preParsing',
      createApiLimit(config.api_rate, () => store.now()),
    )
  const notServed = guardEdge(app, { drain, methodsOf: collectMethods(app) })
  app.setNotFoundHandler(notServed)
  tendStreams(app, createErrorLog({ log, bodyLimit: config.body_limit }))
  boundUnread(app)
  return { app, notServed }
}
