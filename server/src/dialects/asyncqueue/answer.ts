// Answers of routes: finished JSON text.
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { print, type Printable } from '../../domain/json.ts'

/** A request; each route has those of the params that its path names. */
export type Request = FastifyRequest<{ Params: { id: string; token: string; teamId: string; keyId: string } }>

/** What answers a request; it gives the text of the answer, or a stream of it. */
export type Handler = (request: Request, reply: FastifyReply) => Promise<string | Readable>

export const JSON_TYPE = 'application/json; charset=utf-8'

/** Answers with this status and JSON. */
export function answer(reply: FastifyReply, status: number, value: Printable): string {
  reply.code(status).type(JSON_TYPE)
  return print(value)
}

/** Answers with an error that is none of ours, such as 403 (contract §6.1). */
export const failure = (reply: FastifyReply, status: number, error: string): string =>
  answer(reply, status, { error })
