// The composition root: config → store → engine → http. The only file that names a driver, and the one that knows in which
// order the parts start and stop.
import { randomBytes, randomFillSync, randomUUID } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { Registry, collectDefaultMetrics } from 'prom-client'
import { mailOf, type Config } from './config.ts'
import { createVerbs } from './dialects/apply.ts'
import { createCallWiring } from './dialects/call-wiring.ts'
import { createDirectory } from './dialects/directory.ts'
import type { Dialects } from './dialects/dialect.ts'
import { createDialects } from './dialects/index.ts'
import { createKeyUses } from './dialects/key-uses.ts'
import { createRender } from './dialects/render.ts'
import { createWorkOf } from './dialects/work-of.ts'
import type { Check } from './domain/finding.ts'
import { createIds } from './domain/id.ts'
import { createEgress, createOpenConnect, type Egress } from './engine/egress.ts'
import { createCallSender } from './engine/call-sender.ts'
import { createClock } from './engine/clock.ts'
import { createEngine } from './engine/engine.ts'
import { createFetcher } from './engine/fetcher.ts'
import { createHttpSender } from './engine/http-sender.ts'
import { createMailSender, noMailSender, type MailSender } from './engine/mail-sender.ts'
import { createOperatorCall } from './engine/operator-call.ts'
import { createProxyReach } from './engine/proxy.ts'
import type { Attempted } from './engine/report.ts'
import { createResolver, RESOLVE_TIMEOUT_MS, type Resolver } from './engine/resolver.ts'
import { createSenders } from './engine/senders.ts'
import { createApi } from './http/api.ts'
import type { ApiOptions } from './http/deps.ts'
import { backupSqlite } from './store/backup.ts'
import { postgresChecks } from './store/checks/postgres.ts'
import { sqliteChecks } from './store/checks/sqlite.ts'
import { createCipher } from './store/cipher.ts'
import { copyDatabase, type Copied, type Report } from './store/copy/copy.ts'
import type { Place } from './store/copy/end.ts'
import { createStore } from './store/open.ts'
import type { Migrated } from './store/migrate.ts'
import { migratePostgres, openPostgresDriver } from './store/postgres.ts'
import { assertOpens, type SealedRows } from './store/sealed.ts'
import { openSqliteDriver } from './store/sqlite.ts'
import type { Store } from './store/store.ts'
import { version } from './version.ts'

export type AppOptions = {
  config: Config
  secret_key: Uint8Array
  public_url: string
  log: Logger
  onAttempt?: (attempted: Attempted) => void
  /** Resolves the names of outgoing requests, instead of the system's name servers. */
  resolver?: Resolver
  /** Adds routes that need no key (the inbox of `dev`). */
  extend?: (server: FastifyInstance) => void
}

export type App = {
  store: Store
  newId: () => string
  dialects: Dialects
  /** Listens and delivers. Resolves with the port, and that of the admin routes if they have their own. */
  start(): Promise<{ port: number; admin_port: number | null }>
  /** Takes nothing new, finishes or releases what is in flight within the grace time, closes the database. Idempotent. */
  stop(): Promise<void>
}

/** The stop took longer than it may, most likely for a database that does not answer. Nothing is lost by ending now. */
export class StopError extends Error {
  constructor() {
    super(
      'the database did not answer by the end of RINGBACK_STOP_GRACE: what was not written is found when its lease ends',
    )
    this.name = 'StopError'
  }
}

// After the grace: what was cut off is written, and connections are closed.
const CLOSE_MS = 3000

/** Waits for `done`, but no longer. Throws StopError. */
async function within(time_ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StopError()), time_ms)
  })
  await Promise.race([done, late]).finally(() => clearTimeout(timer))
}

const databasePath = (config: Pick<Config, 'data'>) => join(config.data, 'ringback.db')

/** Whether there is a database where the settings say. */
export const hasDatabase = (config: Config): boolean =>
  config.database_url !== null || existsSync(databasePath(config))

/** Brings the database to this program's schema; throws when it is newer. */
export async function migrateDatabase(config: Config): Promise<Migrated> {
  if (config.database_url !== null) return migratePostgres(config.database_url)
  const driver = await openSqliteDriver(databasePath(config))
  await driver.close()
  return driver.migrated
}

/**
 * Opens the database alone. Throws WrongSecretKeyError before anything is written, DatabaseInUseError when another process
 * has a SQLite file, and PostgresStartError when a PostgreSQL cannot be used.
 */
export async function openStore({
  config,
  secret_key,
}: {
  config: Config
  secret_key: Uint8Array
}): Promise<Store> {
  const cipher = createCipher(secret_key, config.secret_key_old)
  // Node and boot: a process that starts anew is another owner.
  const owner = `${hostname()}:${randomUUID()}`
  const opening = {
    owner,
    admit: (sealed: SealedRows) => assertOpens(cipher, sealed),
    mode: config.migrate === 'start' ? ('migrate' as const) : ('check' as const),
  }
  const driver =
    config.database_url === null
      ? await openSqliteDriver(databasePath(config), opening)
      : await openPostgresDriver(config.database_url, opening)
  return createStore({ driver, cipher, now: () => driver.now(), owner })
}

/** Copies the database to a new file while a server goes on with it; gives the copy's bytes. Throws BackupError. */
export const backupDatabase = (config: Config, target: string): Promise<number> =>
  backupSqlite(databasePath(config), target)

