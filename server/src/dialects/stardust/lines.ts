// Cuts a stream of bytes into lines. A line may be as long as its sender likes; what is longer than it may be is dropped as
// it comes, so that memory never holds more than one line of the longest kind.
import { setImmediate as nextTurn } from 'node:timers/promises'

/** A line that is not blank; `bytes` are only its beginning when `cut` says that it is too long. */
export type RawLine = { bytes: Buffer; cut: boolean }

const NEWLINE = 10
// A piece of a file may be tens of thousands of lines: with those of a file of line breaks others' callbacks took 0.5 s (measured).
const LINES_A_TURN = 500
const HEAD_BYTES = 400
const BLANK = /^[\s\uFEFF]*$/
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** The lines of a stream, without blank ones and without a byte order mark; none is longer than `longest` bytes. */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  { longest }: { longest: number },
): AsyncGenerator<RawLine> {
  let parts: Buffer[] = []
  let size = 0
  let atStart = true
  let count = 0

  const add = (part: Buffer) => {
    if (size <= longest) parts.push(part)
    size += part.length
    // From here on only the beginning matters.
    if (size > longest && parts.length > 0) {
      const head = Buffer.concat(parts).subarray(0, HEAD_BYTES)
      parts = [Buffer.from(head)]
    }
  }
  const take = (): RawLine | undefined => {
    const whole = Buffer.concat(parts)
    const line = { bytes: atStart ? withoutMark(whole) : whole, cut: size > longest }
    parts = []
    size = 0
    atStart = false
    return line.cut || !isBlank(line.bytes) ? line : undefined
  }

  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      if (end > from || size > 0) {
        add(chunk.subarray(from, end))
        const line = take()
        if (line !== undefined) yield line
      }
      atStart = false
      from = end + 1
      if (++count % LINES_A_TURN === 0) await nextTurn()
    }
    add(chunk.subarray(from))
  }
  const last = take()
  if (last !== undefined) yield last
}

const withoutMark = (bytes: Buffer) =>
  bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? bytes.subarray(3) : bytes

// Long lines are not decoded only to see that they are not blank.
const isBlank = (bytes: Buffer) => bytes.length < HEAD_BYTES && BLANK.test(bytes.toString())
