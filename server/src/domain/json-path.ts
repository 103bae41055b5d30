// Finds a value in JSON text by a dotted path, as text: a number that is only passed on keeps its digits. Both path and text are
// strangers', so the text is read once, however deep the path goes.
import { compact, skipString, skipValue } from './json.ts'

/**
 * The compact text of what stands at `path` (`data.items.0.url`; `''` is all of it), or undefined when nothing does. `text` must
 * be valid JSON; of a repeated name the last one counts.
 */
export const valueAt = (text: string, path: string): string | undefined =>
  find(compact(text), 0, path === '' ? [] : path.split('.')).value

/** What stands in the value that begins at `start`, and where that value ends. */
type Found = { value: string | undefined; end: number }

function find(source: string, start: number, names: readonly string[]): Found {
  const [name, ...rest] = names
  const opening = source[start]
  if (name === undefined || (opening !== '{' && opening !== '[')) {
    const end = skipValue(source, start)
    return { value: name === undefined ? source.slice(start, end) : undefined, end }
  }
  let value: string | undefined
  let i = start + 1
  for (let index = 0; source[i] !== '}' && source[i] !== ']'; index++) {
    let isNamed: boolean
    if (opening === '{') {
      const nameEnd = skipString(source, i)
      isNamed = textOf(source.slice(i, nameEnd)) === name
      i = nameEnd + 1
    } else isNamed = INDEX.test(name) && Number(name) === index
    if (isNamed) ({ value, end: i } = find(source, i, rest))
    else i = skipValue(source, i)
    if (source[i] === ',') i++
  }
  return { value, end: i + 1 }
}

const INDEX = /^\d{1,9}$/

const textOf = (json: string): string =>
  json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1)

/** What stands at `path` as plain text: a string's own text, any other single value as it is written. */
export function textAt(text: string, path: string): string | undefined {
  const value = valueAt(text, path)
  if (value === undefined || value === 'null' || value.startsWith('{') || value.startsWith('['))
    return undefined
  return value.startsWith('"') ? (JSON.parse(value) as string) : value
}