/**
 * Copies one database into another, empty one; each is a PostgreSQL's URL, a SQLite's file, or the folder of one. Throws
 * CopyError and PostgresStartError.
 */
export const copyBetween = (from: string, to: string, report: (report: Report) => void): Promise<Copied> =>
  copyDatabase({ from: placeOf(from), to: placeOf(to) }, report)

function placeOf(text: string): Place {
  if (/^postgres(ql)?:\/\//i.test(text)) return { url: text }
  const path = resolve(text)
  const isFile = existsSync(path) ? statSync(path).isFile() : path.endsWith('.db')
  return { path: isFile ? path : databasePath({ data: path }) }
}

/** What can be said of the database without writing to it. */
export const databaseChecks = (config: Pick<Config, 'data' | 'database_url'>): Check[] =>
  config.database_url === null ? sqliteChecks(databasePath(config)) : postgresChecks(config.database_url)

type GuardSettings = Pick<Config, 'egress_allow' | 'egress_ports' | 'egress_proxy'>

/** The guard between customers' URLs and our own network, and the resolver that it asks. */
export type Guard = { egress: Egress; resolver: Resolver; resolve_timeout_ms: number }

/** Makes the guard; names are those of the system's name servers unless a resolver is given. */
export function createGuard(
  { egress_allow, egress_ports, egress_proxy }: GuardSettings,
  resolver = createResolver(),
): Guard {
  const reach = egress_proxy === null ? undefined : createProxyReach({ url: egress_proxy, resolver })
  const egress = createEgress({ allow: egress_allow, ports: egress_ports, resolver, reach })
  return { egress, resolver, resolve_timeout_ms: RESOLVE_TIMEOUT_MS }
}

/** The sender of e-mails, or null where none are sent; throws ConfigError as `mailOf` does. */
export function createMail(
  config: Pick<Config, 'smtp_url' | 'smtp_from'>,
  resolver: Resolver,
): MailSender | null {
  const mail = mailOf(config)
  if (mail === null) return null
  return createMailSender({ ...mail, connect: createOpenConnect(resolver) })
}

/** Opens the database and puts the program together; nothing listens or is sent before `start`. */
export async function createApp({
  config,
  secret_key,
  public_url,
  log,
  onAttempt,
  resolver: givenResolver,
  extend,
}: AppOptions): Promise<App> {
  const { resolver, egress } = createGuard(config, givenResolver)
  const mail = createMail(config, resolver)
  const store = await openStore({ config, secret_key })
  const now = () => store.now()
  const newId = createIds(now, (bytes) => void randomFillSync(bytes))
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const dialects = createDialects({ version, signature_window_s: config.signature_window })
  const directory = createDirectory(store)
  const keyUses = createKeyUses(store)
  const operator =
    config.operator_url === null
      ? undefined
      : createOperatorCall({ url: config.operator_url, version, resolver })
  const verbs = createVerbs({ store, dialects, directory, newId, randomBytes })
  const options: ApiOptions = {
    store,
    verbs,
    dialects,
    directory,
    keyUses,
    egress,
    registry,
    log,
    now,
    newId,
    randomBytes,
    config: {
      public_url,
      body_limit: config.body_limit,
      inbound_rate: config.inbound_rate,
      wrong_key_rate: config.wrong_key_rate,
      api_rate: config.api_rate,
      team_rate: config.team_rate,
      trust_proxy: config.trust_proxy,
      connections: config.connections,
      connections_per_address: config.connections_per_address,
      surface: config.surface,
      admin_apart: config.admin_port !== null,
      admin_key: config.admin_key,
      mail: mail !== null,
      version,
    },
  }
  const engine = createEngine({
    store,
    sender: createSenders({ http: createHttpSender({ egress }), mail: mail ?? noMailSender }),
    callSender: createCallSender({
      sender: createHttpSender({ egress, body_bytes: config.body_limit, body_ms: null }),
      clock: createClock(now),
    }),
    fetcher: createFetcher({ egress, version }),
    calls: createCallWiring({ store, dialects, verbs, public_url, version, answer_bytes: config.body_limit }),
    policy: (project) => dialects.get(project.dialect).policy(project),
    render: createRender(dialects),
    expire: (task) => verbs.tryApply(task, 'expire', {}),
    workOf: createWorkOf(options),
    flushKeyUses: keyUses.flush,
    log,
    registry,
    onAttempt,
    tellOperator: operator?.tell,
  })
  const api = await createApi(options, extend)

  async function stop(): Promise<void> {
    const grace_ms = config.stop_grace * 1000
    const deadline = now() + grace_ms
    const late = setTimeout(() => void api.close(), grace_ms)
    await api.drain()
    clearTimeout(late)
    const closed = (async () => {
      await engine.stop(Math.max(0, deadline - now()))
      await operator?.close()
      resolver.close()
      await store.close()
    })()
    await within(Math.max(0, deadline - now()) + CLOSE_MS, closed)
  }

  let stopping: Promise<void> | undefined
  return {
    store,
    newId,
    dialects,
    async start() {
      await engine.start()
      const { host, port, admin_port, admin_host } = config
      const main = await api.listen({ host, port })
      if (admin_port === null) return { port: main.port, admin_port: null }
      const admin = await api.listenAdmin({ host: admin_host ?? host, port: admin_port })
      return { port: main.port, admin_port: admin.port }
    },
    stop: () => (stopping ??= stop()),
  }
}
