// The databases that the contract of the store is proved on, each opened with a clock of the test's.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPostgresDriver } from '../../src/store/postgres.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { startPostgres } from './postgres.ts'
import { storeOn } from './store.ts'

export type Opened = { store: Store; end: () => Promise<void> }

export const contractDatabases: { name: string; open: (now: () => number) => Promise<Opened> }[] = [
  {
    name: 'SQLite',
    async open(now) {
      const folder = mkdtempSync(join(tmpdir(), 'ringback-contract-'))
      const store = storeOn(await openSqliteDriver(join(folder, 'db')), now)
      return {
        store,
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
      const store = storeOn(await openPostgresDriver(await postgres.createDatabase()), now)
      return {
        store,
        async end() {
          await store.close()
          await postgres.stop()
        },
      }
    },
  },
]
