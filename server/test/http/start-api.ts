// A whole HTTP edge for tests: a real store in a file, a real socket, a clock that the test moves. No engine: deliveries
// are queued, so a test sees exactly what the API wrote.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Registry } from 'prom-client'
import { createVerbs } from '../../src/dialects/apply.ts'
import { createProjectWithCredentials } from '../../src/dialects/credentials.ts'
import type { Dialects } from '../../src/dialects/dialect.ts'
import { createDirectory } from '../../src/dialects/directory.ts'
import { createKeyUses } from '../../src/dialects/key-uses.ts'
import { createDialects } from '../../src/dialects/index.ts'
import { createIds } from '../../src/domain/id.ts'
import { createApi } from '../../src/http/api.ts'
import type { Patience } from '../../src/http/connections.ts'
import type { ApiConfig, ApiOptions } from '../../src/http/deps.ts'
import { createCipher } from '../../src/store/cipher.ts'
import { createStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { openTestDriver } from '../support/database.ts'
import { createTestLog } from '../support/log.ts'

export const adminKey = 'an-admin-key-of-more-than-32-characters'

/** An answer: its body as text, and parsed as far as it is JSON. */
export type Answer = { status: number; headers: Headers; text: string; body: Body }

/** A row of a list, and the members of any answer that tests look at; the rest is unknown. */
export type Row = { [field: string]: unknown; id: string; headers: Record<string, string> }
export type Body = {
  [field: string]: unknown
  id: string
  detail: string
  error: string
  key: string
  callback_id: string
  resolve_url: string
  next_cursor: string | null
  plan: string[]
  data: Row[]
  project: Row
  credentials: Record<'live_key' | 'operator_key' | 'signing_secret', string>
  value: string
}

export type Call = (
  method: string,
  path: string,
  options?: { key?: string | null; json?: unknown; raw?: string; headers?: Record<string, string> },
) => Promise<Answer>

/**
 * Starts an API with one project; it stops when the test ends. `wrapStore` may replace verbs of the store, `wrapDialects` what
 * the dialects are; with `over` the store is the caller's, and so is its clock. The project speaks `dialect`.
 */
export async function startApi(
  t: TestContext,
  config: Partial<ApiConfig> = {},
  {
    wrapStore = (store) => store,
    wrapDialects = (dialects) => dialects,
    over,
    dialect = 'native',
    patience,
  }: {
    wrapStore?: (store: Store) => Store
    wrapDialects?: (dialects: Dialects) => Dialects
    over?: Store
    dialect?: string
    patience?: Patience
  } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'ringback-http-'))
  const clock = { time: Date.UTC(2030, 0, 1) }
  const now = () => over?.now() ?? clock.time
  const newId = createIds(now, (bytes) => bytes.set(randomBytes(bytes.length)))
  const real =
    over ??
    createStore({
      driver: await openTestDriver(folder),
      cipher: createCipher(Buffer.alloc(32, 7)),
      now,
      owner: newId(),
    })
  const store = wrapStore(real)
  const dialects = wrapDialects(createDialects({ version: '0.0.0' }))
  const directory = createDirectory(store)
  const keyUses = createKeyUses(store)
  const verbs = createVerbs({ store, dialects, directory, newId, randomBytes })
  const log = createTestLog()
  const created = createProjectWithCredentials(
    dialects.get(dialect),
    { name: 'test', default_callback_url: null },
    { now, newId, randomBytes },
  )
  await store.createProject(created)
  const deps: ApiOptions = {
    store,
    verbs,
    dialects,
    directory,
    keyUses,
    egress: {
      checkUrl: async ({ hostname }) =>
        hostname === '10.0.0.1' ? { ok: false, reason: 'The address 10.0.0.1 is not public.' } : { ok: true },
    },
    config: {
      public_url: 'https://ring.test/',
      body_limit: 10_000,
      inbound_rate: null,
      wrong_key_rate: null,
      api_rate: null,
      team_rate: null,
      trust_proxy: [],
      connections: 1000,
      connections_per_address: 1000,
      surface: 'all',
      admin_apart: false,
      admin_key: adminKey,
      mail: false,
      version: '0.0.0',
      ...config,
    },
    registry: new Registry(),
    log,
    now,
    newId,
    randomBytes,
    patience,
  }
  const api = await createApi(deps)
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 })
  const adminPort = deps.config.admin_apart
    ? (await api.listenAdmin({ host: '127.0.0.1', port: 0 })).port
    : port
  t.after(async () => {
    await api.close()
    if (over === undefined) await real.close()
    await rm(folder, { recursive: true, force: true })
  })

  const call: Call = async (
    method,
    path,
    { key = created.credentials.live_key, json, raw, headers = {} } = {},
  ) => {
    const body = raw ?? (json === undefined ? undefined : JSON.stringify(json))
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      body,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    })
    const text = await response.text()
    const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '')
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : {}) as Body,
    }
  }
  const createTask = async (json: unknown = {}) => (await call('POST', '/v1/tasks', { json })).body
  return {
    adminPort,
    api,
    call,
    clock,
    createTask,
    credentials: created.credentials,
    /** What the API is made from. */
    deps,
    directory,
    keyUses,
    log,
    port,
    project: created.project,
    store,
  }
}
