// Answers that are made while they are sent: their status is out before the last of them is read.
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Makes no answer that nobody gets, and tells `onFailure` of what fails on the way; the connection is broken off then. */
export function tendStreams(
  app: FastifyInstance,
  onFailure: (error: unknown, request: FastifyRequest) => void,
): void {
  app.addHook('onSend', (request, _reply, payload, done) => {
    if (!(payload instanceof Readable)) return done(null, payload)
    if (request.method === 'HEAD') {
      // Fastify would read all of it and send nothing.
      payload.destroy()
      return done(null, Readable.from([]))
    }
    payload.once('error', (error) => onFailure(error, request))
    done(null, payload)
  })
}
