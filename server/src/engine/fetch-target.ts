// Where a fetch goes: the URL given, then whatever the answers redirect to. Credentials belong to the origin they were given
// for, and once another origin has been asked they never come back.
import type { IncomingHttpHeaders } from 'undici/types/header.js'
import { FetchError } from '../dialects/work.ts'
import { schemeFault } from './egress.ts'
import { splitUrl } from './request-url.ts'

/** What is asked next, with the credentials that its origin may see. */
export type Target = { url: URL; authorization: string | null }

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** The target of a URL as it was given. Throws a FetchError for one that is not http or https. */
export function firstTarget(text: string): Target {
  const url = URL.parse(text)
  if (url === null || schemeFault(url) !== undefined)
    throw new FetchError(
      'invalid_url',
      'The URL is not valid; give one that begins with http:// or https://.',
    )
  return { url, authorization: splitUrl(url).authorization }
}

/** Where an answer redirects to, or undefined when it does not. Throws a FetchError for what is not http or https. */
export function nextTarget(
  { url, authorization }: Target,
  { statusCode, headers }: { statusCode: number; headers: IncomingHttpHeaders },
): Target | undefined {
  const { location } = headers
  if (!REDIRECTS.has(statusCode) || typeof location !== 'string') return undefined
  const next = URL.parse(location, url)
  if (next === null || schemeFault(next) !== undefined) {
    const message =
      'The URL redirects to something that is not http or https; give the address of the file itself.'
    throw new FetchError('invalid_url', message, statusCode)
  }
  const kept = next.origin === url.origin ? authorization : null
  return { url: next, authorization: splitUrl(next).authorization ?? kept }
}
