// Migrations: numbered SQL files, forward only. `NNN-name.sql` runs on both databases, `NNN-name.postgres.sql` and
// `NNN-name.sqlite.sql` on one of them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assertFinished, tablesOf } from './copy/unfinished.ts'
import type { Database, Flavor, Transaction } from './database.ts'

const FOLDER = fileURLToPath(new URL('migrations/', import.meta.url))
const FILE = /^(\d{3})-([a-z-]+)(?:\.(sqlite|postgres))?\.sql$/

type Migration = { version: number; name: string; sql: string }

function migrationsFor(flavor: Flavor['name']): Migration[] {
  return readdirSync(FOLDER)
    .toSorted()
    .flatMap((file) => {
      const [, number, name, only] = FILE.exec(file) ?? []
      if (number === undefined || name === undefined || (only !== undefined && only !== flavor)) return []
      return { version: Number(number), name, sql: readFileSync(join(FOLDER, file), 'utf8') }
    })
}

/** The schema version of this program. */
export const knownVersion = (flavor: Flavor['name']): number => migrationsFor(flavor).at(-1)?.version ?? 0

/** The schema version of a database that has ever been migrated. */
export async function versionOf(tx: Transaction): Promise<number> {
  const [row] = await tx.all('select coalesce(max(version), 0) as version from schema_migrations')
  return Number(row?.version)
}

/** What `migrate` did: the version now, and the names of what was applied. */
export type Migrated = { version: number; applied: string[] }

/** A database written by a newer program; nothing was touched. */
export class NewerDatabaseError extends Error {
  constructor(found: number, known: number) {
    super(
      `the database has schema version ${found}, this program knows ${known}: start the newer program, or restore an older backup`,
    )
    this.name = 'NewerDatabaseError'
  }
}

/** A database that needs migrations, which the start was told not to make; nothing was touched. */
export class OlderDatabaseError extends Error {
  constructor(found: number, known: number) {
    super(
      `the database has schema version ${found}, this program needs ${known}, and RINGBACK_MIGRATE is never: run \`ringback migrate\``,
    )
    this.name = 'OlderDatabaseError'
  }
}

/** Whether a database may be changed: brought to this program's schema, or only found to have it. */
export type MigrateMode = 'migrate' | 'check'

/**
 * Brings a database to this program's schema, all or nothing. Throws NewerDatabaseError, OlderDatabaseError in mode `check`,
 * and UnfinishedCopyError.
 */
export function migrate(database: Database, mode: MigrateMode = 'migrate'): Promise<Migrated> {
  return database.write(async (tx) => {
    if (tx.flavor.name === 'postgres') await tx.all('select pg_advisory_xact_lock(7464746474647464)')
    await assertFinished(tx)
    // A user who may not migrate may not even try to make a table that is there.
    const isNew = !(await tablesOf(tx)).has('schema_migrations')
    if (isNew && mode === 'migrate')
      await tx.all('create table schema_migrations (version bigint primary key, name text not null)')
    const found = isNew ? 0 : await versionOf(tx)
    const migrations = migrationsFor(tx.flavor.name)
    const known = migrations.at(-1)?.version ?? 0
    if (found > known) throw new NewerDatabaseError(found, known)
    if (found < known && mode === 'check') throw new OlderDatabaseError(found, known)
    const due = migrations.filter(({ version }) => version > found)
    for (const { version, name, sql } of due) {
      await database.script(tx, sql)
      await tx.all('insert into schema_migrations (version, name) values ($1, $2)', [version, name])
    }
    return { version: Math.max(found, known), applied: due.map(({ name }) => name) }
  })
}
