// The first receiver: `dev` sends its own project's callbacks to /dev/inbox, verifies them as a customer would and shows
// them. /dev/inbox/fail/2 answers 500 to the first two attempts of a delivery.
import { verifyCallback, VerificationError, type CallbackEvent } from '@ringback/sdk'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { members } from '../../domain/json.ts'
import { cut } from './words.ts'

type InboxRequest = FastifyRequest<{ Params: { times?: string }; Body: Buffer | undefined }>

const SHOWN_CHARS = 2000

// A callback holds its task's params, metadata and, twice, its response, and each of these came in under the limit.
const bodyLimit = (incoming: number) => 4 * incoming + 64 * 1024

/** Adds the inbox to a server; `show` is told of each verified callback, or why one was not. */
export function addInbox(
  server: FastifyInstance,
  {
    secrets,
    body_limit,
    show,
  }: { secrets: () => Promise<string[]>; body_limit: number; show: (line: string) => void },
): void {
  const receive = (request: FastifyRequest, reply: FastifyReply) =>
    secrets().then((known) => answer(request as InboxRequest, reply, known))
  const options = { schema: { hide: true }, bodyLimit: bodyLimit(body_limit) }
  void server.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post('/dev/inbox', options, receive)
    scope.post('/dev/inbox/fail/:times', options, receive)
  })

  function answer(
    { params, headers, body = Buffer.alloc(0) }: InboxRequest,
    reply: FastifyReply,
    known: string[],
  ) {
    let event: CallbackEvent
    try {
      event = verifyCallback(headers, body, known)
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      show(`✗ a callback that could not be verified, answered 401: ${error.message}`)
      return reply.code(401).send({ error: 'not verified' })
    }
    const attempt = Number(headers['ringback-attempt'])
    const times = Number(params.times ?? 0)
    const refused = attempt <= times
    // From the body's own text: JSON.parse has made another number of 1950000000000000001.
    const response = members(body.toString()).get('response') ?? 'null'
    show(
      `${refused ? '✗' : '✓'} ${event.type} of task ${event.task_id}, attempt ${attempt}, verified, answered ${refused ? 500 : 200}: ${cut(response, SHOWN_CHARS)}`,
    )
    return refused
      ? reply.code(500).send({ error: `failing ${attempt} of ${times} times` })
      : reply.code(200).send({ ok: true })
  }
}
