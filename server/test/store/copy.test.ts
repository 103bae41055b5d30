// `ringback copy` between real databases: that every row arrives, that whoever interrupts it loses nothing, and that it keeps
// away from what it must not touch.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { examine } from '../../src/commands/doctor/examine.ts'
import { postgresChecks } from '../../src/store/checks/postgres.ts'
import { sqliteChecks } from '../../src/store/checks/sqlite.ts'
import { copyDatabase, type Copied, type Report } from '../../src/store/copy/copy.ts'
import { withEnd, type Place } from '../../src/store/copy/end.ts'
import { knownTables } from '../../src/store/copy/known-tables.ts'
import { findUnfinished } from '../../src/store/copy/unfinished.ts'
import type { Database, Row } from '../../src/store/database.ts'
import type { Driver } from '../../src/store/driver.ts'
import { openPostgres } from '../../src/store/postgres-database.ts'
import { openPostgresDriver } from '../../src/store/postgres.ts'
import { openSqlite } from '../../src/store/sqlite-database.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import { bin, run } from '../commands/cli.ts'
import { spawnServer } from '../crash/server-process.ts'
import { fillStore } from '../support/filled.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'

let postgres: TestPostgres
const folder = mkdtempSync(join(tmpdir(), 'ringback-copy-'))
before(async () => (postgres = await startPostgres()))
after(async () => {
  await postgres.stop()
  rmSync(folder, { recursive: true })
})

let files = 0
const flavors = {
  SQLite: async (): Promise<Place> => ({ path: join(folder, String(++files), 'ringback.db') }),
  PostgreSQL: async (): Promise<Place> => ({ url: await postgres.createDatabase() }),
}
type FlavorName = keyof typeof flavors
const names = Object.keys(flavors) as FlavorName[]
const directions = names.flatMap((from) => names.map((to) => ({ from, to })))

const textOf = (place: Place) => ('path' in place ? place.path : place.url)

/** Opens a database as a server does. */
const openDriver = (place: Place): Promise<Driver> =>
  'path' in place ? openSqliteDriver(place.path) : openPostgresDriver(place.url)

/** Looks into a database, or changes it behind everybody's back, and not as a server. */
async function inside<T>(place: Place, work: (database: Database) => Promise<T>): Promise<T> {
  const database =
    'path' in place
      ? openSqlite(place.path, { readonly: false })
      : openPostgres(place.url, { connections: 1, name: 'a test' })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

const query = (place: Place, sql: string): Promise<Row[]> =>
  inside(place, (database) => database.write((tx) => tx.all(sql)))

/** Every row of every table as a text, sorted. Not the due times of destinations, which a copy may lower. */
async function contents(place: Place): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const { name, columns } of await knownTables()) {
    const kept = Object.keys(columns).filter((column) => `${name}.${column}` !== 'destinations.due_at')
    const rows = await query(place, `select ${kept.join(', ')} from ${name}`)
    found[name] = rows.map((row) => JSON.stringify(kept.map((column) => row[column]))).toSorted()
  }
  return found
}

/** A filled database of the flavor. */
async function filled(flavor: FlavorName, { url = 'http://127.0.0.1:9/', tasks = 10 } = {}) {
  const place = await flavors[flavor]()
  return { place, ...(await fillStore(await openDriver(place), { url, tasks })) }
}

const quietly = () => {}
const rowsOf = ({ tables }: Copied) => tables.reduce((sum, { rows }) => sum + rows, 0)

/** A report that ends the copy at its `count`th call. */
function interruptAt(count: number): () => void {
  let reports = 0
  return () => {
    if (++reports === count) throw new Error('interrupted')
  }
}

test('a copy takes every table and column there is, but for the wake-ups of PostgreSQL', async () => {
  const place = await flavors.PostgreSQL()
  await (await openDriver(place)).close()
  const columns = await query(
    place,
    `select c.table_name, c.column_name, c.data_type, coalesce(k.ordinal_position, 0) as key
     from information_schema.columns c left join information_schema.key_column_usage k
       on k.table_name = c.table_name and k.column_name = c.column_name and k.constraint_name = c.table_name || '_pkey'
     where c.table_schema = current_schema()`,
  )
  const ofPostgres = columns
    .filter(({ table_name }) => !['schema_migrations', 'wakeups'].includes(String(table_name)))
    .map(({ table_name, column_name, data_type, key }) => [table_name, column_name, data_type, key].join(' '))
  const ofCopy = (await knownTables()).flatMap(({ name, columns, key }) =>
    Object.entries(columns).map(([column, type]) => [name, column, type, key.indexOf(column) + 1].join(' ')),
  )
  assert.deepEqual(ofCopy.toSorted(), ofPostgres.toSorted())
})

