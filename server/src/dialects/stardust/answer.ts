// How a route answers: with the envelope's text, as JSON.
import type { FastifyReply } from 'fastify'
import type { Printable } from '../../domain/json.ts'
import { success } from './envelope.ts'

/** Answers with this data. */
export function answer(reply: FastifyReply, data: Printable): string {
  reply.type('application/json; charset=utf-8')
  return success(data)
}
