// Finds values in JSON text by dotted paths, as text: a number that is only passed on keeps its digits. Paths and text are
// strangers', so the text is read once, however many the paths and however deep.
import { compact, skipString, skipValue } from './json.ts'

/**
 * What a path leads through: the parts that are looked for in a value, by name and, where that is an index, in the order of an array;
 * and that value once it is found.
 */
type Wanted = { parts: Map<string, Wanted>; elements: Element[]; value: string | undefined }

type Element = { index: number; part: Wanted }

const newWanted = (): Wanted => ({ parts: new Map(), elements: [], value: undefined })

/**
 * The compact text of what stands at each of `paths` (`data.items.0.url`; `''` is all of it); a path that leads to nothing is
 * left out. `text` must be valid JSON; of a repeated name the last one counts.
 */
export function valuesAt(text: string, paths: readonly string[]): Map<string, string> {
  const root = newWanted()
  const places = paths.map((path) => ({ path, place: path === '' ? root : placeOf(root, path) }))
  find(compact(text), 0, root)
  return new Map(places.flatMap(({ path, place: { value } }) => (value === undefined ? [] : [[path, value]])))
}

/** Where a path ends, made on the way to it. */
function placeOf(root: Wanted, path: string): Wanted {
  let place = root
  for (const name of path.split('.')) {
    place = place.parts.get(name) ?? addPart(place, name)
  }
  return place
}

// As JavaScript has them: without leading zeros, so that no two names are one index.
const INDEX = /^(0|[1-9]\d{0,8})$/

function addPart({ parts, elements }: Wanted, name: string): Wanted {
  const part = newWanted()
  parts.set(name, part)
  if (INDEX.test(name)) {
    elements.push({ index: Number(name), part })
    elements.sort((one, other) => one.index - other.index)
  }
  return part
}

/** Finds what is wanted of the value that begins at `start`; returns where that value ends. */
function find(source: string, start: number, wanted: Wanted): number {
  forget(wanted)
  const { parts, elements } = wanted
  const opening = source[start]
  let end: number
  if (parts.size === 0) end = skipValue(source, start)
  else if (opening === '{') end = findInObject(source, start, parts)
  else if (opening === '[') end = findInArray(source, start, elements)
  else end = skipValue(source, start)
  wanted.value = source.slice(start, end)
  return end
}

function findInObject(source: string, start: number, parts: Wanted['parts']): number {
  let i = start + 1
  while (source[i] !== '}') {
    const nameEnd = skipString(source, i)
    const part = parts.get(textOf(source.slice(i, nameEnd)))
    i = part === undefined ? skipValue(source, nameEnd + 1) : find(source, nameEnd + 1, part)
    if (source[i] === ',') i++
  }
  return i + 1
}

function findInArray(source: string, start: number, elements: readonly Element[]): number {
  let i = start + 1
  let next = 0
  for (const { index, part } of elements) {
    // All that lie between at once: asking each of 490,000 elements whether it is the one took 38 ms (measured), this takes 3.
    i = skipValue(source, i, index - next)
    if (source[i] === ',') i++
    if (source[i] === ']') break
    i = find(source, i, part)
    if (source[i] === ',') i++
    next = index + 1
  }
  return skipValue(source, i, Infinity) + 1
}

/** What an earlier value of a repeated name had is not of the last one. Where nothing was found, nothing is further on. */
function forget(wanted: Wanted): void {
  if (wanted.value === undefined) return
  wanted.value = undefined
  for (const part of wanted.parts.values()) forget(part)
}

const textOf = (json: string): string =>
  json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1)

/** A value as plain text: a string's own text, any other single value as it is written; undefined for the rest. */
export function plainText(value: string | undefined): string | undefined {
  if (value === undefined || value === 'null' || value.startsWith('{') || value.startsWith('['))
    return undefined
  return value.startsWith('"') ? (JSON.parse(value) as string) : value
}
