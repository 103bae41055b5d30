// The database that a run of the tests is for: SQLite in a folder, or with TEST_DATABASE=postgres a PostgreSQL, in which each
// folder gets a database of its own. So suites are written once and run on both.
import { after } from 'node:test'
import { join } from 'node:path'
import type { Driver } from '../../src/store/driver.ts'
import { openPostgresDriver } from '../../src/store/postgres.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import { startPostgres, type TestPostgres } from './postgres.ts'

/** Whether the tests run on PostgreSQL. */
export const onPostgres = process.env['TEST_DATABASE'] === 'postgres'

let starting: Promise<TestPostgres> | undefined
const urls = new Map<string, Promise<string>>()

after(async () => (await starting)?.stop())

/** The URL of the database that stands for this folder; null on SQLite. */
export function databaseUrl(folder: string): Promise<string> | null {
  if (!onPostgres) return null
  starting ??= startPostgres()
  const url = urls.get(folder) ?? starting.then((postgres) => postgres.createDatabase())
  urls.set(folder, url)
  return url
}

/** Opens the database of this folder. */
export async function openTestDriver(folder: string): Promise<Driver> {
  const url = await databaseUrl(folder)
  return url === null ? openSqliteDriver(join(folder, 'ringback.db')) : openPostgresDriver(url)
}
