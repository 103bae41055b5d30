// Reading the fields of requests. Numbers are read from the text, since ids may lie beyond 2^53, and both forms of an id are
// taken: the number and its string (contract §1). Unknown fields are no fault.
import type { FastifyRequest } from 'fastify'
import { members } from '../../domain/json.ts'
import { illegalParameter } from './envelope.ts'

/** The fields of a request as compact JSON texts; null counts as absent. */
export type Fields = ReadonlyMap<string, string>

const LONGEST_ID = 19

/** The fields of a request's body. Throws `invalid_request` for a body that is no object. */
export function fieldsOf({ text }: FastifyRequest): Fields {
  if (!text.trimStart().startsWith('{')) {
    throw illegalParameter('The body must be a JSON object, with content-type: application/json')
  }
  return new Map(Array.from(members(text)).filter(([, value]) => value !== 'null'))
}

/** What is said of a field that is missing. */
const missing = (name: string) => illegalParameter(`${name}: missing; it is required`)

/** The digits of an id, or undefined without one. */
export function optionalId(fields: Fields, name: string): string | undefined {
  const text = fields.get(name)
  return text === undefined ? undefined : readId(text, name)
}

/** The digits of an id that must be there. */
export function requiredId(fields: Fields, name: string): string {
  const id = optionalId(fields, name)
  if (id === undefined) throw missing(name)
  return id
}

/** The digits of an id from its JSON text, `3184` or `"3184"`, without leading zeros. */
export function readId(text: string, name: string): string {
  const [, digits] = /^"?(\d+)"?$/.exec(text) ?? []
  if (digits === undefined || digits.length > LONGEST_ID) {
    throw illegalParameter(`${name}: must be an id, a whole number of at most ${LONGEST_ID} digits`)
  }
  return BigInt(digits).toString()
}

/** A whole number within bounds, or undefined without one. */
export function optionalWhole(
  fields: Fields,
  name: string,
  { least, most }: { least: number; most: number },
): number | undefined {
  const text = fields.get(name)
  if (text === undefined) return undefined
  const number = /^"?\d{1,15}"?$/.test(text) ? Number(text.replaceAll('"', '')) : Number.NaN
  if (!(number >= least && number <= most)) {
    throw illegalParameter(`${name}: must be a whole number from ${least} to ${most}`)
  }
  return number
}

/** A text, or undefined without one. */
export function optionalText(fields: Fields, name: string): string | undefined {
  const text = fields.get(name)
  if (text === undefined) return undefined
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'string') throw illegalParameter(`${name}: must be a string`)
  if (!value.isWellFormed())
    throw illegalParameter(`${name}: has half a surrogate pair, which is no character`)
  return value
}

/** A text that must be there, and not be empty. */
export function requiredText(fields: Fields, name: string): string {
  const value = optionalText(fields, name)
  if (value === undefined || value === '') throw missing(name)
  return value
}
