// Every error leaves here as problem+json (RFC 9457). What is not an AppError, nor the HTTP library's word for bad input,
// is a bug: logged with its cause, answered without a word about it.
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, problems } from '../domain/errors.ts'
import { print, type Printable } from '../domain/json.ts'
import type { Log } from './deps.ts'

const RETRY_AFTER_S = 1
// While the database is away every request would be such a line.
const UNAVAILABLE_LOG_MS = 1000
const LINGER_MS = 1000

/** Prints an error as problem+json. */
export function problemText({ code, message, extra }: AppError): string {
  const { status, title } = problems[code]
  const { retry_after_s: _, ...shown } = extra
  return print({
    type: `urn:ringback:problem:${code}`,
    title,
    status,
    detail: message,
    code,
    ...(shown as Record<string, Printable>),
  })
}

/** Sets an error's status and headers on a reply: `retry-after` with 429 and 503, `allow` with 405. */
export function setProblemHead(reply: FastifyReply, { code, extra }: AppError): FastifyReply {
  const { status } = problems[code]
  if (status === 429 || status === 503) reply.header('retry-after', extra.retry_after_s ?? RETRY_AFTER_S)
  if (code === 'method_not_allowed' && Array.isArray(extra.allow))
    reply.header('allow', extra.allow.join(', '))
  return reply.code(status)
}

// The HTTP library's codes for what a caller did wrong.
const libraryErrors: Record<string, AppError> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: new AppError(
    'unsupported_media_type',
    'Send JSON with the header content-type: application/json',
  ),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: new AppError(
    'invalid_request',
    'The body is not as long as its content-length says',
  ),
  FST_ERR_BAD_URL: new AppError('invalid_request', 'The path is not valid percent-encoding'),
}

/** Reads any thrown value as what a caller may be told; `internal_error` for a bug. */
export function toAppError(error: unknown, bodyLimit: number): AppError {
  if (error instanceof AppError) return error
  const { code, statusCode, message } = error as Partial<FastifyError>
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new AppError('body_too_large', `The body is longer than ${bodyLimit} bytes`)
  }
  const known = libraryErrors[code ?? '']
  if (known !== undefined) return known
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new AppError('invalid_request', message ?? 'The request is not valid')
  }
  return new AppError('internal_error', 'The error was logged; try again later')
}

/** Says an error to whoever asked. */
type Say = (error: AppError, reply: FastifyReply) => void

const sayProblem: Say = (error, reply) => {
  if (error.code === 'unauthorized') reply.header('www-authenticate', 'Bearer')
  setProblemHead(reply, error).type('application/problem+json').send(problemText(error))
}

/** Makes an error handler; the API's own says problems. */
export function createErrorHandler({
  log,
  bodyLimit,
  say = sayProblem,
}: {
  log: Log
  bodyLimit: number
  say?: Say
}) {
  const note = createErrorLog({ log, bodyLimit })
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const known = note(error, request)
    if (known.code === 'body_too_large') readOn(request, reply)
    say(known, reply)
  }
}

/** Makes what logs an error, if it is not the caller's own, and gives what it is to him. */
export function createErrorLog({ log, bodyLimit }: { log: Log; bodyLimit: number }) {
  let nextLogAt = 0
  return (error: unknown, request: FastifyRequest): AppError => {
    const known = toAppError(error, bodyLimit)
    if (known.code === 'internal_error') logBug(log, error, request)
    if (known.code === 'store_unavailable' && performance.now() >= nextLogAt) {
      nextLogAt = performance.now() + UNAVAILABLE_LOG_MS
      log.warn({ err: known.cause }, 'store.unavailable')
    }
    return known
  }
}

/**
 * Reads and drops what is left of a body that is refused: closing the socket on a sender that still writes would lose the
 * answer. The time a request may take bounds it.
 */
export function readOn(request: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader('connection')
  request.raw.resume()
}

/** An error as text: the status and body that a dialect has for it, or a problem. */
type Refuse = (error: AppError) => { status: number; body: string }

/** What Node says of a connection on which something went wrong. */
type Broken = Error & { code?: string; rawPacket?: unknown }

/**
 * Makes what answers that which is no HTTP request at all, so that it has neither request nor reply, and closes its connection.
 * `refuseAt` gives the words of whom it seems to be for; nothing is said where it would be taken for another answer.
 */
export const createBrokenAnswer =
  (refuseAt: (head: { url: string; host: string | undefined }) => Refuse | undefined) =>
  (error: Broken, socket: Socket, mayAnswer: boolean): void => {
    // What still comes behind a fault that was answered.
    if (socket.writableEnded) return
    if (error.code === 'ECONNRESET' || !socket.writable || !mayAnswer) return void socket.destroy()
    const head = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1') : ''
    const url = /^\S+ +(\S+)/.exec(head)?.[1] ?? ''
    const host = /^host: *(\S+)/im.exec(head)?.[1]
    const refused = faultOf(error)
    const refuse = refuseAt({ url, host })
    const { status, body } = refuse?.(refused) ?? {
      status: problems[refused.code].status,
      body: problemText(refused),
    }
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      `content-type: application/${refuse === undefined ? 'problem+json' : 'json; charset=utf-8'}`,
      'x-content-type-options: nosniff',
      'cache-control: no-store',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ]
    socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
    // Whoever never closes his side would keep the connection for ever; closing it at once, on one who still sends, would lose the
    // answer.
    setTimeout(() => socket.destroy(), LINGER_MS).unref()
  }

function faultOf({ code }: Broken): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new AppError('headers_too_large', 'The URL and headers are longer than 16 KiB')
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new AppError('request_timeout', 'The request was not complete in time')
  }
  return new AppError('invalid_request', `This is not valid HTTP/1.1 (${code ?? 'unknown'})`)
}

/** Logs what a caller is not told. The path is that of the route: the real one may hold a secret. */
export function logBug(log: Log, error: unknown, request: FastifyRequest): void {
  log.error({ err: error, method: request.method, route: request.routeOptions?.url }, 'request.failed')
}
