// One HTTP call of the API: path, query, key, JSON in and out. Nothing is retried here, since only the caller knows
// whether a call that may have arrived can be made twice (`idempotencyKey` makes a create safe to repeat).
import { RingbackError } from './errors.ts'

/** Where the API is and who asks. */
export type ClientOptions = {
  /** The server's address, with its path if it stands behind a prefix: `http://localhost:7464`. */
  baseUrl: string
  /** `rb_live_…`, `rb_test_…`, an operator key, or the admin key for `admin.*`; only `inbound.resolve` needs none. */
  key?: string
  /** A replacement of the global `fetch`. */
  fetch?: typeof fetch
}

/** What every call takes: a signal that ends it early, with the error `fetch` throws for that. */
export type CallOptions = { signal?: AbortSignal | undefined }

// What is undefined is left out.
type Query = { readonly [name: string]: string | number | boolean | undefined }

/** One call, as the routes describe it to `createTransport`. */
export type Call = CallOptions & {
  query?: Query | undefined
  body?: unknown
  idempotencyKey?: string | undefined
}

/** Makes a call and gives the parsed answer (undefined for an empty one); throws RingbackError unless it is a 2xx. */
export type Transport = <T>(method: string, path: string, call?: Call) => Promise<T>

/** Makes the function that all routes call through. */
export function createTransport({ baseUrl, key, fetch = globalThis.fetch }: ClientOptions): Transport {
  const base = baseUrl.replace(/\/+$/, '')
  return async <T>(method: string, path: string, call: Call = {}) => {
    const headers = {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(call.idempotencyKey === undefined ? {} : { 'idempotency-key': call.idempotencyKey }),
    }
    return callJson<T>(fetch, `${base}${path}${toQuery(call.query)}`, { ...call, method, headers })
  }
}

/** Makes one call to a whole URL, sending no headers but those given. Throws RingbackError unless the answer is a 2xx. */
export async function callJson<T>(
  fetch: typeof globalThis.fetch,
  url: string,
  { method, headers, body, signal }: Call & { method: string; headers?: Record<string, string> },
): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    // Following one would turn a POST into a GET without a body.
    redirect: 'manual',
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? null,
  })
  const text = await response.text()
  const answer = parse(text)
  if (!response.ok || !answer.isJson) {
    throw new RingbackError(response.status, answer.value, response.headers.get('retry-after'))
  }
  return answer.value as T
}

/**
 * Puts values into a path, encoded: `` path`/v1/tasks/${id}` ``. Throws a TypeError for an empty value, `.` and `..`, which
 * no encoding protects: URL parsers would drop the segment and the call would go to another route.
 */
export function path(parts: TemplateStringsArray, ...values: string[]): string {
  return parts.reduce((before, part, index) => before + segment(values[index - 1] ?? '') + part)
}

function segment(value: string): string {
  if (value === '' || value === '.' || value === '..') throw new TypeError(`An id cannot be "${value}"`)
  return encodeURIComponent(value)
}

function toQuery(query: Query = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, String(value))
  }
  return params.size === 0 ? '' : `?${params.toString()}`
}

function parse(text: string): { isJson: boolean; value: unknown } {
  if (text === '') return { isJson: true, value: undefined }
  try {
    return { isJson: true, value: JSON.parse(text) }
  } catch {
    return { isJson: false, value: text }
  }
}
