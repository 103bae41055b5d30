// What a refused call must not change, read past the server. Whether anything at all was committed the databases tell at once;
// only if so the rows are summed up. Left out is what refusals may leave behind: arrivals, uses of keys, and what the engine counts.
import { DatabaseSync } from 'node:sqlite'
import { openClient } from '../support/postgres.ts'

/** A sum for each table; equal sums are equal rows, as far as rows that change have a version or a time. */
export type Sums = Readonly<Record<string, string>>

export type State = AsyncDisposable & {
  /** Differs from the one before if anything was committed in between, whoever did it. */
  moment(): Promise<string>
  sums(): Promise<Sums>
}

// Nothing but a request changes these.
const asked = {
  projects: 'count(*), sum(updated_at) from projects',
  tokens: 'count(*), count(revoked_at) from tokens',
  replays: 'count(*) from replays',
  'records of callers':
    "count(*), sum(version) from records where kind in ('project', 'file', 'operation', 'download', 'apikey')",
}

// The engine and the time change these, too.
const moving = {
  keys: 'count(*), count(name), sum(expires_at) from keys',
  secrets: 'count(*), sum(expires_at) from secrets',
  tasks: 'count(*), sum(version), sum(event_count) from tasks',
  callback_ids: 'count(*) from callback_ids',
  labels: 'count(*) from labels',
  events: 'count(*) from events',
  deliveries:
    "count(*), sum(cancel_requested), sum(case when state = 'canceled' then 1 else 0 end) from deliveries",
  records: 'count(*), sum(version) from records',
  calls: 'count(*) from calls',
  destinations: 'count(*), count(paused_at) from destinations',
  idempotency_keys: 'count(*) from idempotency_keys',
  audits: 'count(*) from audits',
}

const STATEMENTS = Object.entries({ ...asked, ...moving }).map(([table, sums]) => ({
  table,
  sql: `select ${sums}`,
}))

/** Whether a table only changes by requests. */
export const isStill = (table: string): boolean => Object.hasOwn(asked, table)

/** Looks at a SQLite file. */
export function watchSqlite(path: string): State {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  const moment = database.prepare('pragma data_version')
  const statements = STATEMENTS.map(({ table, sql }) => ({ table, statement: database.prepare(sql) }))
  return {
    moment: async () => String(moment.get()?.['data_version']),
    sums: async () =>
      Object.fromEntries(statements.map(({ table, statement }) => [table, JSON.stringify(statement.get())])),
    [Symbol.asyncDispose]: async () => database.close(),
  }
}

/** Looks at a PostgreSQL that nobody else uses: its transactions that write are counted for all databases. */
export async function watchPostgres(url: string): Promise<State> {
  const client = await openClient(url)
  return {
    async moment() {
      const { rows } = await client.query<{ next: string }>(
        'select pg_snapshot_xmax(pg_current_snapshot())::text as next',
      )
      return rows[0]?.next ?? ''
    },
    async sums() {
      const sums: Record<string, string> = {}
      for (const { table, sql } of STATEMENTS) sums[table] = JSON.stringify((await client.query(sql)).rows[0])
      return sums
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

/** The tables whose sums differ. */
export const changedTables = (one: Sums, other: Sums): string[] =>
  Object.keys(one).filter((table) => one[table] !== other[table])
