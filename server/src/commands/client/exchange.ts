// One call through the sdk's client, with its JSON as text on both ways: the client parses and prints JSON, and a number
// such as 1950000000000000001 or 1.0 would not survive that. So the text is put in and taken out at its `fetch`.
import { createClient, type Client, type RingbackError } from '@ringback/sdk'
import { elements, members } from '../../domain/json.ts'
import type { Server } from './server.ts'

// Longer than the longest wait that a server grants.
const TIMEOUT_MS = 90_000

/** The server did not answer: the message says what to do. */
class UnreachableError extends Error {
  constructor({ url }: Server, cause: unknown) {
    super(
      `no answer from ${url} (${reasonOf(cause)}): start the server with \`ringback dev\`, or name another with --url or RINGBACK_URL`,
      { cause },
    )
    this.name = 'UnreachableError'
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `none in ${TIMEOUT_MS / 1000} s`
  if (!(error.cause instanceof Error)) return error.message
  return 'code' in error.cause ? String(error.cause.code) : error.cause.message
}

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
    createClient({
      baseUrl: server.url,
      key: server.key,
      async fetch(input, init) {
        try {
          const signal = AbortSignal.timeout(TIMEOUT_MS)
          const response = await fetch(input, { ...init, signal, ...(body === undefined ? {} : { body }) })
          answer = await response.clone().text()
          return response
        } catch (error) {
          throw new UnreachableError(server, error)
        }
      },
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
