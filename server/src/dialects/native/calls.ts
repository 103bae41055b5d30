// How native tasks have something called for them: a 2xx is an answer, and what may be another one soon is tried again.
import { compact, hasNul } from '../../domain/json.ts'
import { isJson } from '../../domain/json-check.ts'
import type { DialectCalls } from '../dialect.ts'

const PASSING = new Set([408, 425, 429])

export const nativeCalls: DialectCalls = {
  placeholder: '{resolve_url}',
  inbound_path: '/v1/callbacks/',
  headers: () => ({}),
  verdict(status) {
    if (status >= 200 && status < 300) return 'good'
    return status >= 500 || PASSING.has(status) ? 'again' : 'bad'
  },
  heeds_retry_after: true,
  response: jsonOf,
}

/** A text as JSON: what it is, if it is JSON, else a JSON string; null for nothing. */
function jsonOf(text: string): string {
  if (text.trim() === '') return 'null'
  return !isJson(text) || hasNul(text) ? JSON.stringify(text) : compact(text)
}
