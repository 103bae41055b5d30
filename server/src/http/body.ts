// Reading request bodies. JSON is kept as text beside its parsed value, since what a caller sent must come out again
// digit by digit; the bytes must be UTF-8, or they would come out as something else.
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../domain/errors.ts'
import { DEPTH_MAX, hasNul, isTooDeep } from '../domain/json.ts'
import { LARGE_BYTES, ownTurn } from '../own-turn.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came; empty without one. */
    text: string
  }
}

/** The parser of `application/json`: keeps the text in `request.text`. An empty body is none. */
export async function parseJsonBody(request: FastifyRequest, bytes: Buffer): Promise<unknown> {
  if (bytes.length === 0) return undefined
  const coding = request.headers['content-encoding'] ?? 'identity'
  if (coding !== 'identity') {
    throw new AppError('unsupported_media_type', `content-encoding: ${coding} is not read; send plain JSON`)
  }
  if (bytes.length > LARGE_BYTES) await ownTurn()
  if (!isUtf8(bytes)) throw new AppError('invalid_json', 'The body is not UTF-8')
  const text = bytes.toString()
  request.text = text
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new AppError('invalid_json', error instanceof Error ? error.message : 'The body is not JSON')
  }
  if (isTooDeep(text)) {
    throw new AppError('invalid_json', `The body is nested deeper than ${DEPTH_MAX} levels`)
  }
  // Further on null means that there is no body.
  if (value === null) throw new AppError('invalid_request', 'body: must be an object, not null')
  if (hasNul(text)) {
    throw new AppError(
      'invalid_request',
      'The body has a text with NUL (\\u0000), which cannot be kept; remove it',
    )
  }
  return value
}

/** Reads a request's body to its end. Resolves with undefined when it is longer than `limit` bytes; rejects when it breaks off. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>()
  const chunks: Buffer[] = []
  let size = 0
  const brokenOff = () => reject(new AppError('invalid_request', 'The body broke off'))
  const onData = (chunk: Buffer) => {
    size += chunk.length
    if (size > limit) {
      request.off('data', onData)
      resolve(undefined)
    } else chunks.push(chunk)
  }
  if (Number(request.headers['content-length'] ?? 0) > limit) {
    resolve(undefined)
    return promise
  }
  const onEnd = () => {
    // It closes after each request, too: making an error for nobody costs its stack trace.
    request.off('close', brokenOff)
    resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks))
  }
  request.on('data', onData).once('end', onEnd).once('error', brokenOff).once('close', brokenOff)
  return promise
}
