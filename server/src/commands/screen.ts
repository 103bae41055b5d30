// The terminal that a command writes to: how wide it is, and whether it shows colours. Into a pipe or a file nothing is
// fitted and nothing coloured, so that other programs get whole lines.
import { styleText } from 'node:util'

export type Tone = 'green' | 'red' | 'yellow' | 'dim' | 'bold'

export type Screen = {
  /** Columns; Infinity where nothing is to be fitted. */
  width: number
  paint: (tone: Tone, text: string) => string
}

/** What a command writes to. */
export type Stream = { isTTY?: boolean; columns?: number }

/** Reads the screen behind a stream. An exported COLUMNS is obeyed where there is no terminal; NO_COLOR everywhere. */
export function screenOf(stream: Stream, env: Readonly<Record<string, string | undefined>>): Screen {
  const terminal = stream.isTTY === true
  const width = (terminal ? stream.columns : Number(env['COLUMNS'])) || Number.POSITIVE_INFINITY
  const colours = terminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  return {
    width,
    paint: (tone, text) => (colours ? styleText(tone, text, { validateStream: false }) : text),
  }
}

const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u

/** How many columns a text without control characters takes. */
export const columnsOf = (text: string): number =>
  Array.from(text, widthOf).reduce((sum, width) => sum + width, 0)

const widthOf = (char: string): number => (/\p{Mn}/u.test(char) ? 0 : WIDE.test(char) ? 2 : 1)

/** Cuts a text to so many columns, with an ellipsis where something is missing. */
export function fit(text: string, width: number): string {
  if (columnsOf(text) <= width) return text
  return `${head(text, width - 1)}…`
}

/** As much of the beginning of a text as fits; at least one character, so that cutting always ends. */
function head(text: string, width: number): string {
  let out = ''
  let used = 0
  for (const char of text) {
    used += widthOf(char)
    if (used > width && out !== '') break
    out += char
  }
  return out
}

/** Fills a text up to so many columns. */
export const pad = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - columnsOf(text)))

/** Breaks a text into lines of at most so many columns: between words, and inside one that is longer than a line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) <= width) {
      line += ` ${word}`
      continue
    }
    if (line !== '') lines.push(line)
    line = word
    while (columnsOf(line) > width && line.length > 1) {
      const begin = head(line, width)
      lines.push(begin)
      line = line.slice(begin.length)
    }
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line]
}
