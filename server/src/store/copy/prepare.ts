// Whether a source may be copied and a target be written to; nothing is written before all that is known.
import type { Transaction } from '../database.ts'
import { knownVersion, migrate, versionOf } from '../migrate.ts'
import { CopyError } from './copy-error.ts'
import type { End } from './end.ts'
import type { Table } from './known-tables.ts'
import { findUnfinished, markUnfinished, tablesOf, type Unfinished } from './unfinished.ts'

type Pair = { source: Pick<End, 'name'>; target: End; tables: readonly Table[] }

/** Throws CopyError unless this is a whole database with this program's schema. */
export async function assertCopyable(tx: Transaction, place: string): Promise<void> {
  if (!(await tablesOf(tx)).has('schema_migrations'))
    throw new CopyError(`there is no database of Ringback at ${place}: correct --from`)
  if ((await findUnfinished(tx)) !== undefined)
    throw new CopyError(`${place} is itself an unfinished copy: finish that first`)
  const [found, known] = [await versionOf(tx), knownVersion(tx.flavor.name)]
  if (found < known) {
    throw new CopyError(
      `${place} has schema version ${found}, this program needs ${known}: run \`ringback migrate\` on it first`,
    )
  }
  if (found > known) {
    throw new CopyError(
      `${place} has schema version ${found}, this program knows ${known}: copy with the newer program`,
    )
  }
}

/** Makes the tables and the mark in an empty target, or finds those of an interrupted copy. Throws CopyError. */
export async function prepare({ source, target, tables }: Pair): Promise<Unfinished> {
  const { database, name } = target
  const unfinished = await database.read(async (tx) => {
    const found = await findUnfinished(tx)
    if (found === undefined) await assertEmpty(tx, name, tables)
    else await assertContinues(tx, found, { source, target })
    return found
  })
  if (unfinished !== undefined) return unfinished
  await migrate(database)
  return database.write((tx) =>
    markUnfinished(
      tx,
      source.name,
      tables.map((table) => table.name),
    ),
  )
}

async function assertEmpty(tx: Transaction, place: string, tables: readonly Table[]): Promise<void> {
  const found = await tablesOf(tx)
  // A PostgreSQL may be shared with other programs, the file of a SQLite not.
  if (tx.flavor.name === 'sqlite' && found.size > 0 && !found.has('schema_migrations'))
    throw new CopyError(`${place} is the database of another program: name an empty --to`)
  for (const { name } of tables) {
    if (found.has(name) && (await tx.all(`select 1 from ${name} limit 1`)).length > 0)
      throw new CopyError(`${place} is not empty, it has ${name}: name an empty --to`)
  }
}

async function assertContinues(
  tx: Transaction,
  unfinished: Unfinished,
  { source, target }: Omit<Pair, 'tables'>,
): Promise<void> {
  if (unfinished.source !== source.name) {
    throw new CopyError(
      `${target.name} is an unfinished copy of ${unfinished.source}, not of ${source.name}: name that as --from, or an empty --to`,
    )
  }
  if ((await versionOf(tx)) !== knownVersion(tx.flavor.name)) {
    throw new CopyError(
      `the copy in ${target.name} was begun by another version of ringback: empty it, and copy anew`,
    )
  }
}
