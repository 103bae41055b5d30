// Answers that their readers do not take. Until it is sent an answer is in memory, and a client may ask for many and read none: 80 connections
// with a list of 90 MB each came to 5.7 GB (measured).
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../domain/errors.ts'
import { LARGE_BYTES } from '../own-turn.ts'

const MOST_BYTES = 64 * 1024 * 1024
// What is in memory of an answer that is made while it is sent: a part on its way, the one behind it, and one being made.
const STREAM_BYTES = 4 * 1024 * 1024

/** Refuses reads of a project where large answers that it has not taken come to more than 64 MiB; one is sent in any case. */
export function boundUnread(app: FastifyInstance): void {
  const unread = new Map<string, number>()
  app.addHook('onSend', (request, reply, payload, done) => {
    // Nothing of it is sent.
    if (request.method === 'HEAD') return done(null, payload)
    const project_id = request.caller?.project.id ?? request.linked_project
    const length = lengthOf(payload)
    if (project_id === null || length < LARGE_BYTES) return done(null, payload)
    // The client has gone away: it was said that the answer is closed, and will not be said again.
    if (reply.raw.closed) return done(null, payload)
    const before = unread.get(project_id) ?? 0
    // What has changed something is answered in any case.
    const reads = request.method === 'GET' || request.routeOptions.config.reads === true
    if (reads && before > 0 && before + length > MOST_BYTES) {
      // What is said instead is no file.
      reply.removeHeader('content-disposition')
      return done(
        new AppError(
          'overloaded',
          'Too many answers wait to be read by you; read them, or ask for fewer at a time',
        ),
      )
    }
    unread.set(project_id, before + length)
    reply.raw.once('close', () => {
      const left = (unread.get(project_id) ?? 0) - length
      if (left > 0) unread.set(project_id, left)
      else unread.delete(project_id)
    })
    done(null, payload)
  })
}

const lengthOf = (payload: unknown): number =>
  typeof payload === 'string' ? payload.length : payload instanceof Readable ? STREAM_BYTES : 0
