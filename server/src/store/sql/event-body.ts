// The bytes of a callback as they are kept. A task's response stands in them twice in most dialects, beside and inside the task, and
// what is written to disk is most of what a resolution costs; so it is kept once.

/** `body` has a mark wherever `payload` stands; null for nothing kept, and for nothing that repeats. */
export type PackedBody = { body: string | null; payload: string | null }

// No JSON has this character in the open.
const MARK = '\u0001'
const WORTHWHILE_CHARS = 128

/** Packs a body in which `repeated` may stand several times. */
export function packBody(body: string | null, repeated: string | null): PackedBody {
  const plain = { body, payload: null }
  if (body === null || repeated === null || repeated.length < WORTHWHILE_CHARS || body.includes(MARK))
    return plain
  const first = body.indexOf(repeated)
  if (first < 0 || body.indexOf(repeated, first + repeated.length) < 0) return plain
  // Twice and no more, so that what is kept tells how long the whole is.
  return { body: body.replace(repeated, MARK).replace(repeated, MARK), payload: repeated }
}

/** How many bytes are packed in an event's row, as SQL: both databases tell a length without reading what has it. */
export const unpackedLength = (event: string): string =>
  `(coalesce(octet_length(${event}.body), 0) + 2 * coalesce(octet_length(${event}.payload), 0))`

/** The bytes that were packed. */
export const unpackBody = ({ body, payload }: PackedBody): string | null =>
  body === null || payload === null ? body : body.replaceAll(MARK, () => payload)
