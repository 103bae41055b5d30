// What providers send to inbound URLs, made fit to keep: secrets removed, broken bytes replaced, JSON recognised.
import { isUtf8 } from 'node:buffer'
import { isTooDeep } from '../domain/json.ts'
import { isJson } from '../domain/json-check.ts'

// A provider's credentials are none of our business, and a ledger is read by many.
const SECRET_HEADER = /authorization|cookie|token|secret|password|api-?key|(^|-)(auth|key)($|-)/

const BOM = '\ufeff'

/** Prints a request's headers as a JSON object without credentials; repeated ones are joined as HTTP does. */
export function ledgerHeaders(rawHeaders: readonly string[]): string {
  const headers = new Map<string, string>()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    if (SECRET_HEADER.test(name)) continue
    const value = rawHeaders[i + 1] ?? ''
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return JSON.stringify(Object.fromEntries(headers))
}

/** Any bytes as a text that both databases can keep: what is not UTF-8, and NUL, becomes U+FFFD. */
export const cleanText = (bytes: Buffer): string => bytes.toString().replaceAll('\0', '\ufffd')

/** The JSON text in a body, without a byte order mark; undefined for anything else, and for what is nested too deep. */
export function jsonTextOf(bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return undefined
  const decoded = bytes.toString()
  const text = decoded.startsWith(BOM) ? decoded.slice(1) : decoded
  return isJson(text) && !isTooDeep(text) ? text : undefined
}
