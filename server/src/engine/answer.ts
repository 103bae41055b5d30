// A receiver's answer as it is kept in the log: text that both databases can hold, without its secrets.
import { StringDecoder } from 'node:string_decoder'
import type { IncomingHttpHeaders } from 'undici/types/header.js'

/**
 * The headers by lower-case name, repeated ones joined by `, `, cookies hidden. Their size is bounded by the HTTP client,
 * whose parser also refuses NUL.
 */
export function headerRecord(headers: IncomingHttpHeaders): Record<string, string> {
  const record: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined) continue
    if (name === 'set-cookie') record[name] = '(hidden)'
    else record[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return record
}

/**
 * The body as text: at most `limit` bytes of it, read as UTF-8 whatever it says it is. Invalid bytes and NUL, which
 * PostgreSQL cannot store, become U+FFFD (so the text may take three times as many bytes); a character cut in two is
 * left out.
 */
export function bodyText(chunks: readonly Buffer[], limit: number): string {
  const [first] = chunks
  if (first === undefined) return ''
  const bytes = chunks.length === 1 ? first : Buffer.concat(chunks)
  const text =
    bytes.length <= limit ? bytes.toString() : new StringDecoder('utf8').write(bytes.subarray(0, limit))
  return text.replaceAll('\0', '\uFFFD')
}
