// The small interface over two databases. SQL is written once with $1 binds; where many rows take the same statement it
// reads them from a relation `v`, which is one bound row in a prepared loop on SQLite and `unnest` on PostgreSQL.

/** What a column or a bind can be. */
export type SqlValue = string | number | null

/** A row as both drivers give it. */
export type Row = Record<string, SqlValue>

export type ColumnType = 'text' | 'bigint'

/**
 * A statement over many rows: `sql` gets the relation, e.g. `update t set a = v.a from ${v} where t.id = v.id`. Its columns are
 * named with the `v.` before them, since SQLite may put binds in their place.
 */
export type Bulk = {
  columns: Readonly<Record<string, ColumnType>>
  sql: (v: string) => string
  /** Whether it gives rows. One that does not need not be waited for. */
  givesRows: boolean
}

/** Names a bulk statement and its columns. Define it once at module level: drivers cache its prepared form. */
export const bulk = (columns: Bulk['columns'], sql: Bulk['sql']): Bulk => ({
  columns,
  sql,
  givesRows: /^\s*(select|with)\b|\breturning\b/.test(sql('v')),
})

/** A bulk statement that is there for its locks: of its rows nobody wants to know. */
export const bulkLock = (columns: Bulk['columns'], sql: Bulk['sql']): Bulk => ({
  ...bulk(columns, sql),
  givesRows: false,
})

/** What really differs between the two databases; everything else is one text. */
export type Flavor = {
  name: 'sqlite' | 'postgres'
  /** Locks the selected rows until the end of the transaction. */
  forUpdate: string
  /** The same, passing over rows that another transaction holds. */
  skipLocked: string
  /** What follows a column that must be one of the texts of a JSON array, which is a bind. */
  oneOf: (array: string) => string
  /** And of one that must be none of them. */
  noneOf: (array: string) => string
}

/** One open transaction. Rows come back in no promised order. */
export interface Transaction {
  readonly flavor: Flavor
  all(sql: string, binds?: readonly SqlValue[]): Promise<Row[]>
  /** What gives no rows may be under way still when this resolves; its failure is that of the transaction. */
  bulk(statement: Bulk, rows: readonly Row[]): Promise<Row[]>
}

/** A database that can run transactions; reads see one snapshot at least per statement. */
export interface Database {
  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  read<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Reads what the database was at one moment, however long `work` takes. */
  snapshot<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Runs a migration script of several statements inside `tx`. */
  script(tx: Transaction, sql: string): Promise<void>
  close(): Promise<void>
}
