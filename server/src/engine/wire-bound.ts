// How much may come in over a socket for one answer, and in how many parts. The HTTP client bounds headers and its callers bound bodies,
// but interim answers, reason phrases, chunk extensions and white space are neither: without this a receiver fills the line
// with them until the time-out, and the event loop with reading them. A part costs more than its bytes: answers of 11,000 interim
// ones, of 16,000 chunks of a byte or of 2,300 headers cost 4 ms each, and one of 250 interim ones with 195 headers each 10 (measured).
import type { Socket } from 'node:net'
import { SendError } from '../domain/outcome.ts'

/** How much of an answer's headers is taken, in bytes. */
export const HEADERS_BYTES = 16 * 1024

// A body in chunks of one byte takes six times its size on the way, and nobody honest takes more.
const FRAMING = 8
const SLACK_BYTES = 64 * 1024

/** The most headers of an answer, its interim ones and its trailers included, which is more than anybody honest sends. */
export const HEADERS_MAX = 256

/** The most reads of an answer whose body may have so many bytes, and the most pieces of that. */
export const mostParts = (body_bytes: number): number => 128 + Math.ceil(body_bytes / 128)

/**
 * Ends a connection as a `protocol` failure once an answer, whose body may have `body_bytes`, takes far more than that, or too many
 * reads. The function it gives is to be called where the next answer begins.
 */
export function boundWire(socket: Socket, body_bytes: number): () => void {
  const most_bytes = HEADERS_BYTES + SLACK_BYTES + FRAMING * body_bytes
  const most_reads = mostParts(body_bytes)
  let from = 0
  let reads = 0
  socket.on('readable', () => {
    if (socket.bytesRead - from > most_bytes)
      socket.destroy(new SendError('protocol', `The answer takes more than ${most_bytes} bytes on its way.`))
    else if (++reads > most_reads)
      socket.destroy(new SendError('protocol', `The answer comes in more than ${most_reads} pieces.`))
  })
  return () => {
    from = socket.bytesRead
    reads = 0
  }
}
