// What comes in goes out: JSON of callers and providers is kept as text, with only the white space outside strings
// removed, and printed verbatim. A number parsed into a double and printed again is another number.

/** JSON text that is already compact and valid; `print` places it verbatim. */
export class Verbatim {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Wraps stored JSON text for `print`; null stays null. */
export const verbatim = (text: string | null): Verbatim | null => (text === null ? null : new Verbatim(text))

// An escaped U+0000, with an even number of backslashes before it.
const NUL_ESCAPE = /(?<!\\)(?:\\\\)*\\u0000/

/** Whether valid JSON has a text with NUL, which no database keeps. */
export const hasNul = (text: string): boolean => text.includes(String.raw`\u0000`) && NUL_ESCAPE.test(text)

const QUOTE = 34
const BACKSLASH = 92
const OPENING = 123
const CLOSING = 125

/** The index just behind the string that opens at `start`. */
export function skipString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === BACKSLASH) i++
    else if (code === QUOTE) return i + 1
  }
  return text.length
}

const isSpace = (code: number) => code === 32 || code === 10 || code === 13 || code === 9

/** So deep may arrays and objects be nested in each other: many a receiver's parser goes no further, whatever ours bears. */
export const DEPTH_MAX = 100

/** Whether valid JSON is nested deeper than `DEPTH_MAX`. */
export function isTooDeep(text: string): boolean {
  // Nearly no text has so many brackets, and finding that out costs less than telling strings from the rest.
  if (atMost(text, '{', DEPTH_MAX) + atMost(text, '[', DEPTH_MAX) <= DEPTH_MAX) return false
  let depth = 0
  for (let i = 0; i < text.length;) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      i = skipString(text, i)
      continue
    }
    // Brackets and braces differ in this one bit.
    const bracket = code | 32
    if (bracket === OPENING) {
      depth++
      if (depth > DEPTH_MAX) return true
    } else if (bracket === CLOSING) depth--
    i++
  }
  return false
}

/** How often a character stands in a text; counted to one more than `limit`. */
export function atMost(text: string, char: string, limit: number): number {
  let count = 0
  for (let i = text.indexOf(char); i !== -1 && count <= limit; i = text.indexOf(char, i + 1)) count++
  return count
}

const SPACE = /[ \t\n\r]/
const WIDE = /[\u0100-\uffff]/

/** Removes the white space outside strings. `text` must be valid JSON. */
export function compact(text: string): string {
  // Most texts have none, and the expression finds that out a hundred times as fast as looking at each character does.
  if (!SPACE.test(text) || !hasSpaceOutside(text)) return text
  // In memory of its own: cut out and put together as strings, a megabyte of digits and spaces took 50 ms (measured).
  if (!WIDE.test(text)) {
    const bytes = Buffer.from(text, 'latin1')
    return bytes.toString('latin1', 0, squeeze(bytes))
  }
  const units = new Uint16Array(text.length)
  const bytes = Buffer.from(units.buffer)
  bytes.write(text, 'utf16le')
  return bytes.toString('utf16le', 0, units.BYTES_PER_ELEMENT * squeeze(units))
}

function hasSpaceOutside(text: string): boolean {
  for (let i = 0; i < text.length;) {
    const code = text.charCodeAt(i)
    if (isSpace(code)) return true
    i = code === QUOTE ? skipString(text, i) : i + 1
  }
  return false
}

/** Moves what is no white space outside strings to the front; returns how much that is. */
function squeeze(units: Uint8Array | Uint16Array): number {
  let length = 0
  let inString = false
  for (let i = 0; i < units.length; i++) {
    const code = units[i] ?? 0
    if (!inString && isSpace(code)) continue
    units[length++] = code
    if (code === QUOTE) inString = !inString
    else if (code === BACKSLASH) units[length++] = units[++i] ?? 0
  }
  return length
}

/**
 * The members of a JSON object as compact texts. `text` must be a valid JSON object; of a repeated name the last one
 * counts, as with JSON.parse.
 */
export function members(text: string): Map<string, string> {
  const found = new Map<string, string>()
  const source = compact(text)
  let i = 1
  while (i < source.length && source.charCodeAt(i) === QUOTE) {
    const nameEnd = skipString(source, i)
    const valueEnd = skipValue(source, nameEnd + 1)
    found.set(JSON.parse(source.slice(i, nameEnd)) as string, source.slice(nameEnd + 1, valueEnd))
    i = valueEnd + 1
  }
  return found
}

/** The text of a JSON object with these members, in their order: the opposite of `members`. */
export const joinMembers = (found: ReadonlyMap<string, string>): string =>
  `{${Array.from(found, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`

/** The elements of a JSON array as compact texts. `text` must be a valid JSON array. */
export function elements(text: string): string[] {
  const found: string[] = []
  const source = compact(text)
  for (let i = 1; i < source.length - 1;) {
    const end = skipValue(source, i)
    found.push(source.slice(i, end))
    i = end + 1
  }
  return found
}

/**
 * The index just behind the value that begins at `start` in compact JSON, or behind so many of them, but not beyond the end of
 * the array or object they are in.
 */
export function skipValue(source: string, start: number, count = 1): number {
  if (count === 0) return start
  let left = count
  let depth = 0
  let i = start
  while (i < source.length) {
    const char = source[i]
    if (char === '"') {
      i = skipString(source, i)
      continue
    }
    if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') {
      if (depth === 0) return i
      depth--
    } else if (char === ',' && depth === 0 && --left === 0) return i
    i++
  }
  return i
}

/** Whether two compact JSON texts differ in nothing but in how their strings are escaped. */
export const isSameJson = (one: string, other: string): boolean =>
  one === other || escapedAlike(one) === escapedAlike(other)

function escapedAlike(text: string): string {
  if (!text.includes('\\')) return text
  let out = ''
  let i = 0
  for (;;) {
    const start = text.indexOf('"', i)
    if (start === -1) return out + text.slice(i)
    const end = skipString(text, start)
    out += text.slice(i, start) + JSON.stringify(JSON.parse(text.slice(start, end)))
    i = end
  }
}

/** What `print` takes: JSON data in which `Verbatim` stands for finished text. `undefined` members are left out. */
export type Printable =
  | string
  | number
  | boolean
  | null
  | undefined
  | Verbatim
  | readonly Printable[]
  | { readonly [name: string]: Printable }

// The names of our own views are few; a bound is there for those that callers make up.
const NAMES_MAX = 1000
const names = new Map<string, string>()

/** The JSON of a member's name with its colon. */
function nameOf(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  const text = `${JSON.stringify(name)}:`
  if (names.size < NAMES_MAX) names.set(name, text)
  return text
}

/** Prints JSON with verbatim parts. */
export function print(value: Printable): string {
  if (value instanceof Verbatim) return value.text
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null)
  if (Array.isArray(value)) return `[${value.map(print).join(',')}]`
  let out = ''
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue
    out += `${out === '' ? '' : ','}${nameOf(name)}${print(member)}`
  }
  return `{${out}}`
}
