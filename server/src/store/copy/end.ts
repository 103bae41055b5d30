// The two ends of a copy: SQLite or PostgreSQL, opened so that no server works on them meanwhile. What either database says
// in its own words becomes one sentence that names the end, since a person has to know which of the two it was.
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { DatabaseFaultError, DatabaseInUseError, lockSqlite } from '../sqlite.ts'
import type { Database, Transaction } from '../database.ts'
import { openPostgres } from '../postgres-database.ts'
import { assertUsable, explainStart } from '../postgres-start.ts'
import { openSqlite } from '../sqlite-database.ts'
import { assertNoServer, keepOthersOut } from './alone.ts'
import { CopyError } from './copy-error.ts'

/** Where a database is: the file of a SQLite, or the URL of a PostgreSQL. */
export type Place = { path: string } | { url: string }

/** Which end of a copy: the option of the command that names it. */
export type Role = '--from' | '--to'

export type End = {
  /** Where it is, without user and password. */
  name: string
  database: Database
  /** Throws CopyError when a server has come to it since it was opened. */
  assertAlone(): Promise<void>
}

/** A place as it may be shown. */
export function nameOf(place: Place): string {
  if ('path' in place) return place.path
  const { host, pathname } = new URL(place.url)
  return `postgres://${host}${pathname}`
}

/** Opens an end for the time of `work`, to read the one and to write the other. Throws CopyError and PostgresStartError. */
export function withEnd<T>(place: Place, role: Role, work: (end: End) => Promise<T>): Promise<T> {
  return 'path' in place ? withSqlite(place.path, role, work) : withPostgres(place.url, role, work)
}

async function withSqlite<T>(path: string, role: Role, work: (end: End) => Promise<T>): Promise<T> {
  const explain = (error: unknown) => explainSqlite(error, path)
  if (role === '--from' && !existsSync(path))
    throw new CopyError(`there is no database ${path}: correct --from`)
  const { database, unlock } = openLocked(path, role)
  try {
    return await work({ name: path, database: explaining(database, explain), assertAlone: async () => {} })
  } finally {
    await database.close()
    unlock()
  }
}

const MAGIC = 'SQLite format 3\0'

// Before the lock, which leaves a file beside it.
function assertSqlite(path: string, role: Role): void {
  if (!existsSync(path) || !statSync(path).isFile()) return
  const head = Buffer.alloc(MAGIC.length)
  const file = openSync(path, 'r')
  const length = readSync(file, head)
  closeSync(file)
  if (length > 0 && head.toString('latin1') !== MAGIC)
    throw new CopyError(`${path} is no database: correct ${role}`)
}

function openLocked(path: string, role: Role) {
  let unlock: (() => void) | undefined
  try {
    assertSqlite(path, role)
    unlock = lockSqlite(path)
    return { unlock, database: openSqlite(path, { readonly: role === '--from' }) }
  } catch (error) {
    unlock?.()
    throw explainSqlite(error, path)
  }
}

function explainSqlite(error: unknown, path: string): unknown {
  if (error instanceof DatabaseInUseError)
    return new CopyError(`a server or another copy is using ${path}: stop it first`)
  if (error instanceof DatabaseFaultError) return explainSqlite(error.cause, path)
  if (!(error instanceof Error)) return error
  if ('syscall' in error) return new CopyError(`${path} cannot be opened: ${error.message}`, { cause: error })
  return 'errcode' in error ? broken(path, error) : error
}

// The work, its snapshot, and the transaction that keeps others out.
const CONNECTIONS = 3

async function withPostgres<T>(url: string, role: Role, work: (end: End) => Promise<T>): Promise<T> {
  const name = nameOf({ url })
  const pool = openPostgres(url, { connections: CONNECTIONS, patient: true, name: 'ringback copy' })
  const database = explaining(pool, (error) => explainPostgres(error, url, role))
  try {
    // A snapshot, since the lock lasts as long as its transaction.
    return await database.snapshot(async (tx) => {
      await assertUsable(tx)
      await keepOthersOut(tx, name)
      await assertNoServer(tx, name)
      return work({ name, database, assertAlone: () => assertNoServer(tx, name) })
    })
  } finally {
    await pool.close()
  }
}

function explainPostgres(error: unknown, url: string, role: Role): unknown {
  const explained = explainStart(error, url, role)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return explained === error && /^[0-9A-Z]{5}$/.test(code)
    ? broken(nameOf({ url }), error as Error)
    : explained
}

const broken = (place: string, error: Error) =>
  new CopyError(`${place}: ${error.message}; when that is mended, the same command goes on`, { cause: error })

/** The same database, whose errors are explained where they happen: between two ends nobody can tell later whose they were. */
function explaining(database: Database, explain: (error: unknown) => unknown): Database {
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw explain(error)
    })
  const toldBy = (tx: Transaction): Transaction => ({
    flavor: tx.flavor,
    all: (sql, binds) => told(tx.all(sql, binds)),
    bulk: (statement, rows) => told(tx.bulk(statement, rows)),
  })
  return {
    write: (work) => told(database.write((tx) => work(toldBy(tx)))),
    read: (work) => told(database.read((tx) => work(toldBy(tx)))),
    snapshot: (work) => told(database.snapshot((tx) => work(toldBy(tx)))),
    script: (tx, sql) => told(database.script(tx, sql)),
    close: () => database.close(),
  }
}
