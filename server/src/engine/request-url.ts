// Takes a callback URL apart into what an HTTP request needs. The fragment stays here, and credentials never go out in a
// request line.

/** `origin` and `path` (with the query) as requested; `authorization` is the header made of `user:password@`, or null. */
export type RequestUrl = { origin: string; path: string; authorization: string | null }

/** Splits an absolute URL. Credentials become Basic authentication in UTF-8 (RFC 7617). */
export function splitUrl(url: URL): RequestUrl {
  const { origin, pathname, search, username, password } = url
  const path = search === '' ? pathname : pathname + search
  if (username === '' && password === '') return { origin, path, authorization: null }
  const credentials = `${decodePercent(username)}:${decodePercent(password)}`
  return { origin, path, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A lone % is taken for itself.
    return text
  }
}
