// What the outcome of a call says, in the words that its task's customer reads.
import { STATUS_CODES } from 'node:http'
import type { CallAnswer } from '../domain/call-step.ts'
import type { Outcome } from '../domain/outcome.ts'

/** Reads an outcome whose answer may have `most_bytes` at most. */
export function answerOf(
  outcome: Outcome,
  { most_bytes, duration_ms }: { most_bytes: number; duration_ms: number },
): CallAnswer {
  const { kind, status, error } = outcome
  if (kind === 'unknown') return { kind: 'unknown' }
  if (kind === 'forbidden') return { kind: 'unusable', error: error ?? 'The address may not be called.' }
  if (status === null) return { kind: 'unanswered', error: error ?? 'There was no answer.' }
  const body = outcome.response_body ?? ''
  const headers = outcome.response_headers ?? {}
  if (outcome.truncated) {
    // A character that was cut in two is left out of the text.
    return Buffer.byteLength(body) > most_bytes - 4
      ? { kind: 'unusable', error: `The answer is longer than ${most_bytes} bytes.` }
      : { kind: 'unanswered', error: 'The answer did not come to its end in time, or broke off.' }
  }
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding.toLowerCase() !== 'identity' && body !== '')
    return { kind: 'unusable', error: 'The answer is compressed though that was not asked for.' }
  const { retry_after_ms } = outcome
  return { kind: 'answered', status, headers, body, error: faultOf(status), retry_after_ms, duration_ms }
}

/** What is wrong with a status (asyncqueue contract §1.4); null below 400. */
function faultOf(status: number): string | null {
  if (status < 400) return null
  const whose = status < 500 ? 'Client' : 'Server'
  return `${whose} error: HTTP ${status} - ${STATUS_CODES[status] ?? 'Unknown'}`
}
