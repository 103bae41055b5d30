// What is fuzzed: a server as users start it, with a project of each dialect, on a database that can be looked into; and a few
// things in it that chance alone would seldom bring about.
import { join } from 'node:path'
import { openApi, type Api } from '../crash/api.ts'
import { adminKey, spawnServer, type ServerProcess } from '../crash/server-process.ts'
import { signed } from '../dialects/stardust-writing.ts'
import { startOwnPostgres } from '../support/postgres.ts'
import type { Worlds } from './generate.ts'
import { createPool, type Pool } from './pool.ts'
import type { World } from './request.ts'
import type { Document } from './routes.ts'
import { APP, PROJECT } from './seeds.ts'
import { startSink, type Sink } from './sink.ts'
import { watchPostgres, watchSqlite, type State } from './state.ts'

export type Stage = AsyncDisposable & {
  server: ServerProcess
  base_url: string
  sink: Sink
  pool: Pool
  worlds: Worlds
  document: Document
  state: State
  /** The lines that it should not have written. */
  bugs: string[]
}

type Credentials = Record<'live_key' | 'test_key' | 'operator_key', string> &
  Record<string, string | undefined>
type Created = { project: { id: string }; credentials: Credentials }

// Limits would hide what is behind them.
const SETTINGS = { RINGBACK_WRONG_KEY_RATE: 'off', RINGBACK_TEAM_RATE: 'off' }
const FURNISHED = 12
const ERROR_LEVEL = 50

/** Starts everything; disposing ends it. */
export async function setStage(folder: string, database: 'sqlite' | 'postgres'): Promise<Stage> {
  await using started = new AsyncDisposableStack()
  const sink = started.use(await startSink())
  const bugs: string[] = []
  const hear = (line: string) => void (isBug(line) && bugs.push(line))
  let url: string | undefined
  if (database === 'postgres') {
    const postgres = await startOwnPostgres({ fsync: false })
    started.defer(() => postgres.stop())
    url = await postgres.createDatabase()
  }
  const server = started.use(
    spawnServer(folder, url === undefined ? SETTINGS : { ...SETTINGS, RINGBACK_DATABASE_URL: url }, hear),
  )
  const base_url = await server.ready
  const state = started.use(
    url === undefined ? watchSqlite(join(folder, 'ringback.db')) : await watchPostgres(url),
  )
  const pool = createPool()
  await using admin = openApi(base_url, adminKey)
  const worlds = await createWorlds(admin, pool, sink)
  const document = await admin.get<Document>('/openapi.json')
  await furnish(base_url, worlds, pool, sink)
  const all = started.move()
  return {
    server,
    base_url,
    sink,
    pool,
    worlds,
    document,
    state,
    bugs,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** Whether a line of the log tells of a fault of ours. What is no line of the log comes from Node. */
function isBug(line: string): boolean {
  if (!line.startsWith('{')) return line.trim() !== ''
  const { level } = JSON.parse(line) as { level: number }
  return level >= ERROR_LEVEL
}

const bearer =
  (key: string): World['headers'] =>
  () => [['authorization', `Bearer ${key}`]]

const customers: Readonly<Record<string, (credentials: Credentials) => World['headers']>> = {
  native: ({ live_key }) => bearer(live_key),
  scale:
    ({ live_key }) =>
    () => [['authorization', `Basic ${Buffer.from(`${live_key}:`).toString('base64')}`]],
  stardust: ({ access_key_id = '', access_key_secret = '' }) => {
    const key = { id: access_key_id, secret: access_key_secret }
    return () => Object.entries(signed(key, Date.now()))
  },
  superai:
    ({ live_key }) =>
    () => [['api-key', live_key]],
  asyncqueue:
    ({ live_key }) =>
    () => [['x-api-key', live_key]],
}

async function createWorlds(admin: Api, pool: Pool, sink: Sink): Promise<Worlds> {
  const worlds: Record<string, World> = { admin: { name: 'admin', pool: 'admin', headers: bearer(adminKey) } }
  const add = (name: string, shared: string, headers: World['headers']) =>
    (worlds[name] = { name, pool: shared, headers })
  const create = async (dialect: string) => {
    const answer = await admin.send('POST', '/v1/admin/projects', {
      name: dialect,
      dialect,
      default_callback_url: sink.url('/ok'),
    })
    const created = answer?.body as Created
    // Nobody may take its keys away.
    pool.protect(created.project.id)
    return created
  }
  for (const [dialect, headersOf] of Object.entries(customers)) {
    const { project, credentials } = await create(dialect)
    add(dialect, dialect, headersOf(credentials))
    add(`${dialect} operator`, dialect, bearer(credentials.operator_key))
    if (dialect === 'native') add('native test', 'native test', bearer(credentials.test_key))
    pool.add(dialect, 'teamId', { id: project.id, state: undefined, params: {} })
  }
  const { credentials } = await create('native')
  add('spare', 'spare', bearer(credentials.operator_key))
  pool.add('superai', 'app', { id: APP, state: undefined, params: {} })
  pool.add('stardust', 'projectId', { id: String(PROJECT), state: undefined, params: {} })
  return worlds
}

/** Tasks whose callback came early, halted ones, and deliveries that cannot be made: they seldom last until a request names them. */
async function furnish(base_url: string, worlds: Worlds, pool: Pool, sink: Sink): Promise<void> {
  const [[, authorization] = ['', '']] = worlds['native']?.headers() ?? []
  await using api = openApi(base_url, authorization.replace('Bearer ', ''))
  for (let i = 0; i < FURNISHED; i++) {
    const created = await api.send('POST', '/v1/tasks', { callback_url: sink.url('/fail') })
    const other = await api.send('POST', '/v1/tasks', { callback_url: sink.url('/fail') })
    const halted = await api.send('POST', '/v1/tasks', {})
    if (created === undefined || other === undefined || halted === undefined)
      throw new Error('The server gives no answer')
    const { id, callback_id } = created.body as { id: string; callback_id: string }
    await api.send('POST', `/v1/tasks/${id}/start`, {})
    await api.send('POST', `/v1/callbacks/${callback_id}`, { early: i })
    pool.learn('native', 'arrivals', await api.get(`/v1/tasks/${id}/arrivals`), {})
    const { id: task } = halted.body as { id: string }
    pool.learn('native', 'tasks', (await api.send('POST', `/v1/tasks/${task}/suspend`, {}))?.body, {})
    const { id: done } = other.body as { id: string }
    await api.send('POST', `/v1/tasks/${done}/complete`, { response: 1 })
    pool.learn('native', 'deliveries', await api.get(`/v1/tasks/${done}/deliveries`), {})
  }
}
