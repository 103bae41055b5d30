// The databases that the contract of the store is proved on, each opened with a clock of the test's.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { openPostgresDriver } from '../../src/store/postgres.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { startPostgres } from './postgres.ts'
import { storeOn } from './store.ts'

/** `run` runs a statement past the store. */
export type Opened = { store: Store; run: (sql: string) => Promise<unknown>; end: () => Promise<void> }

export const contractDatabases: { name: string; open: (now: () => number) => Promise<Opened> }[] = [
  {
    name: 'SQLite',
    async open(now) {
      const folder = mkdtempSync(join(tmpdir(), 'ringback-contract-'))
      const path = join(folder, 'db')
      const store = storeOn(await openSqliteDriver(path), now)
      return {
        store,
        async run(sql) {
          const database = new DatabaseSync(path)
          database.exec(sql)
          database.close()
        },
        async end() {
          await store.close()
          rmSync(folder, { recursive: true })
        },
      }
    },
  },
  {
    name: 'PostgreSQL',
    async open(now) {
      const postgres = await startPostgres()
      const url = await postgres.createDatabase()
      const store = storeOn(await openPostgresDriver(url), now)
      return {
        store,
        async run(sql) {
          const client = new pg.Client(url)
          await client.connect()
          await client.query(sql)
          await client.end()
        },
        async end() {
          await store.close()
          await postgres.stop()
        },
      }
    },
  },
]
