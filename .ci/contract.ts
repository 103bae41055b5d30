// Makes sdk/src/contract.ts from the OpenAPI document of a real server, so that the client's types cannot drift from the
// API. `--check` ends with status 1 instead of writing when the file is not what would be made.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile, type JSONSchema } from 'json-schema-to-typescript'
import { createApp } from '../server/src/app.ts'
import { openLog } from '../server/src/commands/log.ts'
import { readConfig } from '../server/src/config.ts'

type Parameter = { name: string; in: string; required?: boolean; schema: JSONSchema }
type Operation = {
  operationId?: string
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: JSONSchema }> }
}
type OpenApi = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, JSONSchema> }
}

const FILE = new URL('../sdk/src/contract.ts', import.meta.url).pathname
const COMMAND = 'npm run contract'
const HEAD = `// Generated from the OpenAPI document by \`${COMMAND}\`: do not edit. Times are ISO 8601 UTC.`

async function readDocument(): Promise<OpenApi> {
  const data = mkdtempSync(join(tmpdir(), 'ringback-contract-'))
  const { config } = readConfig({ port: '0', data }, {})
  const app = await createApp({
    config: { ...config, admin_key: null },
    secret_key: new Uint8Array(32),
    public_url: 'http://127.0.0.1',
    log: openLog('silent'),
  })
  try {
    const { port } = await app.start()
    const answer = await fetch(`http://127.0.0.1:${port}/openapi.json`)
    return (await answer.json()) as OpenApi
  } finally {
    await app.stop()
    rmSync(data, { recursive: true })
  }
}

const capital = (name: string) => name.slice(0, 1).toUpperCase() + name.slice(1)

/** The query of an operation as an object; undefined when it has none, or only a page's. */
function queryOf({ parameters = [] }: Operation): JSONSchema | undefined {
  const query = parameters.filter((parameter) => parameter.in === 'query')
  if (query.length === 0) return undefined
  return {
    type: 'object',
    properties: Object.fromEntries(query.map(({ name, schema }) => [name, schema])),
    required: query.filter(({ required }) => required === true).map(({ name }) => name),
    additionalProperties: false,
  }
}

/** Every named schema: those of answers and callbacks, the bodies by their titles, the queries by their operations. */
function definitionsOf({ paths, components }: OpenApi): Record<string, JSONSchema> {
  const definitions: Record<string, JSONSchema> = { ...components.schemas }
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    const body = operation.requestBody?.content['application/json']?.schema
    if (body?.title !== undefined && body.title !== 'NoBody') definitions[body.title] = body
    const query = queryOf(operation)
    const page = query !== undefined && Object.keys(query.properties ?? {}).join() === 'limit,cursor'
    if (page) definitions['PageQuery'] = query
    else if (query !== undefined) definitions[`${capital(operation.operationId ?? '')}Query`] = query
  }
  return definitions
}

async function generate(): Promise<string> {
  const definitions = definitionsOf(await readDocument())
  const names = Object.keys(definitions).toSorted()
  const root = {
    title: 'Everything',
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { $ref: `#/definitions/${name}` }])),
    definitions,
  }
  const schema = JSON.parse(JSON.stringify(root), plainer) as JSONSchema
  const text = await compile(schema, 'Everything', {
    additionalProperties: false,
    bannerComment: HEAD,
    format: false,
  })
  // As types they are assignable to records, such as a transport's query.
  const types = text
    .replace(/export interface Everything \{[^}]*\}\n/, '')
    .replaceAll(/export interface (\w+) \{/g, 'export type $1 = {')
    .replaceAll(/\/\*\*\n\s*\* (.*)\n\s*\*\//g, '/** $1 */')
    .replaceAll('\nexport ', '\n\nexport ')
  return formatted(types)
}

/** What the generator should see: references to its own definitions, and no words that every time repeats. */
function plainer(key: string, value: unknown): unknown {
  if (key === '$ref') return String(value).replace('#/components/schemas/', '#/definitions/')
  if (typeof value !== 'object' || value === null) return value
  if ('format' in value && value.format === 'date-time') return { type: 'string' }
  // Without a type it is any JSON; the generator would take it for an object.
  if (Object.keys(value).join() === 'description') return { ...value, tsType: 'unknown' }
  return value
}

function formatted(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-format-'))
  try {
    const file = join(folder, 'contract.ts')
    writeFileSync(file, text)
    execFileSync('oxfmt', ['--config', new URL('../.oxfmtrc.json', import.meta.url).pathname, file])
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
