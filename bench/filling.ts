// Fills a database past the server, which is stopped meanwhile: millions of rows would take hours through the API. Nothing is
// made up: the server itself makes one task with all that belongs to it, and the copies differ from it in ids, hashes and times.
import { open } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { openClient } from '../server/test/support/postgres.ts'
import { check } from './faults.ts'
import type { Database } from './setups.ts'

type Row = Record<string, unknown>

type Connection = {
  all: (sql: string, binds?: (string | number)[]) => Promise<Row[]>
  /** A number as so many hexadecimal digits, in SQL. */
  hex: (sql: string, digits: number) => string
  /** Leaves all on the disk: a server's first commit after it would wait for that, for minutes with gigabytes. */
  close(): Promise<void>
}

/** Deliveries that wait: their times are spread evenly from `from` to `to`, by the clock of the machine. */
export type Due = { from: number; to: number }

// Copies are made six hours before their model, in the order of their numbers: what retention and the retries' window keep.
const BACK_MS = 6 * 3_600_000
const STEP_MS = 2
/** How many copies of a task there may be: later ones would be of the future. */
const MOST = BACK_MS / STEP_MS
const CHUNK = 100_000

/**
 * Copies a task with its event, delivery, attempts, callback ids and arrivals; the copies have the numbers above `after` up
 * to `upTo`. Gives the id of one of the new tasks. The dates inside the event's frozen bytes stay those of the model.
 */
export async function multiply(
  database: Database,
  { task_id, after, upTo, due }: { task_id: string; after: number; upTo: number; due?: Due },
): Promise<string> {
  check(upTo <= MOST, `at most ${MOST} copies of a task can be made`)
  const connection = await connect(database)
  try {
    const tables = await copiesOf(connection, task_id, due && { ...due, after, count: upTo - after })
    const numbers = `with recursive numbers(n) as (
      select cast($1 as bigint) union all select n + 1 from numbers where n < $2)`
    for (let first = after + 1; first <= upTo; first += CHUNK) {
      const binds = [first, Math.min(first + CHUNK - 1, upTo)]
      await connection.all('begin')
      for (const { into, columns, from } of tables)
        await connection.all(
          `insert into ${into} (${Object.keys(columns).join(', ')})
           ${numbers} select ${Object.values(columns).join(', ')} from numbers cross join ${from}`,
          binds,
        )
      await connection.all('commit')
    }
    if (due !== undefined) await wakeDestination(connection, task_id)
    const taskId = tables.find(({ into }) => into === 'tasks')?.columns['id']
    const [middle] = await connection.all(
      `select ${taskId} as id from (select cast($1 as bigint) as n) as numbers cross join tasks m where m.id = '${task_id}'`,
      [Math.ceil((after + 1 + upTo) / 2)],
    )
    return String(middle?.['id'])
  } finally {
    await connection.close()
  }
}

type Copy = { into: string; columns: Record<string, string>; from: string }

