// A destination is the isolation key of outgoing work: project + mode + origin, or + mail domain. Two customers with the
// same receiver never share one, so that neither can slow the other.
import { AppError } from './errors.ts'
import type { Histogram } from './histogram.ts'
import type { Mode } from './project.ts'

/** A destination that has done nothing but fail for this long is paused; longer if its deliveries are retried longer. */
export const FAILING_PAUSE_MS = 86_400_000

/** What goes to a destination: callbacks, or calls for tasks. Those of one origin are two, and neither waits for the other. */
export type DestinationKind = 'callback' | 'call'

/** Who paused a destination: a person, or a day of nothing but failures. */
export type PauseReason = 'operator' | 'failing'

/**
 * A destination as an operator sees it. `opened_at` is since when its breaker is open, `waiting` counts its pending
 * deliveries up to 10,000, `oldest_waiting_at` is when the oldest of the first thousand was made, `attempts` are those of
 * the last hour.
 */
export type DestinationReport = {
  id: string
  project_id: string
  mode: Mode
  kind: DestinationKind
  key: string
  due_at: number | null
  paused_at: number | null
  pause_reason: PauseReason | null
  opened_at: number | null
  failing_since: number | null
  created_at: number
  waiting: number
  oldest_waiting_at: number | null
  attempts: { delivered: number; failed: number; durations: Histogram }
}

/** Where a callback goes. `key` isolates: an origin with its port, or `mailto:` and the domain of an `address`. */
export type Target = { kind: 'http'; key: string } | { kind: 'mail'; key: string; address: string }

const MAX_LENGTH = 2048
// No control character in a local part: it becomes part of an SMTP command and of a header.
const MAIL = /^[^\s\p{Cc}@<>"(),:;\\[\]]{1,64}@(?=.{1,253}$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/u

// A name without a dot, localhost, or a number: there the mail server would find its own users, or a machine beside it.
const NO_MAIL_DOMAIN = /^[^.]+$|\.(?:localhost|\d+|0x[\da-f]*)$/i

/** Whether a text is one mailbox's address and nothing else. */
export const isMailAddress = (text: string): boolean => MAIL.test(text)

/** The kind of a callback URL that has been accepted, without reading all of it. */
export const targetKind = (callback_url: string): Target['kind'] =>
  /^https?:/i.test(callback_url) ? 'http' : 'mail'

const isSpaceOrControl = (char: string) => char <= ' ' || char === '\u007f'

/** Reads a callback URL: http(s) URL or e-mail address, with `mailto:` before it or without. Throws `invalid_callback_url` naming `field` and what is wrong. */
export function parseTarget(callback_url: string, field = 'callback_url'): Target {
  const invalid = (why: string) => new AppError('invalid_callback_url', `${field}: ${why}`)
  if (callback_url.length > MAX_LENGTH) throw invalid(`longer than ${MAX_LENGTH} characters`)
  if (Array.from(callback_url).some(isSpaceOrControl))
    throw invalid('has a space or a control character; encode it')
  const address = withoutScheme(callback_url)
  if (isMailAddress(address)) {
    const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase()
    if (NO_MAIL_DOMAIN.test(domain))
      throw invalid(`${domain} is no mail domain of the internet; give one such as example.com`)
    return { kind: 'mail', key: `mailto:${domain}`, address }
  }
  let url: URL
  try {
    url = new URL(callback_url)
  } catch {
    throw invalid('neither an absolute http(s) URL nor an e-mail address')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`scheme ${url.protocol} is not supported; use https or http, or an e-mail address`)
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return { kind: 'http', key: `${url.protocol}//${url.hostname}:${port}` }
}

/** The address of a mailto: URL (RFC 6068), where percent signs stand for characters; anything else as it is. */
function withoutScheme(callback_url: string): string {
  const [, address] = /^mailto:(.*)$/i.exec(callback_url) ?? []
  if (address === undefined) return callback_url
  try {
    return decodeURIComponent(address)
  } catch {
    return callback_url
  }
}

/** What may be written down of a callback URL that has been judged: its user, path and query may be secrets. */
export const toldUrl = (callback_url: string | null): string | null =>
  callback_url === null ? null : parseTarget(callback_url).key
