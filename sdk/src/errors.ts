// The two things that can go wrong for a user of this package: the API refused a call, or a callback is not genuine.
// Network trouble is neither: it passes through as `fetch` threw it.

/** Why a callback was refused, or a secret cannot be used. The codes are stable; messages are for people. */
export type VerificationCode =
  | 'missing_header'
  | 'bad_timestamp'
  | 'too_old'
  | 'too_new'
  | 'no_matching_signature'
  | 'malformed_secret'
  | 'invalid_json'

/** A callback that must not be believed (or, with `malformed_secret`, a secret that cannot sign or verify any). */
export class VerificationError extends Error {
  readonly code: VerificationCode

  constructor(code: VerificationCode, message: string) {
    super(message)
    this.name = 'VerificationError'
    this.code = code
  }
}

/**
 * An answer of the API that is not a 2xx, or is not JSON. The fields are those of RFC 9457; `code` is the stable word
 * to branch on, null when the answer carries none (a proxy's error page, the inbound route's `{"error"}`).
 */
export class RingbackError extends Error {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string | null
  readonly code: string | null
  /** The whole answer: the parsed JSON with any further fields (`task_id`, `current`), or the text if it is not JSON. */
  readonly body: unknown
  /** Seconds of a `retry-after` header (429 and 503 have one), else null. */
  readonly retryAfterS: number | null

  constructor(status: number, body: unknown, retryAfter: string | null = null) {
    const problem = asProblem(body)
    const title = problem.title ?? `HTTP status ${status}`
    const detail = problem.detail ?? problem.error ?? null
    super(detail ?? title)
    this.name = 'RingbackError'
    this.type = problem.type ?? 'about:blank'
    this.title = title
    this.status = status
    this.detail = detail
    this.code = problem.code ?? null
    this.body = body
    this.retryAfterS = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null
  }
}

type ProblemText = Partial<Record<'type' | 'title' | 'detail' | 'code' | 'error', string>>

function asProblem(body: unknown): ProblemText {
  if (typeof body !== 'object' || body === null) return {}
  return Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'))
}
