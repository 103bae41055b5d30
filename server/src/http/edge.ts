// What every request meets first, whatever its route: the headers of all answers, the stop, paths nobody serves, too many headers,
// two hosts, transfer codings, and NUL in a URL.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../domain/errors.ts'
import type { Drain } from './drain.ts'

// Names and values, as Node has them one after the other. It drops those past its own, greater bound without a word.
const RAW_HEADERS_MAX = 200

/**
 * Sets what every answer says: that it is what its type says, and that nobody keeps a copy. On the reply and not below it, where
 * headers that were set one by one make Node take its slow way.
 */
export function plainHeaders(reply: FastifyReply): void {
  reply.header('x-content-type-options', 'nosniff')
  reply.header('cache-control', 'no-store')
}

/** The handler of paths that nobody serves, and of methods that a path does not have. */
export type NotServed = (request: FastifyRequest) => void

/**
 * Adds the first hooks; call it before any route is registered. Health is answered to the end. Returns the handler of paths that
 * nobody serves.
 */
export function guardEdge(
  app: FastifyInstance,
  { drain, methodsOf }: { drain: Drain; methodsOf: (url: string) => string[] },
): NotServed {
  app.addHook('onRequest', (request, reply, done) => {
    plainHeaders(reply)
    if (drain.isStopping()) {
      reply.header('connection', 'close')
      const { url } = request.routeOptions
      if (url !== '/healthz' && url !== '/readyz') {
        return done(
          new AppError('shutting_down', 'The server is stopping; try again, another one may answer'),
        )
      }
    }
    drain.enter()
    // Not the hook onResponse: it never comes for a client that has gone away before its answer.
    reply.raw.once('close', drain.leave)
    if (request.is404) return done(notServed(request.method, request.originalUrl, methodsOf(request.url)))
    if (request.raw.rawHeaders.length > RAW_HEADERS_MAX) {
      return done(
        new AppError('headers_too_large', `The request has more than ${RAW_HEADERS_MAX / 2} headers`),
      )
    }
    if (hasTwoHosts(request.raw.rawHeaders)) {
      return done(new AppError('invalid_request', 'The request names its host twice (RFC 9112 §3.2)'))
    }
    const coding = request.headers['transfer-encoding']
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      // Another server on the way may have seen another end of it.
      reply.header('connection', 'close')
      return done(
        new AppError(
          'invalid_request',
          'The transfer-encoding of the body is not read; send it as it is, or chunked',
        ),
      )
    }
    if (request.url.includes('%00')) {
      return done(new AppError('invalid_request', 'The URL has a NUL (%00); remove it'))
    }
    done()
  })
  return (request) => {
    throw notServed(request.method, request.originalUrl, methodsOf(request.url))
  }
}

/** Whether there is a second Host, of which another server on the way may have taken the other one. */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
}

function notServed(method: string, url: string, allow: string[]): AppError {
  const path = url.split('?', 1)[0]
  return allow.length === 0
    ? new AppError('not_found', `Nothing is served at ${path}; /docs shows what is`)
    : new AppError('method_not_allowed', `${method} is not for ${path}; use ${allow.join(' or ')}`, { allow })
}
