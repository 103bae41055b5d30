// One request and its answer, from the wait for a connection to the end of the body, and of the request, which may take longer. It ends
// exactly once; what the HTTP client still says after that is ignored. A connection is destroyed, never reused, where the answer did not end by
// itself or the request was not sent.
import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import type { IncomingHttpHeaders } from 'undici/types/header.js'
import { classifyError, parseRetryAfter, unanswered, type Outcome } from '../domain/outcome.ts'
import { bodyText, headerRecord } from './answer.ts'
import type { Connection, Connections, Pool, Waiter } from './connections.ts'
import type { AnswerRoom } from './intake.ts'
import { HEADERS_MAX, mostParts } from './wire-bound.ts'

/**
 * Bounds of one exchange: until the status line, and of the body that is read after it; null leaves it what is left. It never lasts longer
 * than both times together.
 */
type Bounds = { timeout_ms: number; body_bytes: number; body_ms: number | null }

const MOST_PIECES = 1024
// More of an answer is read only where there is room for it.
const ROOMLESS_BYTES = 16 * 1024

type ExchangeOptions = {
  connections: Connections
  pool: Pool
  request: Dispatcher.DispatchOptions
  bounds: Bounds
  /** For the answer; without it there is room for any. */
  room: AnswerRoom | undefined
  /** Wall clock in milliseconds, for the dates in `Retry-After`. */
  now: () => number
  resolve: (outcome: Outcome) => void
  /** Called instead when the request itself is not sendable, for example for a line break in a header: a bug of ours. */
  reject: (error: Error) => void
}

/** The life of one exchange; `begin` starts it, `stop` ends it as `unknown`, if it has no whole answer yet. */
export class Exchange implements Dispatcher.DispatchHandler, Waiter {
  readonly #options: ExchangeOptions
  #connection: Connection | null = null
  #timer: NodeJS.Timeout | undefined
  #deadline = 0
  #ended = false
  #waited = false
  #begun = false
  #answering = false
  #asked = false
  #reused = false
  #partCount = 0
  #headerCount = 0
  #answered = false
  #status = 0
  #headers: IncomingHttpHeaders = {}
  #chunks: Buffer[] = []
  #pieces: Buffer[] = []
  #byteCount = 0

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  begin(): void {
    const { connections, pool, bounds } = this.#options
    this.#timer = setTimeout(onTimeout, bounds.timeout_ms, this)
    this.#deadline = performance.now() + bounds.timeout_ms + (bounds.body_ms ?? 0)
    connections.acquire(pool, this)
    this.#waited = this.#connection === null
  }

