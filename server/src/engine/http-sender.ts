// Sends one HTTP request and tells how it ended. Whatever a receiver does is an Outcome; only a request that could never
// be sent rejects. Redirects are not followed and bodies are not decompressed. This is the hottest path of the program.
import type { Dispatcher } from 'undici'
import { unanswered, type Outcome } from '../domain/outcome.ts'
import { createConnections } from './connections.ts'
import { schemeFault, type Egress } from './egress.ts'
import { Exchange } from './exchange.ts'
import type { AnswerRoom } from './intake.ts'
import { splitUrl } from './request-url.ts'

export type SendRequest = {
  url: string
  /** The destination that it is for: its connections serve no other, even at the same origin. */
  lane: string
  /** Names in lower case. Content-length, host and connection are the client's own. */
  headers: Record<string, string>
  body: string | Uint8Array | null
  /** From now until the status line and the headers after it are there: name look-up, connection and TLS included. */
  timeout_ms: number
  method?: Dispatcher.HttpMethod
  /** For an answer that is not small; without it there is room for any. */
  room?: AnswerRoom
}

export type HttpSender = {
  /**
   * Sends, by POST unless told otherwise. Once `signal` aborts the outcome is `unknown`, error `stopped`, even if the
   * receiver has got the request, unless its whole answer is there. Rejects for a URL or header that is not valid.
   */
  send(request: SendRequest, signal?: AbortSignal): Promise<Outcome>
  /** Ends what is under way as `unknown` and closes every socket. Later sends end as `unknown` at once. */
  close(): Promise<void>
}

export type HttpSenderOptions = {
  egress: Pick<Egress, 'connect'>
  connections_per_origin?: number
  max_origins?: number
  /** How much of a body is read; then it is cut. */
  body_bytes?: number
  /** How long the body is read after the status line; then it is cut. Null: for what is left of the request's time-out. */
  body_ms?: number | null
  /** Wall clock in milliseconds. */
  now?: () => number
}

const BODY_BYTES = 16 * 1024
// The most that a project's limit of attempts at a time can be; that limit is the one that is felt.
const CONNECTIONS_MAX = 1024

/** Makes a sender; it holds sockets, so close it. */
export function createHttpSender({
  egress,
  connections_per_origin = CONNECTIONS_MAX,
  max_origins = 1000,
  body_bytes = BODY_BYTES,
  body_ms = 2000,
  now = Date.now,
}: HttpSenderOptions): HttpSender {
  const connections = createConnections({
    connect: egress.connect,
    per_origin: connections_per_origin,
    max_origins,
    body_bytes,
  })
  let closed = false

  return {
    async send({ url: text, lane, headers, body, timeout_ms, method = 'POST', room }, signal) {
      if (closed || signal?.aborted === true) return unanswered('unknown', 'stopped')
      const url = new URL(text)
      const fault = schemeFault(url)
      if (fault !== undefined) return unanswered('forbidden', fault)
      const { origin, path, authorization } = splitUrl(url)
      const allHeaders = authorization === null ? headers : { authorization, ...headers }
      return new Promise<Outcome>((resolve, reject) => {
        const exchange = new Exchange({
          connections,
          pool: { lane, origin },
          request: { method, path, headers: allHeaders, body },
          bounds: { timeout_ms, body_bytes, body_ms },
          room,
          now,
          resolve: (outcome) => {
            signal?.removeEventListener('abort', stop)
            resolve(outcome)
          },
          reject: (error) => {
            signal?.removeEventListener('abort', stop)
            reject(error)
          },
        })
        const stop = () => exchange.stop()
        signal?.addEventListener('abort', stop)
        exchange.begin()
      })
    },
    async close() {
      closed = true
      await connections.close()
    },
  }
}
