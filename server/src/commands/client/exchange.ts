// Calls through the sdk's client. Whoever shows an answer takes it as text, by `exchange`: the client parses and prints
// JSON, and a number such as 1950000000000000001 or 1.0 would not survive that. So the text is put in and taken out at its
// `fetch`.
import { createClient, type Client, type RingbackError } from '@ringback/sdk'
import { elements, members } from '../../domain/json.ts'
import type { Server } from './server.ts'

// Longer than the longest wait that a server grants.
const TIMEOUT_MS = 90_000

/** The server did not answer: the message says what to do. */
class UnreachableError extends Error {
  constructor({ url }: Server, cause: unknown) {
    super(
      `no answer from ${url} (${unreachableReason(cause)}): start the server with \`ringback dev\`, or name another with --url or RINGBACK_URL`,
      { cause },
    )
    this.name = 'UnreachableError'
  }
}

/** Why a `fetch` threw, in a word or two. */
export function unreachableReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'time-out'
  if (!(error.cause instanceof Error)) return error.message
  return 'code' in error.cause ? String(error.cause.code) : error.cause.message
}

/** A client of the server. Its calls throw UnreachableError when there is no answer; `send` stands in for `fetch`. */
export const clientOf = (server: Server, send: typeof fetch = fetch): Client =>
  createClient({
    baseUrl: server.url,
    key: server.key,
    async fetch(input, init) {
      const timeout = AbortSignal.timeout(TIMEOUT_MS)
      const given = init?.signal
      try {
        return await send(input, { ...init, signal: given ? AbortSignal.any([given, timeout]) : timeout })
      } catch (error) {
        throw given?.aborted === true ? error : new UnreachableError(server, error)
      }
    },
  })

/**
 * Makes one call and gives the answer's text. With `body`, a JSON text, that is what is sent, whatever body `call` gives
 * to the client. Throws RingbackError for a refusal and UnreachableError when there is no answer.
 */
export async function exchange(
  server: Server,
  call: (client: Client) => Promise<unknown>,
  body?: string,
): Promise<string> {
  let answer = ''
  await call(
    clientOf(server, async (input, init) => {
      const response = await fetch(input, { ...init, ...(body === undefined ? {} : { body }) })
      answer = await response.clone().text()
      return response
    }),
  )
  return answer
}

/** Walks a list through all its pages; gives the rows' texts. */
export async function everyRow(
  server: Server,
  list: (client: Client, page: { limit: number; cursor?: string }) => Promise<unknown>,
): Promise<string[]> {
  const rows: string[] = []
  let cursor: string | null = null
  do {
    const page = { limit: 100, ...(cursor === null ? {} : { cursor }) }
    const answer = members(await exchange(server, (client) => list(client, page)))
    rows.push(...elements(answer.get('data') ?? '[]'))
    cursor = JSON.parse(answer.get('next_cursor') ?? 'null') as string | null
  } while (cursor !== null)
  return rows
}

/** One sentence for a refusal, with its stable code. */
export function refusal({ status, title, detail, code, retryAfterS }: RingbackError): string {
  if (code === null)
    return `the answer is not that of a Ringback server (HTTP status ${status}): see --url and RINGBACK_URL`
  const later = retryAfterS === null ? '' : `; try again in ${retryAfterS} s`
  return `${detail ?? title} (${code})${later}`
}
