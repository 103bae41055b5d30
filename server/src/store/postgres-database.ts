// PostgreSQL behind the Database interface: a pool, and `v` relations as unnest of one array per column.
import pg from 'pg'
import type { Bulk, Database, Flavor, Row, SqlValue, Transaction } from './database.ts'

const flavor: Flavor = {
  name: 'postgres',
  forUpdate: 'for no key update',
  skipLocked: 'skip locked',
  oneOf: (array) => `= any (array(select jsonb_array_elements_text(${array}::jsonb)))`,
  // Hashed, where `<> all` would look at each element for each row.
  noneOf: (array) => `not in (select jsonb_array_elements_text(${array}::jsonb))`,
}
const CONNECT_MS = 5000
// A statement that takes longer waits for something that will not come; a connection that is silent for longer is dead,
// though nobody has said so.
const STATEMENT_MS = 15_000
const SILENCE_MS = 20_000
// Those that a role or the whole database may have been given.
const WITHOUT_TIMEOUTS =
  '; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0'
// A prepared statement keeps the plan of its first runs. On tables that were nearly empty then, and have grown since, that is
// a look at every row, until autovacuum has counted them: so our statements, each of which has its index, plan no other way.
// What can be had no other way costs so much by that reckoning that it would be compiled.
const PLANS = '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off'
// Our transactions send one statement right after the other: whose does not is frozen or gone, and its locks would hold up
// the other nodes until their leases are over.
const IDLE_MS = 3000

// Milliseconds and counts fit a double exactly; the default of the driver is text.
const parseBigint = (text: string) => Number(text)

/**
 * A transaction over one connection; texts are named so that the server plans each once. A statement is sent without waiting for the
 * one before, and whose rows nobody wants is left to `send`, if given: then a batch of one task waits for the server three times, not
 * eight.
 */
function transactionOn(client: pg.PoolClient, send?: (sent: Promise<unknown>) => void): Transaction {
  const run = async (text: string, values: unknown[]): Promise<Row[]> =>
    (await client.query<Row>({ name: nameOf(text), text, values })).rows
  return {
    flavor,
    all: (sql, binds = []) => run(sql, [...binds]),
    async bulk(bulk, rows) {
      if (rows.length === 0) return []
      const { text, names } = textOf(bulk)
      const answer = run(
        text,
        names.map((name) => rows.map((row): SqlValue => row[name] ?? null)),
      )
      if (bulk.givesRows || send === undefined) return answer
      send(answer)
      return []
    },
  }
}

/** The failure that says what is wrong: statements behind it only hear that the transaction is over. */
async function firstFailure(sent: Promise<unknown>[], otherwise: unknown): Promise<unknown> {
  const ends = await Promise.allSettled(sent)
  const failed = ends.find((end) => end.status === 'rejected')
  return failed === undefined ? otherwise : failed.reason
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

// The server keeps what has a name for as long as the connection lasts, and callers may combine filters in thousands of ways.
const NAMES_MAX = 1000
const statementNames = new Map<string, string>()
function nameOf(text: string): string | undefined {
  const known = statementNames.get(text)
  if (known !== undefined) return known
  if (statementNames.size >= NAMES_MAX) return undefined
  const name = `s${statementNames.size}`
  statementNames.set(text, name)
  return name
}

export type PostgresOptions = {
  /** How many connections at most. */
  connections: number
  /** Whether a statement, and a pause between two, may take any time, as those of a migration do. */
  patient?: boolean
  /** What the server calls these connections; a server's are known by `SERVER_NAME`. */
  name?: string
}

/** The name of a server's connections, by which others on the database know that it is served. */
export const SERVER_NAME = 'ringback'

/**
 * The URL without a name that its owner may have chosen for the connections, since ours is more than decoration; and his options beside
 * ours, where pg would have dropped ours.
 */
function ownParameters(url: string): { connectionString: string; options: string } {
  const parsed = new URL(url)
  const given = parsed.searchParams.get('options')
  const isOurs = given === null && !parsed.searchParams.has('application_name')
  for (const name of ['application_name', 'options']) parsed.searchParams.delete(name)
  return { connectionString: isOurs ? url : parsed.href, options: [given ?? [], PLANS].flat().join(' ') }
}

/** Opens a pool as a Database; it connects when it is used, and again when a connection was lost. */
export function openPostgres(
  url: string,
  { connections, patient = false, name = SERVER_NAME }: PostgresOptions,
): Database {
  const pool = new pg.Pool({
    ...ownParameters(url),
    max: connections,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    pipeline: true,
    application_name: name,
    ...(patient
      ? {}
      : {
          statement_timeout: STATEMENT_MS,
          idle_in_transaction_session_timeout: IDLE_MS,
          query_timeout: SILENCE_MS,
        }),
  })
  pool.on('connect', (client) => {
    client.setTypeParser(pg.types.builtins.INT8, parseBigint)
    // Whose query was under way hears of a broken connection by that query. Without a listener, here and for idle
    // connections, it would end the process as well.
    client.on('error', () => {})
  })
  pool.on('error', () => {})
  let closed: Promise<void> | undefined

  async function transaction<T>(begin: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    let broken: Error | undefined
    const sent: Promise<unknown>[] = []
    const send = (answer: Promise<unknown>) => {
      // Whether it failed is asked at the end.
      answer.catch(() => {})
      sent.push(answer)
    }
    try {
      send(client.query(patient ? begin + WITHOUT_TIMEOUTS : begin))
      const value = await work(transactionOn(client, send))
      // A transaction in which a statement failed is rolled back, and only this tag says so.
      const { command } = await client.query('commit')
      if (command !== 'COMMIT') throw new Error(`the transaction ended with ${command}`)
      return value
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => (broken = failure))
      throw await firstFailure(sent, error)
    } finally {
      client.release(broken)
    }
  }

  /** Reads need no snapshot over several statements, and begin and commit would be two round trips more. */
  async function read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    let failure: Error | undefined
    try {
      return await work(transactionOn(client))
    } catch (error) {
      // A statement that ran out of time may still be under way.
      failure = error as Error
      throw error
    } finally {
      client.release(failure)
    }
  }

  return {
    write: (work) => transaction('begin', work),
    read,
    snapshot: (work) => transaction('begin isolation level repeatable read read only', work),
    async script(tx, sql) {
      // A script has several statements, which the simple protocol takes only without binds.
      for (const statement of sql.split(/;\s*$/m)) if (statement.trim() !== '') await tx.all(statement)
    },
    close: () => (closed ??= pool.end()),
  }
}

/**
 * Whether the database, or the way to it, is gone for now. Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html:
 * 08 connection, 53 resources (a full disk), 57 intervention (shutdown, a statement that took too long), 25006 and 25P03 a
 * standby and a transaction that was idle for too long. What has no SQLSTATE is a socket's or the pool's error.
 */
export const isUnavailable = (error: unknown): boolean => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return (
    /^(08|53|57|25006$|25P03$)/.test(code) ||
    /^E[A-Z]+$/.test(code) ||
    /Connection terminated|timeout|timed out|not queryable/i.test(String(error))
  )
}
