// Finds a value in JSON text by a dotted path, as text: a number that is only passed on keeps its digits.
import { compact, skipString, skipValue } from './json.ts'

/** What a walk came to: the index behind the value it was sent over, and the text that it looked for, if it was there. */
type Walked = { end: number; found: string | undefined }

/**
 * The compact text of what stands at `path` (`data.items.0.url`; `''` is all of it), or undefined when nothing does. `text` must
 * be valid JSON. It is read once, however long the path: both come from strangers.
 */
export function valueAt(text: string, path: string): string | undefined {
  const names = path === '' ? [] : path.split('.')
  const source = compact(text)
  return walk(0, 0).found

  function walk(start: number, depth: number): Walked {
    const name = names[depth]
    if (name !== undefined && source[start] === '{') return walkObject(start, name, depth)
    if (name !== undefined && source[start] === '[' && /^\d{1,9}$/.test(name))
      return walkArray(start, Number(name), depth)
    const end = skipValue(source, start)
    return { end, found: name === undefined ? source.slice(start, end) : undefined }
  }

  /** Of a repeated name the last one counts, as with JSON.parse. */
  function walkObject(start: number, name: string, depth: number): Walked {
    let found: string | undefined
    let i = start + 1
    while (source[i] === '"') {
      const nameEnd = skipString(source, i)
      const isMeant = nameOf(source.slice(i, nameEnd)) === name
      const walked = isMeant ? walk(nameEnd + 1, depth + 1) : undefined
      if (walked !== undefined) found = walked.found
      i = walked?.end ?? skipValue(source, nameEnd + 1)
      if (source[i] === ',') i++
    }
    return { end: i + 1, found }
  }

  function walkArray(start: number, index: number, depth: number): Walked {
    let found: string | undefined
    let i = start + 1
    for (let at = 0; i < source.length && source[i] !== ']'; at++) {
      const walked = at === index ? walk(i, depth + 1) : undefined
      if (walked !== undefined) found = walked.found
      i = walked?.end ?? skipValue(source, i)
      if (source[i] === ',') i++
    }
    return { end: i + 1, found }
  }
}

const nameOf = (text: string): string =>
  text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1)

/** What stands at `path` as plain text: a string's own text, any other single value as it is written. */
export function textAt(text: string, path: string): string | undefined {
  const value = valueAt(text, path)
  if (value === undefined || value === 'null' || value.startsWith('{') || value.startsWith('['))
    return undefined
  return value.startsWith('"') ? (JSON.parse(value) as string) : value
}
