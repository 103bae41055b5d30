// Answers of routes: finished JSON text.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { print, type Printable } from '../../domain/json.ts'

/** A request; each route has those of the params that its path names. */
export type Request = FastifyRequest<{ Params: { id: string; token: string; teamId: string; keyId: string } }>

/** What answers a request; it gives the text of the answer. */
export type Handler = (request: Request, reply: FastifyReply) => Promise<string>

/** Answers with this status and JSON. */
export function answer(reply: FastifyReply, status: number, value: Printable): string {
  reply.code(status).type('application/json; charset=utf-8')
  return print(value)
}

/** Answers with an error that is none of ours, such as 403 (contract §6.1). */
export const failure = (reply: FastifyReply, status: number, error: string): string =>
  answer(reply, status, { error })
