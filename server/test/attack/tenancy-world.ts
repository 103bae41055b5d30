// One server with several tenants: projects of every dialect made by its administrator, whoever calls with a key of theirs, and a
// look at the database from outside, which tells whether anything of a tenant has changed.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import pg from 'pg'
import type { Dialects } from '../../src/dialects/dialect.ts'
import { modes, type Mode } from '../../src/domain/project.ts'
import { basic } from '../dialects/scale-platform.ts'
import { startFiles } from '../dialects/stardust-customer.ts'
import { signed } from '../dialects/stardust-writing.ts'
import { adminKey, type Answer } from '../http/start-api.ts'
import { databaseUrl } from '../support/database.ts'
import { startPlatform } from '../support/platform.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'

export const dialectNames = ['native', 'scale', 'stardust', 'superai', 'asyncqueue'] as const
export type DialectName = (typeof dialectNames)[number]

type Init = { json?: unknown; raw?: string; headers?: Record<string, string> }

/** Calls with a key of one project, mode and role; a customer's of a dialect at its front, all others at the native API. */
export type Caller = {
  name: string
  dialect: DialectName
  role: 'customer' | 'operator'
  mode: Mode
  project_id: string
  call: (method: string, path: string, init?: Init) => Promise<Answer>
}

/** A project of the server, with its callers by mode. */
export type Tenant = {
  dialect: DialectName
  project_id: string
  credentials: Record<string, string>
  customer: Record<Mode, Caller>
  operator: Record<Mode, Caller>
}

type Route = { dialect: string; method: string; path: string }

