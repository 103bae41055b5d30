// What the bench runs its scenarios on: one server on SQLite, or some on one PostgreSQL. Each scenario gets an empty
// database, so that none pays for what another left behind.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestPostgres } from '../server/test/support/postgres.ts'
import { source, type Program } from './program.ts'
import { startServer } from './server-process.ts'

export type Setup = { name: string; nodes: number; postgres: TestPostgres | undefined; program: Program }

/** The servers of a setup, over one database. */
export type Nodes = {
  /** Where they listen; the load is spread over all of them. */
  ports: number[]
  /** When the first process was started, by the machine's monotonic clock. */
  started_at: number
  /** The memory of all of them; a PostgreSQL's is not among it. */
  residentMib(): Promise<number>
  /** How many attempts are under way in all of them. */
  inFlight(): Promise<number>
  /** Has `collectable` ones collect their garbage. */
  collect(): Promise<void>
  /** Drains and ends them. */
  stop(): Promise<void>
}

/** Where a scenario's rows are, for whoever writes them past the server. */
export type Database = { kind: 'sqlite'; path: string } | { kind: 'postgres'; url: string }

/** A scenario's own database, and what starts the servers on it, with flags for Node; it resolves when all are ready. */
export type Ground = { database: Database; start: (flags?: readonly string[]) => Promise<Nodes> }

/** One server on SQLite. */
export const onSqlite = (program: Program): Setup => ({
  name: 'SQLite',
  nodes: 1,
  postgres: undefined,
  program,
})

/** One server of the sources on SQLite. */
export const sqlite: Setup = onSqlite(source)

/** So many servers on one PostgreSQL. */
export const onPostgres = (postgres: TestPostgres, nodes: number, program: Program): Setup => ({
  name: `PostgreSQL, ${nodes === 1 ? 'one node' : `${nodes} nodes`}`,
  nodes,
  postgres,
  program,
})

/** Works on an empty database, which is gone afterwards. */
export function onEmptyDatabase<T>(
  { nodes, postgres, program }: Setup,
  work: (ground: Ground) => Promise<T>,
): Promise<T> {
  return inFolder(async (data) => {
    const database_url = await postgres?.createDatabase()
    const result = await work({
      database:
        database_url === undefined
          ? { kind: 'sqlite', path: join(data, 'ringback.db') }
          : { kind: 'postgres', url: database_url },
      async start(flags = []) {
        const servers = await Promise.all(
          Array.from({ length: nodes }, () => startServer(data, { flags, database_url, program })),
        )
        return {
          ports: servers.map(({ port }) => port),
          started_at: Math.min(...servers.map(({ started_at }) => started_at)),
          residentMib: () => sumOf(servers.map((server) => server.residentMib())),
          inFlight: () => sumOf(servers.map((server) => server.inFlight())),
          collect: async () => void (await Promise.all(servers.map((server) => server.collect()))),
          stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
        }
      },
    })
    if (database_url !== undefined) await postgres?.dropDatabase(database_url)
    return result
  })
}

async function sumOf(values: readonly Promise<number>[]): Promise<number> {
  const found = await Promise.all(values)
  return found.reduce((sum, value) => sum + value, 0)
}

/** Works in a temporary folder, which is gone afterwards; a failure or an interruption leaves it, with the database and the log. */
export async function inFolder<T>(work: (data: string) => Promise<T>): Promise<T> {
  const data = await mkdtemp(join(tmpdir(), 'ringback-bench-'))
  const tell = () => console.error(`what is left of it: ${data}`)
  process.once('exit', tell)
  const result = await work(data)
  await rm(data, { recursive: true })
  process.off('exit', tell)
  return result
}
