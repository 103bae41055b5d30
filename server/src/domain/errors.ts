// Everything a caller can do wrong has a code here, and nowhere else. What is not an AppError is a bug: answered as 500
// without a word about its cause.

/** The stable problem codes of the API: HTTP status and title (native contract §1). */
export const problems = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  unknown_field: { status: 400, title: 'The request has a field that does not exist' },
  invalid_callback_url: { status: 400, title: 'The callback URL is not valid' },
  unauthorized: { status: 401, title: 'The key is missing or not valid' },
  insufficient_scope: { status: 403, title: 'The key may not do this' },
  not_found: { status: 404, title: 'There is no such thing' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_timeout: { status: 408, title: 'The request came too slowly' },
  invalid_transition: { status: 409, title: 'The task is in another state' },
  unique_id_taken: { status: 409, title: 'The unique_id is in use' },
  nothing_to_resend: { status: 409, title: 'There is nothing to send again' },
  conflict: { status: 409, title: 'Another request changed this at the same time' },
  pruned: { status: 410, title: 'The data was deleted after its retention time' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  idempotency_key_reused: { status: 422, title: 'The idempotency key was used with another body' },
  destination_forbidden: { status: 422, title: 'The destination is not allowed' },
  mail_not_configured: { status: 422, title: 'E-mail is not configured' },
  rate_limited: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'The request has too many headers, or too long ones' },
  internal_error: { status: 500, title: 'Something is wrong on our side' },
  shutting_down: { status: 503, title: 'The server is shutting down' },
  overloaded: { status: 503, title: 'The server is overloaded' },
  store_unavailable: { status: 503, title: 'The store is not available' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof problems

/** What a caller did wrong, or what we cannot do now. `detail` names the field and the remedy; `extra` joins the answer. */
export class AppError extends Error {
  readonly code: ProblemCode
  readonly extra: Readonly<Record<string, unknown>>

  constructor(code: ProblemCode, detail: string, extra: Record<string, unknown> = {}) {
    super(detail)
    this.name = 'AppError'
    this.code = code
    this.extra = extra
  }
}