/** How each table's rows come to be: `m` is the model's row, `n` the number of the copy. */
async function copiesOf(
  connection: Connection,
  task_id: string,
  due: (Due & { after: number; count: number }) | undefined,
): Promise<Copy[]> {
  const { all, hex } = connection
  const only = async (table: string, column: string) => {
    const rows = await all(`select * from ${table} where ${column} = '${task_id}'`)
    check(rows.length === 1, `the task to copy has ${rows.length} rows in ${table}`)
    return rows[0] as Row
  }
  const task = await only('tasks', 'id')
  const event = await only('events', 'task_id')
  const delivery = await only('deliveries', 'task_id')
  const shift = `(n * ${STEP_MS} - ${BACK_MS})`
  const shifted = (...columns: string[]) =>
    Object.fromEntries(columns.map((column) => [column, `m.${column} + ${shift}`]))
  // As ids of the server: the time in front, then what made the model's differ from others of its millisecond, then the number.
  const idOf = (id: unknown, created_at: unknown) => {
    const time = hex(`${Number(created_at)} + ${shift}`, 12)
    return `substr(${time}, 1, 8) || '-' || substr(${time}, 9, 4) || '${String(id).slice(13, 24)}' || ${hex('n', 12)}`
  }
  const taskId = idOf(task['id'], task['created_at'])
  const eventId = idOf(event['id'], event['created_at'])
  const deliveryId = idOf(delivery['id'], delivery['created_at'])
  // As spread as the hashes of the server, since inserts into their index are what grows: a multiplier that is odd gives each
  // number its own.
  const hash = (column: string) => `${hex('(n * 2654435761) % 4294967296', 8)} || substr(m.${column}, 9)`
  const body = `replace(replace(m.body, '${task_id}', ${taskId}), '${String(event['id'])}', ${eventId})`
  const dueAt =
    due &&
    `${due.from} + (n - ${due.after}) * cast(${Math.round(due.to - due.from)} as bigint) / ${due.count}`

  const ofTask = `m.task_id = '${task_id}'`
  const parts: { table: string; where: string; changed: Record<string, string>; order?: string }[] = [
    {
      table: 'tasks',
      where: `m.id = '${task_id}'`,
      changed: {
        id: taskId,
        callback_hash: hash('callback_hash'),
        ...shifted('created_at', 'updated_at', 'completed_at', 'callback_succeeded_at'),
      },
    },
    {
      table: 'events',
      where: ofTask,
      changed: { id: eventId, task_id: taskId, body, ...shifted('created_at') },
    },
    {
      table: 'deliveries',
      where: ofTask,
      changed: {
        id: deliveryId,
        task_id: taskId,
        event_id: eventId,
        ...shifted('created_at', 'first_attempt_at', 'give_up_at', 'settled_at'),
        ...(dueAt && { due_at: dueAt }),
      },
    },
    {
      table: 'attempts',
      where: `m.delivery_id = '${String(delivery['id'])}'`,
      changed: { delivery_id: deliveryId, ...shifted('started_at') },
    },
    {
      table: 'arrivals',
      where: ofTask,
      changed: {
        id: idOf(task['id'], task['completed_at']),
        task_id: taskId,
        ...shifted('received_at'),
      },
    },
    // In the order of their index they go in faster.
    {
      table: 'callback_ids',
      where: ofTask,
      changed: { hash: hash('hash'), task_id: taskId },
      order: 'order by 1',
    },
  ]
  const copies: Copy[] = []
  for (const { table, where, changed, order = '' } of parts) {
    const [model] = await all(`select * from ${table} m where ${where}`)
    if (model === undefined) continue
    const columns = Object.keys(model).map((column) => [column, changed[column] ?? `m.${column}`])
    const from = `${table} m where ${where} ${order}`
    copies.push({ into: table, columns: Object.fromEntries(columns), from })
  }
  return copies
}

/** The row of a destination says when it next has something due, as the server's own sweep would derive it. */
async function wakeDestination({ all }: Connection, task_id: string): Promise<void> {
  const first = `(select min(d.due_at) from deliveries d where d.destination_id = destinations.id and d.state = 'pending')`
  await all(
    `update destinations set due_at = case when not_before > ${first} then not_before else ${first} end
     where id = (select destination_id from tasks where id = '${task_id}')`,
  )
}

async function connect(database: Database): Promise<Connection> {
  return database.kind === 'sqlite' ? connectSqlite(database.path) : connectPostgres(database.url)
}

/** Without a journal: a fill that fails leaves nothing that anybody would measure. */
function connectSqlite(path: string): Connection {
  const connection = new DatabaseSync(path)
  for (const pragma of ['journal_mode = off', 'synchronous = off', 'cache_size = -1000000'])
    connection.exec(`pragma ${pragma}`)
  return {
    // node:sqlite takes $1 for a named parameter; ?1 is the numbered one.
    all: async (sql, binds = []) => connection.prepare(sql.replace(/\$(\d)/g, '?$1')).all(...binds),
    hex: (sql, digits) => `printf('%0${digits}x', ${sql})`,
    async close() {
      connection.exec('pragma journal_mode = wal')
      connection.close()
      await using file = await open(path, 'r+')
      await file.sync()
    },
  }
}

async function connectPostgres(url: string): Promise<Connection> {
  const client = await openClient(url)
  await client.query('set synchronous_commit = off')
  return {
    all: async (sql, binds = []) => (await client.query<Row>(sql, binds)).rows,
    hex: (sql, digits) => `lpad(to_hex(${sql}), ${digits}, '0')`,
    async close() {
      // What autovacuum and the next checkpoint would do while somebody measures.
      await client.query('vacuum (analyze)')
      await client.query('checkpoint')
      await client.end()
    },
  }
}
