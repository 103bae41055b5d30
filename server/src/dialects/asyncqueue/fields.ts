// Reading bodies and queries (contract §1.1, §6.1): what is wrong is said of the first field only, in one sentence. Null is "not
// given", and unknown fields do no harm.
import type { FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'

/** The members of a body, or of an object in one. */
export type Values = Readonly<Record<string, unknown>>

/** The error for a field, or a query key, that says what it must be. */
export const invalid = (field: string, what: string) => new AppError('invalid_request', `${field} ${what}`)

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The body of a request as an object; none is an empty one. */
export function bodyOf({ body = {} }: Pick<FastifyRequest, 'body'>): Values {
  if (isObject(body)) return body
  throw new AppError('invalid_request', 'The body must be a JSON object')
}

/** Reads fields of an object, whose name stands before theirs when it is itself a field. */
export function fieldsOf(values: Values, within?: string) {
  const nameOf = (field: string) => (within === undefined ? field : `${within}.${field}`)
  const given = (field: string): unknown => values[field] ?? undefined

  function text(field: string, { longest }: { longest: number }): string | undefined {
    const value = given(field)
    if (value === undefined) return undefined
    if (typeof value !== 'string') throw invalid(nameOf(field), 'must be a string')
    if (value.length > longest) throw invalid(nameOf(field), `must have ${longest} characters at most`)
    if (!value.isWellFormed())
      throw invalid(nameOf(field), 'has half a surrogate pair, which is no character')
    return value
  }

  return {
    nameOf,
    given,
    text,
    required(field: string, bounds: { longest: number }): string {
      const value = text(field, bounds)
      if (value === undefined || value === '') throw invalid(nameOf(field), 'is required')
      return value
    },
    number(field: string, { low, high }: { low: number; high: number }): number | undefined {
      const value = given(field)
      if (value === undefined) return undefined
      if (typeof value === 'number' && value >= low && value <= high) return value
      throw invalid(nameOf(field), `must be a number from ${low} to ${high}`)
    },
    whole(field: string, { low, high }: { low: number; high: number }): number | undefined {
      const value = given(field)
      if (value === undefined) return undefined
      if (Number.isInteger(value) && Number(value) >= low && Number(value) <= high) return Number(value)
      throw invalid(nameOf(field), `must be a whole number from ${low} to ${high}`)
    },
    flag(field: string): boolean | undefined {
      const value = given(field)
      if (value === undefined || typeof value === 'boolean') return value
      throw invalid(nameOf(field), 'must be true or false')
    },
    word<const W extends string>(field: string, words: readonly W[]): W | undefined {
      const value = given(field)
      if (value === undefined) return undefined
      const found = words.find((word) => word === value)
      if (found !== undefined) return found
      throw invalid(nameOf(field), `must be one of ${words.join(', ')}`)
    },
    object(field: string): Values | undefined {
      const value = given(field)
      if (value === undefined || isObject(value)) return value
      throw invalid(nameOf(field), 'must be an object')
    },
    /** Texts, such as the values of a status: `fewest` to 100 of them. */
    texts(field: string, { fewest }: { fewest: number }): string[] | undefined {
      const value = given(field)
      if (value === undefined) return undefined
      const isGood = (one: unknown) => typeof one === 'string' && one.length <= LONGEST_VALUE
      if (
        Array.isArray(value) &&
        value.length >= fewest &&
        value.length <= MOST_VALUES &&
        value.every(isGood)
      )
        return value as string[]
      throw invalid(nameOf(field), `must be an array of ${fewest} to ${MOST_VALUES} strings`)
    },
  }
}

export type Fields = ReturnType<typeof fieldsOf>

const MOST_VALUES = 100
const LONGEST_VALUE = 255

/** A query as it was parsed; of a repeated key the last one counts. */
type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** A text of the query; undefined when it is not given, or empty. */
export function queryText({ query }: Pick<FastifyRequest, 'query'>, name: string): string | undefined {
  const text = [(query as Query)[name] ?? []].flat().at(-1)
  return text === '' ? undefined : text
}

/** A number of the query, moved into its bounds; what is no number is refused (contract §7). */
export function queryNumber(
  request: Pick<FastifyRequest, 'query'>,
  name: string,
  { low, high, other }: { low: number; high: number; other: number },
): number {
  const text = queryText(request, name)
  if (text === undefined) return other
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw invalid(name, 'must be a number')
  return Math.min(Math.max(Number(text), low), high)
}
