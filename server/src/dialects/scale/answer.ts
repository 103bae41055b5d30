// Answers: every success is exactly 200, creations included, since Scale's clients take any other for a failure.
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { print, type Printable } from '../../domain/json.ts'

/** A request of Scale's; each route has those of the params that its path names. */
export type Request = FastifyRequest<{ Params: { type: string; id: string; name: string } }>

/** A handler; what it gives is the text of its answer, or a stream of it. */
export type Handler = (request: Request, reply: FastifyReply) => Promise<string | Readable>

export const JSON_TYPE = 'application/json; charset=utf-8'

/** Makes a handler of a function that gives what is printed. */
export const answering =
  (handle: (request: Request) => Promise<Printable>): Handler =>
  async (request, reply) => {
    const text = print(await handle(request))
    reply.code(200).type(JSON_TYPE)
    return text
  }
