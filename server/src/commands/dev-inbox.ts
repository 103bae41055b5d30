// The first receiver: `dev` sends its own project's callbacks to /dev/inbox, verifies them as a customer would and shows
// them. /dev/inbox/fail/2 answers 500 to the first two attempts of an event.
import { createReceiver, type CallbackEvent } from '@ringback/sdk'
import type { FastifyInstance } from 'fastify'

/** Adds the inbox to a server; `show` is told of each verified callback, or why one was not. */
export function addInbox(
  server: FastifyInstance,
  { secrets, show }: { secrets: () => string[]; show: (line: string) => void },
): void {
  const failures = new Map<string, number>()
  void server.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post<{ Params: { times?: string } }>('/dev/inbox', (request, reply) => receive(request, reply))
    scope.post<{ Params: { times?: string } }>('/dev/inbox/fail/:times', (request, reply) =>
      receive(request, reply),
    )
  })

  async function receive(
    request: { headers: Record<string, unknown>; body: unknown; params: { times?: string } },
    reply: { code(status: number): { send(body: unknown): unknown } },
  ) {
    const id = String(request.headers['webhook-id'])
    const failed = failures.get(id) ?? 0
    const refuse = failed < Number(request.params.times ?? 0)
    const attempt = String(request.headers['ringback-attempt'])
    let event: CallbackEvent | undefined
    const receiver = createReceiver({
      secrets: secrets(),
      seen: { has: () => false, add: () => {} },
      onEvent: (verified) => void (event = verified),
    })
    const answer = await receiver(
      new Request('http://inbox/', {
        method: 'POST',
        headers: request.headers as Record<string, string>,
        body: request.body as Buffer<ArrayBuffer>,
      }),
    )
    if (event === undefined) {
      show(`✗ a callback that could not be verified: ${await answer.text()}`)
      return reply.code(answer.status).send({ error: 'not verified' })
    }
    if (refuse) remember(failures, id, failed + 1)
    else failures.delete(id)
    show(
      `${refuse ? '✗' : '✓'} ${event.type} of task ${event.task_id}, attempt ${attempt}, verified, answered ${refuse ? 500 : 200}: ${JSON.stringify(event.response)}`,
    )
    return refuse
      ? reply.code(500).send({ error: `failing ${failed + 1} of ${request.params.times} times` })
      : reply.code(200).send({ ok: true })
  }
}

function remember(failures: Map<string, number>, id: string, count: number): void {
  if (failures.size > 10_000) failures.clear()
  failures.set(id, count)
}
