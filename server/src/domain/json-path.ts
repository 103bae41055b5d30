// Finds a value in JSON text by a dotted path, as text: a number that is only passed on keeps its digits.
import { compact, elements, members } from './json.ts'

/**
 * The compact text of what stands at `path` (`data.items.0.url`; `''` is all of it), or undefined when nothing does. `text` must
 * be valid JSON.
 */
export function valueAt(text: string, path: string): string | undefined {
  let value: string | undefined = compact(text)
  for (const name of path === '' ? [] : path.split('.')) {
    if (value === undefined) return undefined
    value = memberOf(value, name)
  }
  return value
}

function memberOf(text: string, name: string): string | undefined {
  if (text.startsWith('{')) return members(text).get(name)
  if (text.startsWith('[') && /^\d{1,9}$/.test(name)) return elements(text)[Number(name)]
  return undefined
}

/** What stands at `path` as plain text: a string's own text, any other single value as it is written. */
export function textAt(text: string, path: string): string | undefined {
  const value = valueAt(text, path)
  if (value === undefined || value === 'null' || value.startsWith('{') || value.startsWith('['))
    return undefined
  return value.startsWith('"') ? (JSON.parse(value) as string) : value
}