  start(connection: Connection): void {
    if (this.#ended) return this.#options.connections.release(connection)
    this.#connection = connection
    connection.client.dispatch(this.#options.request, this)
  }

  stop(): void {
    if (this.#answered) return this.#endAnswered(false)
    this.#end(unanswered('unknown', 'stopped'))
  }

  /** The time is over: for the status line, or after it for the body. */
  expire(): void {
    if (this.#status !== 0) return this.#endAnswered(!this.#answered)
    const { timeout_ms } = this.#options.bounds
    // Nothing was sent and our own limit took the time: not the receiver's failure, so it must not burn a retry.
    if (this.#waited && !this.#begun) {
      return this.#end(
        unanswered('unknown', `No connection to the receiver came free within ${timeout_ms} ms.`),
      )
    }
    const what = this.#begun ? 'The receiver did not answer' : 'The connection was not established'
    this.#end(unanswered('timeout', `${what} within ${timeout_ms} ms.`, this.#connection?.remote_address))
  }

  onRequestStart(): void {
    this.#begun = true
    if (this.#connection === null) return
    this.#reused = this.#connection.request_count++ > 0
    this.#connection.beginAnswer()
  }

  onResponseStarted(): void {
    this.#answering = true
  }

  onResponseStart(
    { rawHeaders }: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (this.#ended) return
    const isInterim = status < 200
    if (this.#isOverfull(rawHeaders, isInterim ? 1 : 0)) return this.#endOverfull()
    if (isInterim) return
    this.#status = status
    this.#headers = headers
    const { body_ms } = this.#options.bounds
    if (body_ms === null) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(onTimeout, body_ms, this)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#ended) return
    // A piece costs more than its bytes and keeps what was read with it, so a body of tiny ones would outgrow its bound.
    if (this.#pieces.push(chunk) === MOST_PIECES) this.#join()
    this.#byteCount += chunk.length
    if (this.#byteCount > this.#options.bounds.body_bytes || this.#isPartTooMany()) this.#endAnswered(true)
    else if (this.#byteCount > ROOMLESS_BYTES && !this.#asked) this.#askForRoom(controller)
  }

  /** Of all heads and trailers of the exchange together: interim answers cost what their headers do. */
  #isOverfull(rawHeaders: unknown, more: number): boolean {
    this.#headerCount += more + (Array.isArray(rawHeaders) ? rawHeaders.length / 2 : 0)
    return this.#headerCount > HEADERS_MAX
  }

  #isPartTooMany(): boolean {
    return ++this.#partCount > mostParts(this.#options.bounds.body_bytes)
  }

  /** Reads no more until there is room for all of the answer. */
  #askForRoom(controller: Dispatcher.DispatchController): void {
    this.#asked = true
    const { room, bounds } = this.#options
    if (room === undefined) return
    const length = Number(this.#headers['content-length'])
    // All of it is here. Paused, it would be lost with the connection if the receiver closes that.
    if (this.#byteCount >= length) return
    controller.pause()
    room.ask(length < bounds.body_bytes ? length : bounds.body_bytes, () => {
      if (!this.#ended) controller.resume()
    })
  }

  /**
   * A receiver may answer before it reads the request. What is not sent yet is in memory, where nobody counts it once this has ended, and would be
   * lost with the connection. It has what is left of the longest time that an exchange may take, since leases reckon with that.
   */
  onResponseEnd({ rawTrailers }: Dispatcher.DispatchController): void {
    if (this.#ended) return
    // Also of an answer that is a success by its status: only failures open the destination's breaker.
    if (this.#isOverfull(rawTrailers, 0)) return this.#endOverfull()
    this.#answered = true
    const socket = this.#connection?.socket
    if (!socket?.writableNeedDrain) return this.#endAnswered(false)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(onTimeout, this.#deadline - performance.now(), this)
    whenSent(socket, () => this.#endAnswered(false))
  }

  onResponseError(controller: unknown, error: Error): void {
    if (this.#ended) return
    if (this.#status !== 0) return this.#endAnswered(true)
    if (controller === null && 'code' in error && error.code === 'UND_ERR_INVALID_ARG') {
      this.#end(null)
      return this.#options.reject(error)
    }
    const { kind, error: sentence } = classifyError(error)
    if (kind === 'connection' && this.#retryFresh()) return
    this.#end(unanswered(kind, sentence, this.#connection?.remote_address))
  }

  /**
   * The receiver closed a kept connection just as we used it again. It may have read the request, but a duplicate is
   * allowed and an attempt wasted is not: send it again on a new connection, within the same time. Only once, because a
   * new connection is not a kept one.
   */
  #retryFresh(): boolean {
    if (this.#connection === null || !this.#reused || this.#answering) return false
    this.#begun = false
    this.start(this.#options.connections.replace(this.#connection))
    return true
  }

  #join(): void {
    const pieces = this.#pieces
    // The usual answer is one piece: it is not copied.
    if (pieces.length > 1) this.#chunks.push(Buffer.concat(pieces))
    else this.#chunks.push(...pieces)
    this.#pieces = []
  }

  #endOverfull(): void {
    const error = `The answer has more than ${HEADERS_MAX} headers and interim answers.`
    this.#end(unanswered('protocol', error, this.#connection?.remote_address))
  }

  #endAnswered(truncated: boolean): void {
    if (this.#ended) return
    this.#join()
    const { bounds, now, room } = this.#options
    room?.keep(this.#byteCount)
    const status = this.#status
    const kind = status >= 200 && status < 300 ? 'delivered' : 'status'
    const headers = headerRecord(this.#headers)
    const outcome: Outcome = {
      kind,
      status,
      retry_after_ms: kind === 'status' ? parseRetryAfter(headers['retry-after'], now()) : null,
      response_headers: headers,
      response_body: bodyText(this.#chunks, bounds.body_bytes),
      truncated,
      remote_address: this.#connection?.remote_address ?? null,
      error: null,
    }
    const socket = this.#connection?.socket
    this.#end(outcome, this.#answered && socket?.destroyed === false && !socket.writableNeedDrain)
  }

  #end(outcome: Outcome | null, reusable = false): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    const { connections, pool, resolve } = this.#options
    if (this.#connection === null) connections.abandon(pool, this)
    else if (reusable) connections.release(this.#connection)
    else connections.drop(this.#connection)
    if (outcome !== null) resolve(outcome)
  }
}

/** Calls `then` once, when what was written is sent or the socket is closed. */
function whenSent(socket: Socket, then: () => void): void {
  const done = () => {
    socket.off('drain', done).off('close', done)
    then()
  }
  socket.on('drain', done).on('close', done)
}

const onTimeout = (exchange: Exchange) => exchange.expire()