for (const { from, to } of directions) {
  test(`a copy from ${from} to ${to} has every row, and a server on it delivers all that was owed`, async (t) => {
    const heard: { task_id: string; sequence: number }[] = []
    const ids = new Set<string>()
    const everything = Promise.withResolvers<void>()
    const receiver = await using(
      t,
      startReceiver(({ headers }, response, body) => {
        response.end()
        if (ids.has(String(headers['webhook-id']))) return
        ids.add(String(headers['webhook-id']))
        heard.push(JSON.parse(body) as (typeof heard)[number])
        if (ids.size === source.undelivered) everything.resolve()
      }),
    )
    const source = await filled(from, { url: receiver.url, tasks: 20 })
    const before = await contents(source.place)
    for (const [table, rows] of Object.entries(before)) assert.ok(rows.length > 0, `nothing in ${table}`)

    const target = await flavors[to]()
    const copied = await copyDatabase({ from: source.place, to: target }, quietly)
    assert.equal(copied.resumed_rows, 0)
    assert.equal(rowsOf(copied), Object.values(before).flat().length)
    assert.deepEqual(await contents(target), before)
    assert.deepEqual(await contents(source.place), before)
    // What waits for its retry is known where claims look for it, though the source had it in its wake-ups only.
    const woken = 'select min(due_at) as due_at from destinations'
    const inTable = 'select min(due_at) as due_at from wakeups'
    const [row] = await query(target, to === 'PostgreSQL' && from === 'PostgreSQL' ? inTable : woken)
    assert.ok(Number(row?.due_at) > 0)

    const env: Record<string, string> = 'url' in target ? { RINGBACK_DATABASE_URL: target.url } : {}
    const server = spawnServer('path' in target ? join(target.path, '..') : folder, env)
    t.after(() => server[Symbol.asyncDispose]())
    await server.ready
    await everything.promise
    for (const deliveries of Map.groupBy(heard, ({ task_id }) => task_id).values()) {
      const order = deliveries.map(({ sequence }) => sequence)
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
    }
    await server.end('SIGKILL')
    const again = await flavors.SQLite()
    await copyDatabase({ from: target, to: again }, quietly)
    assert.deepEqual(await contents(again), await contents(target))
  })
}

for (const { from, to } of [
  { from: 'SQLite', to: 'PostgreSQL' },
  { from: 'PostgreSQL', to: 'SQLite' },
] as const) {
  test(`a copy from ${from} to ${to} that is interrupted after every chunk goes on each time, and ends`, async () => {
    const source = await filled(from, { tasks: 1500 })
    const target = await flavors[to]()
    const copy = (report: (report: Report) => void) =>
      copyDatabase({ from: source.place, to: target }, report)
    const done: number[] = []
    do {
      await assert.rejects(copy(interruptAt(1)), { message: 'interrupted' })
      const found = await inside(target, (database) => database.read(findUnfinished))
      done.push([...found!.progress.values()].reduce((sum, { rows }) => sum + rows, 0))
    } while (done.at(-1) !== done.at(-2))
    const before = await contents(source.place)
    const total = Object.values(before).flat().length
    assert.ok(done.length > 10 && done.at(-1) === total, String(done))
    assert.equal((await copy(quietly)).resumed_rows, total)
    assert.deepEqual(await contents(target), before)
    await assert.rejects(copy(quietly), { name: 'CopyError', message: /is not empty, it has arrivals: / })
  })

  test(`a process that copies from ${from} to ${to} and is killed leaves nothing to serve, and goes on when run again`, async (t) => {
    const source = await filled(from, { tasks: 2500 })
    const [target, other] = [await flavors[to](), await filled(from)]
    const args = ['copy', '--from', textOf(source.place), '--to', textOf(target)]
    const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'inherit', 'pipe'] })
    t.after(() => child.kill('SIGKILL'))
    const exited = once(child, 'exit')
    await once(createInterface({ input: child.stderr }), 'line')
    child.kill('SIGKILL')
    assert.deepEqual(await exited, [null, 'SIGKILL'])

    await assert.rejects(openDriver(target), { name: 'UnfinishedCopyError' })
    const checks = 'path' in target ? sqliteChecks(target.path) : postgresChecks(target.url)
    const schema = (await examine(checks, quietly)).find(({ name }) => name === 'schema')
    assert.equal(schema?.found, 'it is an unfinished copy')
    await assert.rejects(copyDatabase({ from: other.place, to: target }, quietly), {
      message: /is an unfinished copy of \S+, not of \S+: name that as --from, or an empty --to$/,
    })
    await assert.rejects(copyDatabase({ from: target, to: await flavors.SQLite() }, quietly), {
      message: /is itself an unfinished copy: finish that first$/,
    })

    const { code, stdout, stderr } = await run(process.execPath, [bin, ...args, '--json'])
    assert.equal(code, 0, stderr)
    const copied = JSON.parse(stdout) as Copied
    assert.ok(copied.resumed_rows >= 1000 && copied.resumed_rows < rowsOf(copied), stdout)
    assert.deepEqual(await contents(target), await contents(source.place))
    await (await openDriver(target)).close()
  })
}

