// Reading bodies: JSON, or forms, in which every value is a text. Tolerant where the contract (§1) says so: null and an empty text
// are "not given", booleans and numbers may be texts, unknown keys do no harm. Queries are read by the same rules (query.ts).
import type { FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { members } from '../../domain/json.ts'

/** A body's members, parsed, and as the texts that they came as. */
export type Body = { values: Readonly<Record<string, unknown>>; texts: Map<string, string> }

/** The error for a field, or a query key, that says what it must be. */
export const invalid = (field: string, what: string) => new AppError('invalid_request', `${field}: ${what}`)

/** The body of a request as an object; none is an empty one. */
export function bodyOf({ body, text }: Pick<FastifyRequest, 'body' | 'text'>): Body {
  if (body === undefined || body === null) return { values: {}, texts: new Map() }
  if (typeof body !== 'object' || Array.isArray(body)) throw invalid('body', 'must be a JSON object')
  return { values: body as Body['values'], texts: members(text) }
}

const isBlank = (value: unknown): value is undefined | null | '' =>
  value === undefined || value === null || value === ''

/** The text of a text, number or boolean; empty for anything else. */
export const scalarText = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''

const NAME_MAX = 255

/** A text of at most 255 characters that will be a name or an id; null when it is not given. */
export function nameField({ values }: Pick<Body, 'values'>, field: string): string | null {
  const value = values[field]
  if (isBlank(value)) return null
  return nameOf(value, field)
}

/** The same of a value. */
export function nameOf(value: unknown, field: string): string {
  if (typeof value !== 'string') throw invalid(field, 'must be a text')
  if (value.length === 0 || value.length > NAME_MAX) {
    throw invalid(field, `must have 1 to ${NAME_MAX} characters`)
  }
  if (!value.isWellFormed()) throw invalid(field, 'has half a surrogate pair, which is no character')
  return value
}

/** Like `nameField`, for what must be given. */
export function requiredName(body: Pick<Body, 'values'>, field: string): string {
  const name = nameField(body, field)
  if (name === null) throw invalid(field, 'required, but missing')
  return name
}

/** A URL as it came, whatever its length; null when it is not given. Whether it is one is for others to judge. */
export function urlField({ values }: Body, field: string): string | null {
  const value = values[field]
  if (isBlank(value)) return null
  if (typeof value !== 'string') throw invalid(field, 'must be a text with a URL or an e-mail address')
  return value
}

/** A boolean, or a text like it (`true`, `False`); undefined when it is not given. */
export function booleanField(values: Readonly<Record<string, unknown>>, field: string): boolean | undefined {
  const value = values[field]
  if (isBlank(value)) return undefined
  const text = scalarText(value).toLowerCase()
  if (text === 'true' || text === 'false') return text === 'true'
  throw invalid(field, 'must be true or false')
}

/** A whole number from `low` to `high`, or its text; undefined when it is not given. */
export function wholeField(
  values: Readonly<Record<string, unknown>>,
  field: string,
  { low, high }: { low: number; high: number },
): number | undefined {
  const value = values[field]
  if (isBlank(value)) return undefined
  const number = /^-?\d{1,15}$/.test(scalarText(value)) ? Number(value) : Number.NaN
  if (number >= low && number <= high) return number
  throw invalid(field, `must be a whole number from ${low} to ${high}`)
}

/** The text of a JSON object; `{}` when it is not given. */
export function objectField({ values, texts }: Body, field: string): string {
  const value = values[field]
  if (isBlank(value)) return '{}'
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(field, 'must be an object')
  return texts.get(field) ?? '{}'
}

const TAGS_MAX = 5

/** Tags, each once: a list of texts, or in a form with a single one just that. */
export function tagsOf(value: unknown, field = 'tags'): string[] {
  const tags = new Set([value].flat().map((tag) => nameOf(tag, field)))
  if (tags.size <= TAGS_MAX) return [...tags]
  throw invalid(field, `a task has at most ${TAGS_MAX}`)
}
