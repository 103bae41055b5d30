// The mark of a copy under way: a table in the target that says where it comes from and how far each table is. It is written
// in the transactions that bring the rows and dropped at the end; as long as it is there no server starts on the database.
import { bulk, type SqlValue, type Transaction } from '../database.ts'

/** The table that marks a database as an unfinished copy. */
export const UNFINISHED_MARK = 'unfinished_copy'

/** A database that a copy has begun to fill; nothing was touched. */
export class UnfinishedCopyError extends Error {
  constructor() {
    super('the database is an unfinished copy: run the same `ringback copy` again, which goes on with it')
    this.name = 'UnfinishedCopyError'
  }
}

/** The values of a row's primary key. */
export type Key = SqlValue[]

/** How far a table is: the key of the last row that was written, and how many were. */
export type Progress = { after: Key | null; rows: number }

/** An unfinished copy: where it comes from, and how far it is. */
export type Unfinished = { source: string; progress: Map<string, Progress> }

const tables = {
  sqlite: `select name from sqlite_master where type = 'table'`,
  postgres: 'select tablename as name from pg_tables where schemaname = current_schema()',
}

/** The names of all tables there are, whoever made them. */
export async function tablesOf(tx: Transaction): Promise<Set<string>> {
  const rows = await tx.all(tables[tx.flavor.name])
  return new Set(rows.map(({ name }) => String(name)))
}

/** Throws UnfinishedCopyError. */
export async function assertFinished(tx: Transaction): Promise<void> {
  if ((await tablesOf(tx)).has(UNFINISHED_MARK)) throw new UnfinishedCopyError()
}

/** The copy under way in this database; undefined when there is none. */
export async function findUnfinished(tx: Transaction): Promise<Unfinished | undefined> {
  if (!(await tablesOf(tx)).has(UNFINISHED_MARK)) return undefined
  const rows = await tx.all(`select table_name, source, after_key, row_count from ${UNFINISHED_MARK}`)
  const progress = rows.map(({ table_name, after_key, row_count }): [string, Progress] => [
    String(table_name),
    {
      after: after_key === null ? null : (JSON.parse(String(after_key)) as Key),
      rows: Number(row_count),
    },
  ])
  return { source: String(rows[0]?.source), progress: new Map(progress) }
}

const insertTable = bulk(
  { table_name: 'text', source: 'text' },
  (v) => `insert into ${UNFINISHED_MARK} (table_name, source, after_key, row_count)
    select v.table_name, v.source, null, 0 from ${v}`,
)

/** Marks this database as the copy of `source`, of which nothing is there yet. */
export async function markUnfinished(
  tx: Transaction,
  source: string,
  names: readonly string[],
): Promise<Unfinished> {
  await tx.all(`create table ${UNFINISHED_MARK} (
    table_name text primary key, source text not null, after_key text, row_count bigint not null)`)
  await tx.bulk(
    insertTable,
    names.map((table_name) => ({ table_name, source })),
  )
  return { source, progress: new Map(names.map((name) => [name, { after: null, rows: 0 }])) }
}

/** Notes how far a table is. */
export async function advance(tx: Transaction, table: string, { after, rows }: Progress): Promise<void> {
  await tx.all(`update ${UNFINISHED_MARK} set after_key = $1, row_count = $2 where table_name = $3`, [
    JSON.stringify(after),
    rows,
    table,
  ])
}

/** Takes the mark away. */
export async function markFinished(tx: Transaction): Promise<void> {
  await tx.all(`drop table ${UNFINISHED_MARK}`)
}
