// What became of one attempt, as a value: a receiver that fails, hangs or lies is normal operation and never an exception.
// The status line decides. A 2xx whose body broke off is still delivered; only its log is truncated.

/** Every way an attempt can end. The order is that of the journey backwards: what came furthest stands first. */
export const outcomeKinds = [
  'delivered', // a 2xx, or a mail server's word that it takes care of a mail
  'status', // any other status, 3xx too: a callback follows no redirect
  'refused', // a mail server's word that it will never take this mail
  'deferred', // a mail server's word that it does not take it now, or not from us
  'timeout', // no status line in time
  'protocol', // the answer was no valid HTTP or SMTP, or too large
  'tls', // no trusted, encrypted connection
  'connection', // none at all, or it broke before an answer
  'dns', // the name did not resolve
  'forbidden', // the egress guard refused the address
  'unknown', // nobody saw the end: the lease ran out or we were stopped; it burns no retry
] as const

export type OutcomeKind = (typeof outcomeKinds)[number]
type UnansweredKind = Exclude<OutcomeKind, 'delivered' | 'status' | 'refused' | 'deferred'>

/**
 * How one attempt ended. `status` and what follows from it are null when no status line came; `retry_after_ms` is the
 * receiver's wish in milliseconds from now; `truncated` says that the body was longer, or slower, than what was read of it.
 * Of a mail `status` is the code of the server's last reply, and `response_body` its text.
 */
export type Outcome = {
  kind: OutcomeKind
  status: number | null
  retry_after_ms: number | null
  response_headers: Record<string, string> | null
  response_body: string | null
  truncated: boolean
  remote_address: string | null
  error: string | null
}

/** The outcome of an attempt that got no status line; `error` is one plain sentence. */
export function unanswered(
  kind: UnansweredKind,
  error: string,
  remote_address: string | null = null,
): Outcome {
  return {
    kind,
    status: null,
    retry_after_ms: null,
    response_headers: null,
    response_body: null,
    truncated: false,
    remote_address,
    error,
  }
}

// A receiver may ask for any number of seconds; beyond this the sum with a time would no longer be an exact integer.
const LONGEST_WAIT_MS = 365 * 86_400_000
const HTTP_DATE = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*\d\d:\d\d:\d\d/i

/**
 * Reads a `Retry-After` value (RFC 9110 §10.2.3: seconds, or an HTTP date in any of its three forms) as milliseconds from
 * `now`. What lies in the past or below zero is 0, more than a year is a year, anything else is null.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  const text = value?.trim() ?? ''
  if (/^-?\d+$/.test(text)) return clampWait(Number(text) * 1000)
  if (!HTTP_DATE.test(text)) return null
  // The asctime form names no zone but means GMT; Date.parse would take it for local time.
  const time = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(time) ? null : clampWait(time - now)
}

const clampWait = (wait_ms: number) => Math.min(Math.max(wait_ms, 0), LONGEST_WAIT_MS)

type Failure = { kind: UnansweredKind; error: string }

/** An error that already knows how the attempt ended: thrown where the reason is known, understood by `classifyError`. */
export class SendError extends Error {
  readonly kind: Failure['kind']

  constructor(kind: Failure['kind'], message: string) {
    super(message)
    this.name = 'SendError'
    this.kind = kind
  }
}

const sentences: Record<string, [Failure['kind'], string]> = {
  UND_ERR_HEADERS_OVERFLOW: ['protocol', "The answer's headers are too large"],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['protocol', 'The answer is not as long as its content-length says'],
  UND_ERR_SOCKET: ['connection', 'The receiver closed the connection before it answered'],
  UND_ERR_DESTROYED: ['unknown', 'stopped'],
  UND_ERR_CLOSED: ['unknown', 'stopped'],
  ECONNREFUSED: ['connection', 'The receiver refused the connection'],
  ECONNRESET: ['connection', 'The receiver reset the connection before it answered'],
  EPIPE: ['connection', 'The receiver closed the connection before it read the request'],
  EHOSTUNREACH: ['connection', 'No route leads to the receiver'],
  ENETUNREACH: ['connection', 'No route leads to the receiver'],
  EMFILE: ['connection', 'This server has no free file descriptor for a connection'],
  ETIMEDOUT: ['timeout', 'The connection timed out'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['tls', "The receiver's certificate is self-signed"],
  SELF_SIGNED_CERT_IN_CHAIN: ['tls', "The receiver's certificate chain ends in a self-signed one"],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['tls', "The receiver's certificate chain is incomplete"],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['tls', "The issuer of the receiver's certificate is not trusted"],
  CERT_HAS_EXPIRED: ['tls', "The receiver's certificate has expired"],
  CERT_NOT_YET_VALID: ['tls', "The receiver's certificate is not valid yet"],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls', "The receiver's certificate is for another name"],
}

const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|UNABLE_TO_|CRL_|INVALID_(?:CA|PURPOSE)|HOSTNAME_MISMATCH)/

/** Says of an error from the HTTP client, TLS or a socket how the attempt ended, and why in one plain sentence. */
export function classifyError(error: unknown): Failure {
  if (error instanceof SendError) return { kind: error.kind, error: error.message }
  if (!(error instanceof Error)) return { kind: 'connection', error: 'The request failed.' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error.name === 'HTTPParserError')
    return { kind: 'protocol', error: `The answer is not valid HTTP${code === '' ? '' : ` (${code})`}.` }
  // The client's word for an answer that HTTP allows but nobody asked for: 100 Continue, 101 Switching Protocols.
  if (code === 'UND_ERR_SOCKET' && error.message.startsWith('bad ')) {
    return {
      kind: 'protocol',
      error: 'The receiver answered with an interim response that was not asked for.',
    }
  }
  const [kind, sentence] = sentences[code] ?? []
  if (kind === 'unknown') return { kind, error: 'stopped' }
  if (kind !== undefined) return { kind, error: `${sentence} (${code}).` }
  if (TLS_CODE.test(code)) return { kind: 'tls', error: `The TLS handshake failed (${code}).` }
  return { kind: 'connection', error: `The request failed (${code === '' ? error.message : code}).` }
}
