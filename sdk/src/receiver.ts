// Receives callbacks on a Fetch-style route: verify, drop duplicates, hand over, and only then say 2xx. Ringback retries
// whatever is not a 2xx for 24 hours, so an early 2xx is the only way to lose an event, and `onEvent` may see one twice
// (it threw after half its work, or two processes received it): make what it does safe to repeat.
import { VerificationError } from './errors.ts'
import { createVerifier } from './verify.ts'
import type { CallbackEvent } from './contract.ts'
import type { VerifyOptions } from './verify.ts'

/** Remembers the ids of handled events; a `Set` would do, a table shared by all processes is better. */
export type SeenStore = {
  has(id: string): boolean | Promise<boolean>
  add(id: string): unknown
}

/** What a receiver needs to know. */
export type ReceiverOptions = VerifyOptions & {
  /** The project's `whsec_…` signing secret, or several while a rotation lasts. */
  secrets: string | readonly string[]
  /** Handles one event; it has about 25 s, since Ringback waits 30 s for the status line. Throwing means: send it again. */
  onEvent: (event: CallbackEvent) => unknown
  /** Where handled ids are kept; by default `memorySeen()`, which a restart forgets. */
  seen?: SeenStore
  /** The longest body that is read, in bytes (default 5 MiB); a longer one is answered with 413. */
  maxBytes?: number
  /** Hears what `onEvent` or `seen` threw (the answer is 500 without a cause); by default it goes to the console. */
  onError?: (error: unknown, event: CallbackEvent) => void
}

/** Answers one request; it rejects only for a bug in the caller's own `onError`. */
export type Receiver = (request: Request) => Promise<Response>

/** Seconds after which Ringback is asked to try again while the same event is still being handled. */
const BUSY_RETRY_S = 5

/**
 * Makes a receiver for Hono, Bun, Deno, Next.js, Workers and whatever else speaks `Request → Response`; node:http takes it
 * through `toNodeListener`. Duplicates (same `webhook-id`, which is the event's id) are answered 200 and not handled again,
 * unless they are marked as a re-send. Throws `malformed_secret` at once.
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { onEvent, seen = memorySeen(), maxBytes = 5 * 1024 * 1024, onError = logError } = options
  const verify = createVerifier(options.secrets, options)
  const busy = new Set<string>()

  const handle = async (event: CallbackEvent, isResend: boolean): Promise<Response> => {
    if (busy.has(event.id)) {
      return refuse(503, 'busy', 'This event is still being handled', { 'retry-after': String(BUSY_RETRY_S) })
    }
    // Before the first await: a store that answers late must not let a second request pass.
    busy.add(event.id)
    try {
      if (!isResend && (await seen.has(event.id))) return Response.json({ received: true, duplicate: true })
      await onEvent(event)
      await seen.add(event.id)
      return Response.json({ received: true })
    } catch (error) {
      onError(error, event)
      return refuse(500, 'handler_failed', 'The event could not be handled; send it again')
    } finally {
      busy.delete(event.id)
    }
  }

  return async (request) => {
    if (request.method !== 'POST')
      return refuse(405, 'method_not_allowed', 'Callbacks are POSTed', { allow: 'POST' })
    if (request.bodyUsed) return refuse(500, 'body_already_read', BODY_ALREADY_READ)
    const body = await readBody(request, maxBytes)
    if (body instanceof Response) return body
    try {
      const event = verify(request.headers, body)
      return await handle(event, request.headers.get('ringback-resend') === '1')
    } catch (error) {
      if (error instanceof VerificationError) return refuse(statusOf(error), error.code, error.message)
      throw error
    }
  }
}

/** Keeps the last `limit` handled ids in memory, the least recently seen leaving first. */
export function memorySeen(limit = 10_000): SeenStore {
  const ids = new Set<string>()
  const touch = (id: string) => {
    ids.delete(id)
    ids.add(id)
    for (const oldest of ids) {
      if (ids.size <= limit) break
      ids.delete(oldest)
    }
  }
  return {
    has: (id) => {
      const known = ids.has(id)
      if (known) touch(id)
      return known
    },
    add: touch,
  }
}

/** What a receiver says when something in front of it has consumed the body; there is nothing left to verify. */
export const BODY_ALREADY_READ =
  'The body was read before it could be verified; put the receiver in front of every body parser'

/** Makes a refusal: a small JSON body with a stable code, since Ringback shows it in the attempt's log. */
export function refuse(
  status: number,
  code: string,
  detail: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ error: { code, detail } }, { status, headers })
}

function statusOf({ code }: VerificationError): number {
  return code === 'missing_header' || code === 'bad_timestamp' || code === 'invalid_json' ? 400 : 401
}

async function readBody(request: Request, maxBytes: number): Promise<Uint8Array | Response> {
  const tooLarge = () => refuse(413, 'body_too_large', `The body is longer than ${maxBytes} bytes`)
  if (Number(request.headers.get('content-length')) > maxBytes) return tooLarge()
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.byteLength
      if (length > maxBytes) return tooLarge()
      chunks.push(chunk)
    }
  } catch {
    return refuse(400, 'incomplete_body', 'The body ended early')
  }
  return Buffer.concat(chunks)
}

function logError(error: unknown, event: CallbackEvent): void {
  // oxlint-disable-next-line no-console -- an error that nobody hears is worse than a line on the console
  console.error(`ringback receiver: event ${event.id} (${event.type}) failed and will be sent again`, error)
}
