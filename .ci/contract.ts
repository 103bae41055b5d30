// Makes sdk/src/contract.ts from the OpenAPI document of the program as it is put together, so that the client's types
// cannot drift from the API. `--check` ends with status 1 instead of writing when the file is not what would be made.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile, type JSONSchema } from 'json-schema-to-typescript'
import { createApp } from '../server/src/app.ts'
import { openLog } from '../server/src/commands/log.ts'
import { readConfig } from '../server/src/config.ts'

type Parameter = { name: string; in: string; required?: boolean; description?: string; schema: JSONSchema }
type Operation = {
  operationId?: string
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: JSONSchema }> }
}
type OpenApi = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, JSONSchema> }
}

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const FILE = pathOf('sdk/src/contract.ts')
const COMMAND = 'npm run contract'
const HEAD = `// Generated from the OpenAPI document by \`${COMMAND}\`: do not edit. Times are ISO 8601 UTC.
// oxlint-disable max-lines -- as long as the API is large`

/** Asks the program for its document; it listens nowhere. */
async function readDocument(): Promise<OpenApi> {
  const data = mkdtempSync(join(tmpdir(), 'ringback-contract-'))
  const servers: { swagger: () => object }[] = []
  const app = await createApp({
    config: readConfig({ data }, {}).config,
    secret_key: new Uint8Array(32),
    public_url: 'http://127.0.0.1',
    log: openLog('silent'),
    extend: (server) => void servers.push(server),
  })
  const [document] = servers.map((server) => server.swagger())
  await app.stop()
  rmSync(data, { recursive: true })
  return document as OpenApi
}

const capital = (name: string) => name.slice(0, 1).toUpperCase() + name.slice(1)

/** The query of an operation as an object, with its name; undefined when it has none. */
function queryOf({ operationId = '', parameters = [] }: Operation): [string, JSONSchema] | undefined {
  const query = parameters.filter((parameter) => parameter.in === 'query')
  if (query.length === 0) return undefined
  const isPage = query.map(({ name }) => name).join() === 'limit,cursor'
  const described = query.map(({ name, description, schema }) => [name, { ...schema, description }])
  const schema: JSONSchema = {
    type: 'object',
    properties: Object.fromEntries(described) as NonNullable<JSONSchema['properties']>,
    required: query.filter(({ required }) => required === true).map(({ name }) => name),
    additionalProperties: false,
  }
  return [isPage ? 'PageQuery' : `${capital(operationId)}Query`, schema]
}

/** Every named schema: those of answers and callbacks, the bodies by their titles, the queries by their operations. */
function definitionsOf({ paths, components }: OpenApi): Record<string, JSONSchema> {
  const definitions: Record<string, JSONSchema> = { ...components.schemas }
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    const body = operation.requestBody?.content['application/json']?.schema
    if (body?.title !== undefined) definitions[body.title] = body
    const query = queryOf(operation)
    if (query !== undefined) definitions[query[0]] = query[1]
  }
  return definitions
}

async function generate(): Promise<string> {
  const definitions = definitionsOf(await readDocument())
  const names = Object.keys(definitions)
  const root = {
    title: 'Everything',
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { $ref: `#/definitions/${name}` }])),
    definitions,
  }
  const schema = JSON.parse(JSON.stringify(root, createPlainer(definitions))) as JSONSchema
  const text = await compile(schema, 'Everything', {
    additionalProperties: false,
    bannerComment: '',
    format: false,
  })
  // As types they are assignable to records, such as a transport's query.
  const plain = text
    .replaceAll(/export interface (\w+) \{/g, 'export type $1 = {')
    .replaceAll(/\{\s*\[k: string\]: (\w+);?\s*\}/g, 'Record<string, $1>')
    .replaceAll(/\/\*\*\n\s*\* (.*)\n\s*\*\//g, '/** $1 */')
  const types = formatted(plain).split(/^(?=\/\*\*)|^(?<!\*\/\n)(?=export )/m)
  const nameOf = (type: string) => /^export type (\w+)/m.exec(type)?.[1] ?? ''
  const ordered = names.flatMap((name) => types.filter((type) => nameOf(type) === name))
  return `${[HEAD, ...ordered].map((block) => block.trim()).join('\n\n')}\n`
}

/**
 * Shows the generator what makes plain types: references to its own definitions, words by the name of their list, and not
 * what every time repeats.
 */
function createPlainer(definitions: Record<string, JSONSchema>): (key: string, value: unknown) => unknown {
  const lists = new Map(
    Object.entries(definitions).map(([name, schema]) => [JSON.stringify(schema.enum), name]),
  )
  return (key, value) => {
    if (key === '$ref') return String(value).replace('#/components/schemas/', '#/definitions/')
    if (typeof value !== 'object' || value === null) return value
    const list = 'enum' in value ? lists.get(JSON.stringify(value.enum)) : undefined
    if (list !== undefined && list !== key) return { $ref: `#/definitions/${list}` }
    if ('format' in value && value.format === 'date-time') return { type: 'string' }
    // Without a type it is any JSON; the generator would take it for an object.
    if (Object.keys(value).join() === 'description') return { ...value, tsType: 'unknown' }
    return value
  }
}

function formatted(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-format-'))
  const file = join(folder, 'contract.ts')
  try {
    writeFileSync(file, text)
    const oxfmt = [pathOf('node_modules/oxfmt/bin/oxfmt'), '--config', pathOf('.oxfmtrc.json'), file]
    execFileSync(process.execPath, oxfmt)
    return readFileSync(file, 'utf8')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const text = await generate()
if (!process.argv.includes('--check')) {
  writeFileSync(FILE, text)
} else if (readFileSync(FILE, 'utf8') !== text) {
  console.error(`sdk/src/contract.ts is not what the API says: run \`${COMMAND}\``)
  process.exitCode = 1
}
