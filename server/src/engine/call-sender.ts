// Sends a call and follows its redirects: five at most, each through the guard. Whatever could be a credential stays with the
// origin that it was given for, and within one time-out all of it has to be done.
import type { CallRequest } from '../domain/call.ts'
import { unanswered, type Outcome } from '../domain/outcome.ts'
import type { Clock } from './clock.ts'
import type { HttpSender, SendRequest } from './http-sender.ts'

export type CallSender = {
  /** Sends; whatever the other side does is an Outcome. Rejects for what could never be sent. */
  send(request: CallRequest & Pick<SendRequest, 'lane' | 'room'>): Promise<Outcome>
  /** Ends what is under way as `unknown` and closes every socket. Later calls end as `unknown` at once. */
  close(): Promise<void>
}

const MOST_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
// What another origin may know. Anything else may be a key, whatever its name is.
const HARMLESS = new Set(['accept', 'accept-encoding', 'accept-language', 'content-type', 'user-agent'])

/** Makes a sender of calls over one of requests, which it closes with itself. */
export function createCallSender({ sender, clock }: { sender: HttpSender; clock: Clock }): CallSender {
  return {
    async send({ lane, room, ...first }) {
      const deadline = clock.now() + first.timeout_ms
      let request: CallRequest = first
      for (let redirects = 0; ; redirects++) {
        const outcome = await sender.send({
          ...request,
          lane,
          room,
          timeout_ms: Math.max(1, deadline - clock.now()),
        })
        const url = targetOf(outcome, request.url)
        if (url === undefined) return outcome
        if (redirects === MOST_REDIRECTS)
          return unanswered('protocol', `The URL redirects more than ${MOST_REDIRECTS} times.`)
        room?.leave()
        request = redirected(request, url, outcome.status ?? 0)
      }
    },
    close: () => sender.close(),
  }
}

/** Where an answer redirects to; undefined when it does not, or to nothing that can be called. */
function targetOf({ status, response_headers }: Outcome, from: string): URL | undefined {
  const location = response_headers?.['location']
  if (status === null || !REDIRECTS.has(status) || location === undefined) return undefined
  const url = URL.parse(location, from)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined
}

/** The request after a redirect (RFC 9110 §15.4): only 307 and 308 keep the method and body of what was no GET. */
function redirected(request: CallRequest, url: URL, status: number): CallRequest {
  const kept = status === 307 || status === 308 || request.method === 'GET'
  const isSame = url.origin === new URL(request.url).origin
  const headers = Object.entries(kept ? request.headers : request.bare).filter(
    ([name]) => isSame || HARMLESS.has(name),
  )
  const bare = Object.entries(request.bare).filter(([name]) => isSame || HARMLESS.has(name))
  return {
    ...request,
    url: url.href,
    headers: Object.fromEntries(headers),
    bare: Object.fromEntries(bare),
    ...(kept ? {} : { method: 'GET', body: null }),
  }
}
