// Reading query strings: a key may come more than once, or without a value, which is "not given"; unknown keys do no harm.
import { invalid, wholeField } from './fields.ts'

/** A query string as the framework has read it: a key that comes twice has a list. */
export type Query = Readonly<Record<string, unknown>>

/** All values of a query key that has any. */
export const listOf = (query: Query, field: string): string[] =>
  [query[field]].flat().filter((value): value is string => typeof value === 'string' && value !== '')

/** The last value of a query key, as that of a form would be. */
export const lastOf = (query: Query, field: string): string | undefined => listOf(query, field).at(-1)

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?(Z|[+ -]?\d\d:?\d\d)?)?$/i

/**
 * A time in a query, in milliseconds: a date, or ISO 8601 with or without offset (then it is UTC), with up to any fraction of a
 * second. A plus sign that was not encoded has become a space. Undefined when it is not given.
 */
export function timeOf(query: Query, field: string): number | undefined {
  const text = lastOf(query, field)
  if (text === undefined) return undefined
  const [, date, clock = '00:00', offset = 'Z'] = TIME.exec(text) ?? []
  const zone = /^\d/.test(offset) ? `+${offset}` : offset.replace(' ', '+').toUpperCase()
  const time = date === undefined ? Number.NaN : Date.parse(`${date}T${clock}${zone}`)
  if (!Number.isNaN(time)) return time
  throw invalid(field, 'must be a time such as 2026-03-02 or 2026-03-02T09:00:00.000Z')
}

/** The bounds of a time that may be filtered by, in milliseconds: both ends belong to it, whence the millisecond behind it. */
export function rangeOf(
  query: Query,
  from: string,
  to: string,
): { from: number | undefined; to: number | undefined } {
  const last = timeOf(query, to)
  return { from: timeOf(query, from), to: last === undefined ? undefined : last + 1 }
}

const LIMIT_MAX = 100
const OFFSET_MAX = 1_000_000_000

/** How much of a list is asked for: 100 from the first on, unless told otherwise. */
export const pageOf = (query: Query): { limit: number; offset: number } => ({
  limit: wholeField({ limit: lastOf(query, 'limit') }, 'limit', { low: 1, high: LIMIT_MAX }) ?? LIMIT_MAX,
  offset: wholeField({ offset: lastOf(query, 'offset') }, 'offset', { low: 0, high: OFFSET_MAX }) ?? 0,
})
