// What can be said of a PostgreSQL database without writing to it: one connection and one read-only transaction, whose
// answers all checks share. Its clock is looked at, too, since it may be on another machine.
import pg from 'pg'
import { fail, ok, warn, type Check, type Finding } from '../../domain/finding.ts'
import { UNFINISHED_MARK } from '../copy/unfinished.ts'
import { judgeSchema, unfinishedCopy } from './schema.ts'

const OLDEST_VERSION = 15
const CONNECT_MS = 5000
const STATEMENT_MS = 5000
const MOST_SKEW_MS = 1000

type Facts = {
  version: string
  version_number: number
  read_only: boolean
  synchronous_commit: string
  /** Where tables are made; null when no schema of the search path is there. */
  schema: string | null
  may_create: boolean
  /** Our tables that this user may not read or write. */
  closed_tables: string[]
  /** 0 without tables; null when this user may not know. */
  schema_version: number | null
  unfinished: boolean
  /** How far its clock is ahead of ours, in milliseconds. */
  ahead_ms: number
}

/** The checks of the database at a URL. */
export function postgresChecks(url: string): Check[] {
  let reading: Promise<Facts> | undefined
  const facts = () => (reading ??= readFacts(url))
  const onceReached = (judge: (facts: Facts) => Finding) => async () => {
    try {
      return judge(await facts())
    } catch {
      return fail('not known, since the database was not reached', null)
    }
  }
  return [
    { name: 'database', run: async () => judgeServer(facts, url) },
    { name: 'rights', run: onceReached(judgeRights) },
    { name: 'durability', run: onceReached(judgeDurability) },
    { name: 'schema', run: onceReached(judgeVersion) },
    { name: 'database clock', run: onceReached(({ ahead_ms }) => judgeSkew(ahead_ms)) },
  ]
}

/** Where a database is, without the password. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

async function judgeServer(facts: () => Promise<Facts>, url: string): Promise<Finding> {
  let found: Facts
  try {
    found = await facts()
  } catch (error) {
    return fail(
      `${placeOf(url)} was not reached: ${reasonOf(error)}`,
      'see that it runs, that this machine may reach it, and that user and password are right',
    )
  }
  const { version, version_number, read_only } = found
  const name = `PostgreSQL ${version} at ${placeOf(url)}`
  if (version_number < OLDEST_VERSION * 10_000)
    return fail(`${name} is too old`, `use ${OLDEST_VERSION} or newer`)
  return read_only ? fail(`${name} takes no writes`, 'use the primary, not a standby') : ok(`${name} answers`)
}

// Of several addresses that were tried each has an error, and the one around them no message.
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}

function judgeRights({ schema, may_create, closed_tables, schema_version }: Facts): Finding {
  if (schema === null) return fail('no schema of the search path exists', 'create one, or set search_path')
  if (closed_tables.length > 0) {
    return fail(
      `this user may not read and write ${closed_tables.join(', ')}`,
      `grant select, insert, update, delete on all tables in schema ${schema}`,
    )
  }
  if (may_create) return ok(`this user may make, read and write tables in schema ${schema}`)
  return schema_version !== 0
    ? ok(
        `this user may read and write the tables in schema ${schema}; migrations take another (RINGBACK_MIGRATE=never)`,
      )
    : fail(`this user may make no tables in schema ${schema}`, `grant create on schema ${schema}`)
}

function judgeVersion({ schema_version, unfinished }: Facts): Finding {
  if (unfinished) return unfinishedCopy
  return schema_version === null
    ? fail('this user may not read its version', 'grant select on schema_migrations')
    : judgeSchema(schema_version, 'postgres')
}

const judgeDurability = ({ synchronous_commit }: Facts): Finding =>
  synchronous_commit === 'off'
    ? fail(
        'synchronous_commit is off: a crash of the database loses what was answered with a 2xx',
        'set it to on, for this database or user at least',
      )
    : ok(`synchronous_commit is ${synchronous_commit}`)

/** Judges how far the clock of the database is ahead of ours, in milliseconds. */
export function judgeSkew(ahead_ms: number): Finding {
  const seconds = `${(Math.abs(ahead_ms) / 1000).toFixed(1)} s`
  return Math.abs(ahead_ms) <= MOST_SKEW_MS
    ? ok(`its clock and that of this machine are ${seconds} apart`)
    : warn(
        `its clock is ${seconds} ${ahead_ms > 0 ? 'ahead of' : 'behind'} that of this machine`,
        'set both by NTP: processes that share a database must agree on the time',
      )
}

const FACTS = `select
  current_setting('server_version') as version,
  current_setting('server_version_num') as version_number,
  pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' as read_only,
  current_setting('synchronous_commit') as synchronous_commit,
  current_schema() as schema,
  coalesce(has_schema_privilege(current_schema(), 'create'), false) as may_create,
  to_regclass('schema_migrations') is not null as migrated,
  to_regclass('${UNFINISHED_MARK}') is not null as unfinished,
  coalesce(has_table_privilege(to_regclass('schema_migrations'), 'select'), false) as may_know`

const CLOSED_TABLES = `select tablename from pg_tables where schemaname = current_schema() and not (
  has_table_privilege(format('%I.%I', schemaname, tablename), 'select') and
  has_table_privilege(format('%I.%I', schemaname, tablename), 'insert') and
  has_table_privilege(format('%I.%I', schemaname, tablename), 'update') and
  has_table_privilege(format('%I.%I', schemaname, tablename), 'delete')) order by tablename`

const NEWEST = 'select coalesce(max(version), 0) as newest from schema_migrations'

async function readFacts(url: string): Promise<Facts> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
  })
  // An error after the connection stands is that of the query under way; without a listener it would end the process.
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('begin read only')
    const ahead_ms = await readSkew(client)
    const { migrated, may_know, version_number, ...facts } = await readRow(client, FACTS)
    const closed = await client.query<{ tablename: string }>(CLOSED_TABLES)
    const { newest } = may_know ? await readRow(client, NEWEST) : { newest: migrated ? null : 0 }
    return {
      ...facts,
      version_number: Number(version_number),
      closed_tables: closed.rows.map(({ tablename }) => tablename),
      schema_version: newest === null ? null : Number(newest),
      ahead_ms,
    } as Facts
  } finally {
    await client.end()
  }
}

const readRow = async (client: pg.Client, sql: string): Promise<Record<string, unknown>> =>
  (await client.query<Record<string, unknown>>(sql)).rows[0] ?? {}

async function readSkew(client: pg.Client): Promise<number> {
  const sent_at = Date.now()
  const { time } = await readRow(client, 'select extract(epoch from clock_timestamp()) * 1000 as time')
  // It was read half-way between the question and the answer, or so.
  return Number(time) - (sent_at + Date.now()) / 2
}
