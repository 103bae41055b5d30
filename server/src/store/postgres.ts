// The PostgreSQL driver, for 15 or newer: batches over a pool, `v` relations as unnest of one array per column.
import pg from 'pg'
import { runBatch } from './batch.ts'
import type { Bulk, Database, Flavor, Row, SqlValue, Transaction } from './database.ts'
import {
  StoreUnavailableError,
  type Admit,
  type Driver,
  type ReadArgs,
  type ReadResult,
  type ReadVerb,
} from './driver.ts'
import { migrate, type Migrated } from './migrate.ts'
import { drainWakeUps } from './sql/destinations.ts'
import { reads } from './sql/reads.ts'
import { sealedByEachKey } from './sql/sealing.ts'

const flavor: Flavor = { name: 'postgres', forUpdate: 'for no key update', skipLocked: 'skip locked' }
const CONCURRENCY = 2

// Milliseconds and counts fit a double exactly; the default of the driver is text.
const parseBigint = (text: string) => Number(text)

/** A transaction over one connection; texts are named so that the server plans each once. */
function transactionOn(client: pg.PoolClient): Transaction {
  const run = async (text: string, values: unknown[]): Promise<Row[]> =>
    (await client.query<Row>({ name: nameOf(text), text, values })).rows
  return {
    flavor,
    all: (sql, binds = []) => run(sql, [...binds]),
    async bulk(bulk, rows) {
      if (rows.length === 0) return []
      const { text, names } = textOf(bulk)
      return run(
        text,
        names.map((name) => rows.map((row): SqlValue => row[name] ?? null)),
      )
    },
  }
}

const texts = new Map<Bulk, { text: string; names: string[] }>()
function textOf(bulk: Bulk) {
  const known = texts.get(bulk)
  if (known !== undefined) return known
  const names = Object.keys(bulk.columns)
  const arrays = names.map((name, i) => `$${i + 1}::${bulk.columns[name]}[]`)
  const made = { text: bulk.sql(`unnest(${arrays.join(', ')}) as v(${names.join(', ')})`), names }
  texts.set(bulk, made)
  return made
}

const statementNames = new Map<string, string>()
function nameOf(text: string): string {
  const known = statementNames.get(text)
  if (known !== undefined) return known
  const name = `s${statementNames.size}`
  statementNames.set(text, name)
  return name
}

/** Opens a pool as a Database. */
export function openPostgres(url: string): Database {
  const pool = new pg.Pool({ connectionString: url, max: CONCURRENCY + 4, connectionTimeoutMillis: 5000 })
  pool.on('connect', (client) => client.setTypeParser(pg.types.builtins.INT8, parseBigint))
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {})
  let closed: Promise<void> | undefined

  async function transaction<T>(begin: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    let broken: Error | undefined
    try {
      await client.query(begin)
      const value = await work(transactionOn(client))
      await client.query('commit')
      return value
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => (broken = failure))
      throw error
    } finally {
      client.release(broken)
    }
  }

  return {
    write: (work) => transaction('begin', work),
    read: (work) => transaction('begin read only', work),
    async script(tx, sql) {
      // A script has several statements, which the simple protocol takes only without binds.
      for (const statement of sql.split(/;\s*$/m)) if (statement.trim() !== '') await tx.all(statement)
    },
    close: () => (closed ??= pool.end()),
  }
}

// Class 08 and 57P: the connection or the server went away. Everything without an SQLSTATE is a socket's error.
const isUnavailable = (error: unknown): boolean => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return (
    /^(08|57P|53[0-9])/.test(code) ||
    /^E[A-Z]+$/.test(code) ||
    /Connection terminated|timeout/i.test(String(error))
  )
}

/** Opens the database, and migrates it once `admit` has seen what is sealed in it. */
export async function openPostgresDriver(
  url: string,
  admit: Admit = () => {},
): Promise<Driver & { migrated: Migrated }> {
  const database = openPostgres(url)
  let migrated: Migrated
  try {
    admit(await database.read(sealedByEachKey))
    migrated = await migrate(database)
  } catch (error) {
    await database.close()
    throw error
  }
  return {
    concurrency: CONCURRENCY,
    exclusive: false,
    migrated,
    async write(batch) {
      if (batch.writes.some(({ verb }) => verb === 'claim')) await database.write(drainWakeUps)
      return runBatch(database, batch, isUnavailable)
    },
    async read<V extends ReadVerb>(verb: V, args: ReadArgs<V>) {
      const run = reads[verb] as (tx: Transaction, args: unknown) => Promise<ReadResult<V>>
      try {
        return await database.read((tx) => run(tx, args))
      } catch (error) {
        throw isUnavailable(error) ? new StoreUnavailableError(String(error)) : error
      }
    },
    close: () => database.close(),
  }
}
