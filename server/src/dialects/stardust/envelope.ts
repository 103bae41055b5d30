// Every answer is an envelope (contract §1), errors too, and its `code` stands beside the HTTP status: three digits are that
// status, four digits are a business code and go out with 200 (contract §6). Clients look at `success`.
import { randomUUID } from 'node:crypto'
import { AppError, problems, type ProblemCode } from '../../domain/errors.ts'
import { print, type Printable } from '../../domain/json.ts'
import type { Refusal } from '../front.ts'
import { wallTime } from './wall-time.ts'

/** The business codes that this dialect has a cause for (contract §6). */
export const businessCodes = {
  first_pool_not_distribution: 5509,
  last_pool_not_completion: 5523,
  project_name_taken: 5801,
  no_project: 5802,
  wrong_data_type: 5838,
  bad_operators: 5839,
  bad_workflow: 5841,
} as const

const SUCCESS = 200
const WRONG_SIGNATURE = 401
const SIGNATURE_EXPIRED = 403

const envelope = (code: number, message: string, data: Printable): string =>
  print({
    code,
    message,
    data,
    date: wallTime(Date.now()),
    requestId: randomUUID().replaceAll('-', ''),
    success: code === SUCCESS,
  })

/** The text of an answer with this data. */
export const success = (data: Printable): string => envelope(SUCCESS, 'Success', data)

/** What is wrong with a parameter of a request; `code` is a business code, and without one 400. */
export const illegalParameter = (message: string, code?: number): AppError =>
  new AppError('invalid_request', message, code === undefined ? {} : { wire_code: code })

/** The signature was made with another secret (401). */
export const wrongSignature = (message: string): AppError =>
  new AppError('unauthorized', message, { wire_code: WRONG_SIGNATURE })

/** The signature was made too long ago, or too far ahead (403). */
export const signatureExpired = (message: string): AppError =>
  new AppError('unauthorized', message, { wire_code: SIGNATURE_EXPIRED })

// What HTTP has a word of its own for keeps it; everything else is one of the platform's codes.
const codes: Partial<Record<ProblemCode, number>> = {
  unauthorized: 402,
  not_found: 404,
  pruned: 404,
  method_not_allowed: 405,
  body_too_large: 413,
  unsupported_media_type: 415,
}

function codeOf({ code, extra }: AppError): number {
  if (typeof extra['wire_code'] === 'number') return extra['wire_code']
  const { status } = problems[code]
  return codes[code] ?? (status >= 429 ? status : 400)
}

/** Says any error as a failure. */
export function refuse(error: AppError): Refusal {
  const code = codeOf(error)
  return { status: code > 999 ? 200 : code, body: envelope(code, error.message, null) }
}
