// The public API as the checker sees it: raw status and JSON, no client library that could hide a lost answer. A request
// without an answer is a value here, since after a kill it is what one expects.
import { Pool } from 'undici'

/** What the checker reads of a task. */
export type TaskView = {
  id: string
  type: string
  status: string
  audit_status: string | null
  params: unknown
  response: unknown
  metadata: unknown
  unique_id: string | null
  callback_url: string | null
  callback_succeeded: boolean | null
}

export type DeliveryView = {
  id: string
  task_id: string
  event_id: string
  event: string
  sequence: number
  state: string
  resend: boolean
  attempt_count: number
}

export type AttemptView = { number: number; outcome: string; status: number | null }
export type EventView = { id: string; type: string; sequence: number }

/** A status and its parsed body. */
export type Answer = { status: number; body: unknown }

export type Api = AsyncDisposable & {
  /** Makes a call; undefined when the connection was refused or lost before the whole answer was there. */
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer | undefined>
  /** Reads what must be there; throws unless the answer is a 200. */
  get<T>(path: string): Promise<T>
  /** Reads all pages of a list; `path` carries the filters. */
  list<T>(path: string): Promise<T[]>
}

const PAGE_LIMIT = 100
// Longer than the longest wait that is asked for.
const ANSWER_MS = 60_000

/**
 * Opens connections to one server process; `key` is left out of calls to inbound URLs, as a provider has none. An answer
 * that takes longer than `answer_ms` is none.
 */
export function openApi(base_url: string, key: string, answer_ms = ANSWER_MS): Api {
  const pool = new Pool(base_url, { connections: 64, headersTimeout: answer_ms, bodyTimeout: answer_ms })
  let lost: unknown

  async function send(
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
  ): Promise<Answer | undefined> {
    const headers: Record<string, string> = { 'content-type': 'application/json', ...more }
    if (!path.startsWith('/v1/callbacks/')) headers['authorization'] = `Bearer ${key}`
    try {
      const answer = await pool.request({
        method,
        path,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
      })
      const text = await answer.body.text()
      return { status: answer.statusCode, body: text === '' ? null : JSON.parse(text) }
    } catch (error) {
      if (error instanceof SyntaxError) throw error
      lost = error
      return undefined
    }
  }

  async function get<T>(path: string): Promise<T> {
    const answer = await send('GET', path)
    if (answer === undefined) throw new Error(`GET ${path} got no answer`, { cause: lost })
    if (answer.status !== 200) throw new Error(`GET ${path} was answered ${JSON.stringify(answer)}`)
    return answer.body as T
  }

  return {
    send: (method, path, ...rest) => send(method as 'GET' | 'POST' | 'PATCH', path, ...rest),
    get,
    async list<T>(path: string) {
      const found: T[] = []
      const first = `${path}${path.includes('?') ? '&' : '?'}limit=${PAGE_LIMIT}`
      let cursor: string | null = ''
      while (cursor !== null) {
        const page: { data: T[]; next_cursor: string | null } = await get(
          cursor === '' ? first : `${first}&cursor=${encodeURIComponent(cursor)}`,
        )
        found.push(...page.data)
        cursor = page.next_cursor
      }
      return found
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  }
}
