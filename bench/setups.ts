// What the bench runs its scenarios on: one server on SQLite, or some on one PostgreSQL. Each scenario gets an empty
// database, so that none pays for what another left behind.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestPostgres } from '../server/test/support/postgres.ts'
import { startServer } from './server-process.ts'

export type Setup = { name: string; nodes: number; postgres: TestPostgres | undefined }

/** The servers of a setup, over one database. */
export type Nodes = {
  /** Where they listen; the load is spread over all of them. */
  ports: number[]
  /** Drains and ends them. */
  stop(): Promise<void>
}

/** Starts the servers on a scenario's database, with flags for Node, and resolves when all are ready. */
export type StartNodes = (flags?: readonly string[]) => Promise<Nodes>

export const sqlite: Setup = { name: 'SQLite', nodes: 1, postgres: undefined }

/** So many servers on one PostgreSQL. */
export const onPostgres = (postgres: TestPostgres, nodes: number): Setup => ({
  name: `PostgreSQL, ${nodes === 1 ? 'one node' : `${nodes} nodes`}`,
  nodes,
  postgres,
})

/** Works on an empty database, which is gone afterwards. */
export function onEmptyDatabase<T>(
  { nodes, postgres }: Setup,
  work: (start: StartNodes) => Promise<T>,
): Promise<T> {
  return inFolder(async (data) => {
    const url = await postgres?.createDatabase()
    const result = await work(async (flags) => {
      const servers = await Promise.all(Array.from({ length: nodes }, () => startServer(data, flags, url)))
      return {
        ports: servers.map(({ port }) => port),
        stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
      }
    })
    if (url !== undefined) await postgres?.dropDatabase(url)
    return result
  })
}

/** Works in a temporary folder, which is gone afterwards; a failure leaves it, with the database and the log in it. */
export async function inFolder<T>(work: (data: string) => Promise<T>): Promise<T> {
  const data = await mkdtemp(join(tmpdir(), 'ringback-bench-'))
  try {
    const result = await work(data)
    await rm(data, { recursive: true })
    return result
  } catch (error) {
    console.error(`what is left of it: ${data}`)
    throw error
  }
}
