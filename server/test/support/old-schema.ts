// A database as the program before the last migration left it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Database, SqlValue } from '../../src/store/database.ts'

const folder = fileURLToPath(new URL('../../src/store/migrations/', import.meta.url))

/** One row for each of some tables. */
export type OldRows = Record<string, Record<string, SqlValue>>

/** Makes the schema before the last migration, fills it, and closes the database. */
export async function makeOld(
  database: Database,
  flavor: 'sqlite' | 'postgres',
  rows: OldRows,
): Promise<void> {
  const files = readdirSync(folder)
    .filter((file) => file.split('.').length === 2 || file.includes(`.${flavor}.`))
    .toSorted()
  await database.write(async (tx) => {
    await tx.all('create table schema_migrations (version bigint primary key, name text not null)')
    for (const file of files.slice(0, -1)) {
      await database.script(tx, readFileSync(join(folder, file), 'utf8'))
      await tx.all('insert into schema_migrations (version, name) values ($1, $2)', [
        Number(file.slice(0, 3)),
        file,
      ])
    }
    for (const [table, row] of Object.entries(rows)) {
      const names = Object.keys(row)
      const binds = names.map((_, i) => `$${i + 1}`).join(', ')
      await tx.all(`insert into ${table} (${names.join(', ')}) values (${binds})`, Object.values(row))
    }
  })
  await database.close()
}
