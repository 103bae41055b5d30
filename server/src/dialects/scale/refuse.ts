// Scale's errors (contract §5): always `{"status_code", "error"}`, never empty, and of few statuses. Its clients read `error`
// alone, so that the text has to say everything.
import { problems, type AppError, type ProblemCode } from '../../domain/errors.ts'
import { print } from '../../domain/json.ts'
import type { Refusal } from '../front.ts'

/** Statuses that Scale says in another way than we do. */
const statuses: Partial<Record<ProblemCode, number>> = {
  invalid_transition: 400,
  nothing_to_resend: 400,
  destination_forbidden: 400,
  mail_not_configured: 400,
  unsupported_media_type: 400,
  request_timeout: 400,
  headers_too_large: 400,
  pruned: 404,
  idempotency_key_reused: 409,
}

/** Says an error in Scale's words. */
export function refuse({ code, message }: AppError): Refusal {
  const status = statuses[code] ?? problems[code].status
  return { status, body: print({ status_code: status, error: message }) }
}