test('a source that changed after its copy was interrupted is found out', async () => {
  const source = await filled('SQLite', { tasks: 400 })
  const target = await flavors.PostgreSQL()
  const copy = (report: (report: Report) => void) => copyDatabase({ from: source.place, to: target }, report)
  await assert.rejects(copy(interruptAt(2)), { message: 'interrupted' })
  // A row that was copied already: nothing but its hash would show it.
  await query(source.place, `update arrivals set verdict = 'late' where id = (select min(id) from arrivals)`)
  await assert.rejects(copy(quietly), {
    name: 'CopyError',
    message: /^arrivals of \S+ differs from its source .*; empty it, and copy anew$/,
  })
  await assert.rejects(openDriver(target), { name: 'UnfinishedCopyError' })
  await query(target, `insert into schema_migrations (version, name) values (999, 'of tomorrow')`)
  await assert.rejects(copy(quietly), {
    message: /was begun by another version of ringback: empty it, and copy anew$/,
  })
})

for (const flavor of names) {
  test(`${flavor} with a server on it is neither copied nor written to`, async (t) => {
    const served = await flavors[flavor]()
    // The name that an operator may give the connections must not hide whose they are.
    const named = 'url' in served ? { url: `${served.url}?application_name=callbacks` } : served
    const driver = await openDriver(named)
    t.after(() => driver.close())
    const quiet = await filled('SQLite')
    const message =
      /^(a server or another copy is using|a server is connected to) .*: stop (it|every server on it) first$/
    for (const ends of [
      { from: served, to: await flavors.SQLite() },
      { from: quiet.place, to: served },
    ])
      await assert.rejects(copyDatabase(ends, quietly), { name: 'CopyError', message })
  })

  test(`no server starts on ${flavor} while it is copied, from or to, and no second copy`, async () => {
    const source = await filled(flavor)
    const target = await flavors[flavor]()
    const other = await filled('SQLite')
    const refused: string[] = []
    const refusal = (attempt: Promise<unknown>) =>
      attempt.then(
        () => refused.push('not refused'),
        (error: Error) => refused.push(error.name),
      )
    await withEnd(source.place, '--from', () =>
      withEnd(target, '--to', async () => {
        await refusal(openDriver(source.place))
        await refusal(openDriver(target))
        await refusal(copyDatabase({ from: source.place, to: await flavors.SQLite() }, quietly))
        await refusal(copyDatabase({ from: other.place, to: target }, quietly))
      }),
    )
    const start = { SQLite: 'DatabaseInUseError', PostgreSQL: 'PostgresStartError' }[flavor]
    assert.deepEqual(refused, [start, start, 'CopyError', 'CopyError'])
  })

  test(`a source on ${flavor} with another schema version is refused with what to do, and nothing is made`, async () => {
    const source = await filled(flavor)
    const ends = { from: source.place, to: await flavors.PostgreSQL() }
    const [newest] = await query(source.place, 'select max(version) as version from schema_migrations')
    await query(source.place, `insert into schema_migrations (version, name) values (999, 'of tomorrow')`)
    await assert.rejects(copyDatabase(ends, quietly), { message: / 999, .*: copy with the newer program$/ })
    await query(source.place, `delete from schema_migrations where version in (999, ${newest?.version})`)
    await assert.rejects(copyDatabase(ends, quietly), { message: /: run `ringback migrate` on it first$/ })
    const tables = await query(ends.to, `select * from pg_tables where schemaname = 'public'`)
    assert.deepEqual(tables, [])
  })

  test(`a target on ${flavor} with anything in it is refused and stays as it was, even with an older schema`, async () => {
    const source = await filled('SQLite')
    const target = await flavors[flavor]()
    await (await openDriver(target)).close()
    await query(target, `insert into callback_ids (hash, task_id) values ('hash', 'task')`)
    await query(target, 'delete from schema_migrations')
    await assert.rejects(copyDatabase({ from: source.place, to: target }, quietly), {
      name: 'CopyError',
      message: /is not empty, it has callback_ids: name an empty --to$/,
    })
    assert.deepEqual(await query(target, 'select version from schema_migrations'), [])
  })
}

