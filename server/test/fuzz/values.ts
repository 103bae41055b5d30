// Values that a schema allows, with ids of things that exist. What a schema cannot say of a field its name does, in one table.
import type { Printable } from '../../src/domain/json.ts'
import { between, type Random } from '../crash/random.ts'
import { chance, oddValue, oneOf } from './odd.ts'
import type { Pool } from './pool.ts'
import type { Document, Schema } from './routes.ts'

/** What values are made of. */
export type Source = {
  random: Random
  /** The number of the request: what must be unique carries it. */
  unique: string
  pool: Pool
  /** Of the pool. */
  world: string
  /** The URL of a receiver at this path. */
  sink: (path: string) => string
  document: Document
}

const OPTIONAL = 0.25
const DAY_MS = 86_400_000
const STRANGE = 0.15

/** The id of something that exists; of something that does not, as long as nothing is known. */
export const idOf = ({ pool, world, random }: Source, kind: string, wanted?: readonly string[]): string =>
  pool.take(world, kind, random, wanted)?.id ?? '01900000-0000-7000-8000-000000000000'

const callbackUrl = ({ random, sink }: Source) =>
  sink(oneOf(random, ['/ok', '/ok', '/ok', '/fail', '/gone', '/slow']))
const at = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString()

const byName: Readonly<Record<string, (source: Source) => Printable>> = {
  callback_url: callbackUrl,
  default_callback_url: callbackUrl,
  url: ({ sink }) => sink('/ok'),
  url_template: ({ sink }) => sink('/ok?of={startResult.body.id}'),
  result_url_template: ({ sink }) => sink('/ok'),
  host: ({ unique }) => `h${unique}.test`,
  dialect: ({ random }) => oneOf(random, ['native', 'scale', 'stardust', 'superai', 'asyncqueue']),
  unique_id: ({ unique }) => `u${unique}`,
  destination: (source) => (chance(source.random, 0.5) ? idOf(source, 'destinations') : source.sink('')),
  task_id: (source) => idOf(source, 'tasks'),
  project: (source) => idOf(source, 'projects'),
  cursor: (source) => idOf(source, 'cursor'),
  expires_at: ({ random }) => at(between(random, 1, 100)),
  not_before: ({ random }) => at(between(random, -1, 2)),
  // Of a token of the vault, which must fit into a header.
  value: ({ unique }) => `Bearer ${unique}`,
  wait: ({ random }) => between(random, 0, 1),
  interval_s: () => 1,
}

/** The schema that a reference leads to. */
export const resolved = (document: Document, schema: Schema): Schema =>
  schema.$ref === undefined
    ? schema
    : (document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {})

/** A value that this schema allows, for a field of this name. */
export function validValue(source: Source, given: Schema, name: string): Printable {
  const schema = resolved(source.document, given)
  const known = Object.hasOwn(byName, name) ? byName[name] : undefined
  if (known !== undefined) return known(source)
  const { random } = source
  if (schema.enum !== undefined) return oneOf(random, schema.enum) ?? null
  const choice = schema.anyOf === undefined ? undefined : oneOf(random, schema.anyOf)
  if (choice !== undefined) return validValue(source, choice, name)
  switch (schema.type) {
    case 'string':
      return validText(source, schema)
    case 'integer':
    case 'number':
      return validNumber(random, schema)
    case 'boolean':
      return chance(random, 0.5)
    case 'null':
      return null
    case 'array':
      return validItems(source, schema)
    case 'object':
      return validObject(source, schema)
    default:
      return chance(random, STRANGE)
        ? oddValue(random)
        : oneOf(random, [1, 'text', true, null, [1, 2], { a: { b: 'c' } }])
  }
}

function validText({ random, unique }: Source, { format, minLength = 0, maxLength = 40 }: Schema): string {
  if (format === 'date-time') return at(between(random, -2, 2))
  const length = chance(random, 0.1) ? oneOf(random, [minLength, maxLength]) : Math.min(12, maxLength)
  return `t${unique}é😀`.padEnd(length, 'x').slice(0, Math.max(minLength, length)).toWellFormed()
}

function validNumber(random: Random, { minimum = 0, maximum = 1_000_000 }: Schema): number {
  // The least of most fields is a second, which would end everything at once.
  return chance(random, 0.1)
    ? oneOf(random, [minimum, maximum])
    : between(random, Math.min(maximum, minimum + 10), maximum)
}

function validItems(source: Source, { items = {}, maxItems = 3 }: Schema): Printable[] {
  const length = between(source.random, 1, Math.min(3, maxItems))
  const values = Array.from({ length }, () => validValue(source, items, ''))
  // Nothing is lost where items need not differ.
  return [...new Set(values)]
}

function validObject(source: Source, { properties, required = [] }: Schema): Printable {
  if (properties === undefined) return chance(source.random, 0.5) ? {} : { 'x-a': 'one', 'x-b': 'two' }
  const given = Object.entries(properties).filter(
    ([name]) => required.includes(name) || chance(source.random, OPTIONAL),
  )
  return Object.fromEntries(given.map(([name, schema]) => [name, validValue(source, schema, name)]))
}
