// SQLite behind the Database interface, synchronous inside: it belongs in a worker thread. One writer, WAL, and
// synchronous=FULL, since a 2xx of ours means that the bytes are on disk.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Bulk, Database, Flavor, Row, SqlValue, Transaction } from './database.ts'
import { LOG_LIMIT_BYTES, WRITER_CHECKPOINT_PAGES } from './sqlite-checkpoints.ts'

const flavor: Flavor = {
  name: 'sqlite',
  forUpdate: '',
  skipLocked: '',
  oneOf: (array) => `in (select value from json_each(${array}))`,
  noneOf: (array) => `not in (select value from json_each(${array}))`,
}

// Callers may combine filters in thousands of ways.
const STATEMENTS_MAX = 1000

// Behind these caches is the system's own: larger ones were no faster (measured).
const WRITER_CACHE_KIB = 32_768
const READER_CACHE_KIB = 8192

/** Opens a file (or `:memory:`); `readonly` connections never block the writer. */
export function openSqlite(path: string, { readonly }: { readonly: boolean }): Database {
  const connection = new DatabaseSync(path, { readOnly: readonly && path !== ':memory:' })
  connection.exec('pragma busy_timeout = 5000')
  connection.exec(`pragma cache_size = -${readonly ? READER_CACHE_KIB : WRITER_CACHE_KIB}`)
  if (!readonly) {
    // Most rows carry a JSON body: in larger pages fewer of them are half empty or spill over.
    connection.exec('pragma page_size = 8192')
    connection.exec('pragma journal_mode = wal')
    connection.exec('pragma synchronous = full')
    connection.exec(`pragma wal_autocheckpoint = ${WRITER_CHECKPOINT_PAGES}`)
    connection.exec(`pragma journal_size_limit = ${LOG_LIMIT_BYTES}`)
  }
  const statements = new Map<string, StatementSync>()
  const bulkStatements = new Map<Bulk, { statement: StatementSync; names: string[] }>()

  function prepare(sql: string): StatementSync {
    const known = statements.get(sql)
    if (known !== undefined) return known
    if (statements.size >= STATEMENTS_MAX) statements.clear()
    // node:sqlite takes $1 for a named parameter; ?1 is the numbered one.
    const statement = connection.prepare(orRollback(sql.replace(/\$(\d+)/g, '?$1')))
    statements.set(sql, statement)
    return statement
  }

  function prepareBulk(bulk: Bulk) {
    const known = bulkStatements.get(bulk)
    if (known !== undefined) return known
    const names = Object.keys(bulk.columns)
    const prepared = { statement: connection.prepare(orRollback(textOf(bulk, names))), names }
    bulkStatements.set(bulk, prepared)
    return prepared
  }

  const tx: Transaction = {
    flavor,
    async all(sql, binds = []) {
      return prepare(sql).all(...binds) as Row[]
    },
    async bulk(bulk, rows) {
      if (rows.length === 0) return []
      const { statement, names } = prepareBulk(bulk)
      const found: Row[] = []
      for (const row of rows) {
        const binds = names.map((name): SqlValue => row[name] ?? null)
        for (const result of statement.all(...binds)) found.push(result as Row)
      }
      return found
    },
  }

  async function transaction<T>(begin: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    connection.exec(begin)
    try {
      const value = await work(tx)
      connection.exec('commit')
      return value
    } catch (error) {
      if (connection.isTransaction) connection.exec('rollback')
      throw error
    }
  }

  return {
    write: (work) => transaction('begin immediate', work),
    read: (work) => transaction('begin', work),
    snapshot: (work) => transaction('begin', work),
    async script(_tx, sql) {
      connection.exec(sql)
    },
    async close() {
      if (connection.isOpen) connection.close()
    },
  }
}

// A write that reads nothing but its row: binds in its place save a quarter of an update's time (measured).
const READS_ONLY_V = /^(?:insert|update)\b[^]*?(\s+from @v)(?=\s+where\b|\s*$)/

/** A statement over one bound row: binds stand where the row's columns are named, or make a relation where more is read. */
function textOf({ sql }: Bulk, names: readonly string[]): string {
  const text = sql('@v')
  const [, clause] = READS_ONLY_V.exec(text) ?? []
  if (clause !== undefined && text.indexOf('@v') === text.lastIndexOf('@v')) {
    const binds = new Map(names.map((name, i) => [name, `?${i + 1}`]))
    return text
      .replace(clause, '')
      .replace(/\bv\.(\w+)/g, (column, name: string) => binds.get(name) ?? column)
  }
  return sql(`(select ${names.map((name, i) => `?${i + 1} as ${name}`).join(', ')}) as v`)
}

// Busy, out of memory, read-only, I/O error, full, cannot open: https://www.sqlite.org/rescode.html
const OUTER_TROUBLE = new Set([5, 7, 8, 10, 13, 14])

/** Whether an error is the machine's and may pass, such as a full disk; anything else is a bug of ours. */
export const isUnavailable = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  // The low byte is the kind, the rest details.
  OUTER_TROUBLE.has(error.errcode & 0xff)

// A statement that could fail half-way makes SQLite keep a second journal of the pages it touches, to undo just that
// statement (an eighth of the writer's time, measured). Here a failed statement always undoes its whole transaction.
const orRollback = (sql: string): string => sql.replace(/^(insert|update)\b/, '$1 or rollback')