test('what happens to a PostgreSQL while it is copied is not in the copy', async (t) => {
  const source = await filled('PostgreSQL')
  const before = await contents(source.place)
  const target = await flavors.SQLite()
  const hand = new pg.Client({ connectionString: textOf(source.place) })
  await hand.connect()
  t.after(() => hand.end())
  let changing: Promise<unknown> | undefined
  await copyDatabase({ from: source.place, to: target }, () => {
    changing ??= hand.query(
      `delete from tasks; insert into callback_ids (hash, task_id) values ('new', 'new')`,
    )
  })
  await changing
  assert.deepEqual(await contents(target), before)
})

test('a server that came to the source after all keeps the copy from being finished', async (t) => {
  const source = await filled('PostgreSQL')
  const target = await flavors.SQLite()
  const late = new pg.Client({ connectionString: textOf(source.place), application_name: 'ringback' })
  t.after(() => late.end())
  let coming: Promise<unknown> | undefined
  const copy = () => copyDatabase({ from: source.place, to: target }, () => void (coming ??= late.connect()))
  await assert.rejects(copy(), { message: /^a server is connected to / })
  await assert.rejects(openDriver(target), { name: 'UnfinishedCopyError' })
})

test('other refusals name the end and what to do, and no password', async () => {
  const { place } = await filled('SQLite')
  const empty = await flavors.PostgreSQL()
  const url = new URL(textOf(empty))
  const with_password = `postgres://someone:pass%20word@${url.host}`
  const foreign = await flavors.SQLite()
  await (await openDriver(foreign)).close()
  await query(foreign, 'alter table schema_migrations rename to other')
  const text = join(folder, 'notes.txt')
  writeFileSync(text, 'no database, and long enough for one')
  const cases: [from: Place, to: Place, message: RegExp][] = [
    [{ path: text }, place, /notes\.txt is no database: correct --from$/],
    [place, { path: text }, /notes\.txt is no database: correct --to$/],
    [place, place, /^--from and --to are the same database: name another --to$/],
    [{ path: join(folder, 'none') }, place, /^there is no database \S+none: correct --from$/],
    [empty, place, /^there is no database of Ringback at postgres:\S+: correct --from$/],
    [place, foreign, /ringback\.db is the database of another program: name an empty --to$/],
    [place, { url: 'postgres://u:pass%20word@127.0.0.1:1/x' }, /^no answer .*: start it, or correct --to$/],
    [{ url: `${with_password}/none` }, place, /(refused the login|there is no database).*correct --from$/],
    [place, { path: join(textOf(place), 'below') }, /^\S+below cannot be opened: EEXIST: /],
  ]
  for (const [from, to, message] of cases) {
    await assert.rejects(copyDatabase({ from, to }, quietly), (error: Error) => {
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /pass/)
      return true
    })
  }
  assert.equal(existsSync(`${text}.lock`), false)
})
