// Reads what a customer's URL holds. The other side is not trusted: it may lie, drip, hang, redirect into our network or never
// end, so every wait and every byte has a bound. A connection serves one request: fetches are few, and none waits for another.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type Dispatcher } from 'undici'
import type { Fetch, FetchBounds, FetchError } from '../dialects/work.ts'
import { SendError } from '../domain/outcome.ts'
import type { Egress } from './egress.ts'
import {
  brokenFault,
  headFault,
  overdueFault,
  redirectFault,
  silenceFault,
  sizeFault,
  stoppedFault,
  unansweredFault,
} from './fetch-fault.ts'
import { firstTarget, nextTarget, type Target } from './fetch-target.ts'
import { splitUrl } from './request-url.ts'
import { boundWire, HEADERS_BYTES, HEADERS_MAX } from './wire-bound.ts'

export type Fetcher = {
  fetch: Fetch
  /** Ends what is under way as `stopped` and closes every socket. Later fetches end as `stopped` at once. */
  close(): Promise<void>
}

const MOST_REDIRECTS = 5
// What is read ahead of its reader: chunks of a byte are kept in a hundred bytes each.
const AHEAD_BYTES = 16 * 1024
// Of all fetches together. A piece takes microseconds of the main thread, however small it is: chunks of a byte took all of it, for as long as
// they came (measured). A file that is written line by line comes at 20,000 lines a second.
const PIECES = { most: 200, rest_ms: 10 }

/** Makes a fetcher; `version` is the program's, for the `user-agent`. It holds sockets, so close it. */
export function createFetcher({
  egress,
  version,
}: {
  egress: Pick<Egress, 'connect'>
  version: string
}): Fetcher {
  const takePiece = createPace(PIECES)
  const stops = new Set<() => void>()
  const closing = new Set<Promise<void>>()
  let closed = false

  /** Asks one target on a connection of its own, which is closed when `ended` aborts. */
  async function ask(
    { url, authorization }: Target,
    max_bytes: number,
    ended: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { origin, path } = splitUrl(url)
    let cancelConnect = () => {}
    const client = new Client(origin, {
      allowH2: false,
      // The fetch keeps the time itself, from the first look-up of the name on.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: HEADERS_BYTES,
      connect: (options, callback) => {
        cancelConnect = egress.connect(options, (opened) => {
          if (opened instanceof Error) return callback(opened, null)
          boundWire(opened.socket, max_bytes)
          callback(null, opened.socket)
        })
      },
    })
    ended.addEventListener('abort', () => {
      cancelConnect()
      const destroyed = client.destroy()
      closing.add(destroyed)
      void destroyed.finally(() => closing.delete(destroyed))
    })
    const headers: Record<string, string> = {
      accept: '*/*',
      // What is unpacked has another size than what is read, and max_bytes would no longer bound it.
      'accept-encoding': 'identity',
      'user-agent': `Ringback/${version}`,
    }
    if (authorization !== null) headers['authorization'] = authorization
    let headerCount = 0
    const onInfo = (interim: { headers: object }) => {
      headerCount += 1 + Object.values(interim.headers).flat().length
      if (headerCount > HEADERS_MAX)
        throw new SendError('protocol', 'The URL gives interim answers without end.')
    }
    return client.request({ method: 'GET', path, headers, highWaterMark: AHEAD_BYTES, onInfo })
  }

  async function* fetch(
    url: string,
    { max_bytes, total_ms, idle_ms, signal }: FetchBounds,
  ): AsyncGenerator<Buffer> {
    const ending = new AbortController()
    const ended = ending.signal
    let status: number | null = null
    const stop = () => ending.abort(stoppedFault(status))
    const timer = setTimeout(() => ending.abort(overdueFault(status, total_ms)), total_ms)
    stops.add(stop)
    signal?.addEventListener('abort', stop)
    // Not at the end of the reading: a reader may leave it halfway and never come back.
    ended.addEventListener('abort', () => {
      clearTimeout(timer)
      stops.delete(stop)
      signal?.removeEventListener('abort', stop)
    })

    async function heard<T>(act: () => Promise<T>, faultOf: (error: unknown) => FetchError): Promise<T> {
      ended.throwIfAborted()
      const timer = setTimeout(() => ending.abort(silenceFault(status, idle_ms)), idle_ms)
      try {
        return await act()
      } catch (error) {
        throw ended.aborted ? ended.reason : faultOf(error)
      } finally {
        clearTimeout(timer)
      }
    }

    /** The first answer that is no redirect. */
    async function follow(): Promise<Dispatcher.ResponseData> {
      let target = firstTarget(url)
      for (let redirects = 0; ; redirects++) {
        const hop = new AbortController()
        const until = AbortSignal.any([ended, hop.signal])
        status = null
        const answer = await heard(() => ask(target, max_bytes, until), unansweredFault)
        status = answer.statusCode
        const next = nextTarget(target, answer)
        if (next === undefined) return answer
        hop.abort()
        if (redirects === MOST_REDIRECTS) throw redirectFault(status, redirects)
        target = next
      }
    }

    try {
      if (closed || signal?.aborted === true) stop()
      const { statusCode, headers, body } = await follow()
      const fault = headFault(statusCode, headers['content-encoding'])
      if (fault !== undefined) throw fault
      if (Number(headers['content-length']) > max_bytes) throw sizeFault(statusCode, max_bytes)
      const pieces: AsyncIterator<Buffer> = body[Symbol.asyncIterator]()
      let byteCount = 0
      for (;;) {
        const { done, value } = await heard(
          () => pieces.next(),
          () => brokenFault(statusCode),
        )
        if (done === true) return
        byteCount += value.length
        if (byteCount > max_bytes) throw sizeFault(statusCode, max_bytes)
        await takePiece()
        yield value
      }
    } finally {
      ending.abort()
    }
  }

  return {
    fetch,
    async close() {
      closed = true
      for (const stop of stops) stop()
      await Promise.all(closing)
    },
  }
}

/** Lets so many pass between two rests, each as long as that; in the order in which they come. */
function createPace({ most, rest_ms }: { most: number; rest_ms: number }): () => Promise<void> {
  let passed = 0
  let turn = Promise.resolve()
  return () => {
    if (passed === most) {
      passed = 0
      turn = turn.then(() => sleep(rest_ms))
    }
    passed++
    return turn
  }
}
