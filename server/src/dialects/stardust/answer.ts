// How a route answers: with the envelope's text, as JSON.
import type { FastifyReply } from 'fastify'
import type { Printable } from '../../domain/json.ts'
import type { Frame } from '../task-list.ts'
import { success } from './envelope.ts'

/** Answers with this data. */
export function answer(reply: FastifyReply, data: Printable): string {
  reply.type('application/json; charset=utf-8')
  return success(data)
}

/** The text around the one list of an answer with this data, which is empty in it. */
export function aroundList(reply: FastifyReply, data: Printable): Pick<Frame, 'before' | 'behind'> {
  const [before = '', behind = ''] = answer(reply, data).split('[]')
  return { before: `${before}[`, behind: () => `]${behind}` }
}