/** Starts a server without tenants; it stops when the test ends. */
export async function startTenancy(t: TestContext) {
  const routes: Route[] = []
  const wrapDialects = (dialects: Dialects): Dialects => ({
    get: (name) => dialects.get(name),
    all: dialects.all.map((dialect) => {
      const { front, name } = dialect
      if (front === null) return dialect
      const register: typeof front.register = (app, deps) => {
        app.addHook('onRoute', ({ method, url }) => {
          for (const each of [method].flat())
            if (each !== 'HEAD') routes.push({ dialect: name, method: each, path: url })
        })
        return front.register(app, deps)
      }
      return { ...dialect, front: { ...front, register, refuse: (error) => front.refuse(error) } }
    }),
  })
  const platform = await startPlatform(t, 'native', { wrapDialects })
  const { clock, folder, request } = platform
  const files = await startFiles(t)
  // One origin for the callbacks of all.
  const receiver = await using(
    t,
    startReceiver(({ url = '' }, response) => {
      response.statusCode = url.includes('/gone') ? 410 : url.includes('/failing') ? 500 : 200
      response.end(`received at ${url}`)
    }),
  )

  const headersOf = (dialect: DialectName, key: string, secret: string): Record<string, string> => {
    switch (dialect) {
      case 'scale':
        return { authorization: basic(key) }
      case 'stardust':
        return signed({ id: key, secret }, clock.now())
      case 'superai':
        return { 'api-key': key }
      default:
        return { authorization: `Bearer ${key}` }
    }
  }

  /** Makes a project, and whoever calls for it. */
  async function createTenant(dialect: DialectName, name: string): Promise<Tenant> {
    const made = await platform.call('POST', '/v1/admin/projects', { key: adminKey, json: { name, dialect } })
    assert.equal(made.status, 201, made.text)
    const credentials: Record<string, string> = made.body.credentials
    const { id: project_id } = made.body.project
    const caller = (role: Caller['role'], mode: Mode): Caller => {
      const key = credentials[role === 'customer' ? `${mode}_key` : operatorKeys[mode]] ?? ''
      const speaks = role === 'customer' ? dialect : 'native'
      return {
        name: `the ${mode} ${role} of ${name}`,
        dialect,
        role,
        mode,
        project_id,
        call: (method, path, { headers, ...init } = {}) =>
          request(method, path, {
            ...init,
            headers: { ...headersOf(speaks, key, credentials['access_key_secret'] ?? ''), ...headers },
          }),
      }
    }
    const ofModes = (role: Caller['role']) =>
      Object.fromEntries(modes.map((mode) => [mode, caller(role, mode)])) as Record<Mode, Caller>
    return {
      dialect,
      project_id,
      credentials,
      customer: ofModes('customer'),
      operator: ofModes('operator'),
    }
  }

  /** All rows of one mode of a project, by table, as texts; resolves once nothing is under way. */
  async function rowsOf(tenant: Pick<Tenant, 'project_id'>, mode: Mode): Promise<Rows> {
    for (let before = ''; ;) {
      const tables = await readAll(folder)
      const text = JSON.stringify(tables)
      const calm = !['deliveries', 'calls'].some((name) =>
        tables[name]?.some((row) => row['state'] === 'sending'),
      )
      if (calm && text === before) return ownRows(tables, tenant.project_id, mode)
      before = text
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  return { ...platform, files, origin: receiver.url, routes, createTenant, rowsOf }
}

export type Tenancy = Awaited<ReturnType<typeof startTenancy>>

const operatorKeys = { live: 'operator_key', test: 'test_operator_key' } as const

/** By table. */
export type Rows = Record<string, string[]>
type Row = Record<string, unknown>

/** Reads the whole database over a connection that can write nothing. */
async function readAll(folder: string): Promise<Record<string, Row[]>> {
  const url = await databaseUrl(folder)
  if (url === null) {
    const database = new DatabaseSync(join(folder, 'ringback.db'), { readOnly: true })
    try {
      const names = database.prepare(`select name from sqlite_master where type = 'table'`).all()
      return Object.fromEntries(
        names.map(({ name }) => [String(name), database.prepare(`select * from ${String(name)}`).all()]),
      )
    } finally {
      database.close()
    }
  }
  const client = new pg.Client({ connectionString: url, options: '-c default_transaction_read_only=on' })
  await client.connect()
  try {
    const found = await client.query(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    )
    const tables: Record<string, Row[]> = {}
    for (const { name } of found.rows as { name: string }[])
      tables[name] = (await client.query(`select * from ${name}`)).rows as Row[]
    return tables
  } finally {
    await client.end()
  }
}

// Nobody's.
const COMMON = new Set(['schema_migrations', 'nodes', 'wakeups', 'sqlite_sequence'])

/** The rows that belong to one mode of a project, or to both, however their table says whose they are. */
function ownRows(tables: Record<string, Row[]>, project_id: string, mode: Mode): Rows {
  const idsIn = (name: string) =>
    new Set(tables[name]?.filter((row) => isOfScope(row)).map(({ id }) => String(id)))
  const isOfScope = (row: Row) =>
    row['project_id'] === project_id &&
    (row['mode'] === undefined || row['mode'] === null || row['mode'] === mode)
  const [tasks, deliveries, destinations] = ['tasks', 'deliveries', 'destinations'].map(idsIn) as [
    Set<string>,
    Set<string>,
    Set<string>,
  ]
  const isOwn = (name: string, row: Row): boolean => {
    if (name === 'projects') return row['id'] === project_id
    if ('project_id' in row) return isOfScope(row)
    if ('task_id' in row) return tasks.has(String(row['task_id']))
    if ('destination_id' in row) return destinations.has(String(row['destination_id']))
    // Attempts of calls stand under their task and its step.
    const owner = row['delivery_id']
    assert.ok(typeof owner === 'string', `the table ${name} does not say whose a row is`)
    return deliveries.has(owner) || tasks.has(owner.split('.', 1)[0] ?? '')
  }
  return Object.fromEntries(
    Object.entries(tables)
      .filter(([name]) => !COMMON.has(name))
      .map(([name, rows]) => [
        name,
        rows
          .filter((row) => isOwn(name, row))
          .map((row) => JSON.stringify(row))
          .toSorted(),
      ]),
  )
}
