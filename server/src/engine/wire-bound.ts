// How much may come in over a socket for one answer. The HTTP client bounds headers and its callers bound bodies, but interim
// answers, reason phrases, chunk extensions and white space are neither: without this a receiver fills the line with them
// until the time-out, and the event loop with reading them.
import type { Socket } from 'node:net'
import { SendError } from '../domain/outcome.ts'

/** How much of an answer's headers is taken, in bytes. */
export const HEADERS_BYTES = 16 * 1024

// A body in chunks of one byte takes six times its size on the way, and nobody honest takes more.
const FRAMING = 8
const SLACK_BYTES = 64 * 1024

/**
 * Ends a connection as a `protocol` failure once an answer, whose body may have `body_bytes`, takes far more than that. The
 * function it gives is to be called where the next answer begins.
 */
export function boundWire(socket: Socket, body_bytes: number): () => void {
  const most_bytes = HEADERS_BYTES + SLACK_BYTES + FRAMING * body_bytes
  let from = 0
  socket.on('readable', () => {
    if (socket.bytesRead - from > most_bytes)
      socket.destroy(new SendError('protocol', `The answer takes more than ${most_bytes} bytes on its way.`))
  })
  return () => {
    from = socket.bytesRead
  }
}
