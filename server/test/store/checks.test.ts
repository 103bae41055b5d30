// What the doctor says of real databases, and that neither they nor a server that uses them notices anything of it.
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it, test, type TestContext } from 'node:test'
import pg from 'pg'
import { examine } from '../../src/commands/doctor/examine.ts'
import type { Check } from '../../src/domain/finding.ts'
import { judgeSkew, postgresChecks } from '../../src/store/checks/postgres.ts'
import { sqliteChecks } from '../../src/store/checks/sqlite.ts'
import { openPostgresDriver } from '../../src/store/postgres.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { newProject, storeOn } from '../support/store.ts'

type Said = Record<string, string>

/** What the checks say, as `level found`. */
async function say(checks: readonly Check[]): Promise<Said> {
  const said: Said = {}
  for (const { name, found, level } of await examine(checks, () => {})) said[name] = `${level} ${found}`
  return said
}

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-checks-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Every file of a folder with the hash of its bytes. */
const contents = (folder: string): Said =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [name, hash('sha256', readFileSync(join(folder, name)))]),
  )

/** Makes a database with a project in it, open as a server has it; it ends with the test. */
async function openDatabase(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-checks-'))
  const path = join(folder, 'ringback.db')
  const store = storeOn(await openSqliteDriver(path))
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const createProject = () => store.createProject({ project: newProject(), keys: [], secrets: [] })
  await createProject()
  return { folder, path, createProject, close: () => store.close() }
}

test('a database in use is read beside its server, one at rest as a file, and both stay as they are', async (t) => {
  const { folder, path, createProject, close } = await openDatabase(t)
  // The index of the log is shared by all connections of this process, which change it.
  const withoutIndex = () => ({ ...contents(folder), 'ringback.db-shm': '' })
  const running = withoutIndex()
  const beside = await say(sqliteChecks(path))
  assert.equal(beside['lock'], 'ok a running process is using the database')
  assert.match(beside['schema'] ?? '', /^ok it has schema version \d+, as this program$/)
  assert.equal(beside['integrity'], 'ok the database file is sound')
  assert.match(beside['database files'] ?? '', /^ok .* can be read and written, \S+ KiB$/)
  assert.deepEqual(withoutIndex(), running)

  // The server goes on writing as if nothing had been.
  await createProject()
  await close()
  const resting = contents(folder)
  const alone = await say(sqliteChecks(path))
  assert.equal(alone['lock'], 'ok no process is using the database')
  assert.match(alone['schema'] ?? '', /^ok it has schema version \d+, as this program$/)
  assert.equal(alone['integrity'], 'ok the database file is sound')
  assert.deepEqual(contents(folder), resting)
})

test('a database that a kill left behind is read with its log, which stays as it is', async (t) => {
  const { folder } = await openDatabase(t)
  const left = join(newFolder(t), 'left')
  cpSync(folder, left, { recursive: true })
  const path = join(left, 'ringback.db')
  const before = contents(left)
  const said = await say(sqliteChecks(path))
  assert.equal(said['lock'], 'ok no process is using the database')
  assert.match(said['schema'] ?? '', /^ok it has schema version \d+, /)
  assert.equal(said['integrity'], 'ok the database file is sound')
  assert.deepEqual(contents(left), before)

  rmSync(`${path}-shm`)
  const { schema = '' } = await say(sqliteChecks(path))
  assert.match(schema, /^warn .*, so it cannot be read without writing$/)
  assert.ok(!readdirSync(left).includes('ringback.db-shm'))
})

test('a folder without a database is left without one', async (t) => {
  const folder = newFolder(t)
  const said = await say(sqliteChecks(join(folder, 'below', 'ringback.db')))
  assert.ok(
    Object.values(said).every((line) => line.startsWith('ok ')),
    JSON.stringify(said),
  )
  assert.deepEqual(readdirSync(folder), [])
})

test('a newer schema, another program’s database and a damaged file are told', async (t) => {
  const { path, close } = await openDatabase(t)
  await close()
  const schemaAfter = async (sql: string) => {
    const database = new DatabaseSync(path)
    database.exec(sql)
    database.close()
    return (await say(sqliteChecks(path)))['schema'] ?? ''
  }
  assert.match(
    await schemaAfter("insert into schema_migrations values (999, 'from-tomorrow')"),
    /^fail it has schema version 999, and this program knows \d+$/,
  )
  assert.match(await schemaAfter('delete from schema_migrations'), /^ok it is empty: /)
  assert.equal(
    await schemaAfter('alter table schema_migrations rename to migrations'),
    'fail it is the database of another program',
  )

  truncateSync(path, readFileSync(path).length - 8192)
  const { integrity = '' } = await say(sqliteChecks(path))
  assert.match(integrity, /^fail the database file is damaged: /)
  writeFileSync(path, 'no database at all')
  const said = await say(sqliteChecks(path))
  assert.equal(said['integrity'], 'fail the database file is damaged: file is not a database')
  assert.equal(said['schema'], 'fail could not be checked: file is not a database')
})

test('clocks may be a second apart', () => {
  assert.deepEqual(judgeSkew(-1000), {
    level: 'ok',
    found: 'its clock and that of this machine are 1.0 s apart',
    remedy: null,
  })
  assert.match(judgeSkew(1001).found, /^its clock is 1\.0 s ahead of that of this machine$/)
  assert.match(judgeSkew(-90_000).found, /^its clock is 90\.0 s behind that of this machine$/)
})

describe('The checks of PostgreSQL', () => {
  let postgres: TestPostgres
  before(async () => {
    postgres = await startPostgres()
  })
  after(() => postgres.stop())

  async function query(url: string, sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(sql)
    await client.end()
  }

  it('an empty database is fine, and stays empty', async () => {
    const url = await postgres.createDatabase()
    const said = await say(postgresChecks(url))
    assert.match(said['database'] ?? '', /^ok PostgreSQL \d+\S* at 127\.0\.0\.1:\d+\/ringback_\w+ answers$/)
    assert.equal(said['rights'], 'ok this user may make, read and write tables in schema public')
    assert.equal(said['durability'], 'ok synchronous_commit is on')
    assert.match(said['schema'] ?? '', /^ok it is empty: /)
    assert.match(said['database clock'] ?? '', /^ok its clock and that of this machine are 0\.\d s apart$/)
    assert.match((await say(postgresChecks(url)))['schema'] ?? '', /^ok it is empty: /)
  })

  it('a migrated one is known, a newer one refused', async () => {
    const url = await postgres.createDatabase()
    await (await openPostgresDriver(url)).close()
    assert.match(
      (await say(postgresChecks(url)))['schema'] ?? '',
      /^ok it has schema version \d+, as this program$/,
    )
    await query(url, 'delete from schema_migrations where version > 1')
    assert.match(
      (await say(postgresChecks(url)))['schema'] ?? '',
      /^warn it has schema version 1, and this program brings \d+$/,
    )
    await query(url, "insert into schema_migrations values (999, 'from-tomorrow')")
    assert.match((await say(postgresChecks(url)))['schema'] ?? '', /^fail it has schema version 999, /)
  })

  it('what a user may not do is named', async () => {
    const url = await postgres.createDatabase()
    await (await openPostgresDriver(url)).close()
    const user = `guest_${process.pid}`
    await query(
      url,
      `create user ${user}; grant select on all tables in schema public to ${user};
      grant insert, update, delete on projects, keys to ${user}`,
    )
    const guest = new URL(url)
    guest.username = user
    const said = await say(postgresChecks(guest.href))
    assert.match(said['rights'] ?? '', /^fail this user may not read and write arrivals, attempts, /)
    assert.doesNotMatch(said['rights'] ?? '', /projects| keys/)
    assert.match(said['schema'] ?? '', /^ok /)
    await query(
      url,
      `grant all on all tables in schema public to ${user}; revoke select on schema_migrations from ${user}`,
    )
    assert.match(
      (await say(postgresChecks(guest.href)))['schema'] ?? '',
      /^fail this user may not read its version$/,
    )
    await query(url, `grant all on all tables in schema public to ${user}`)
    assert.equal(
      (await say(postgresChecks(guest.href)))['rights'],
      'ok this user may read and write the tables in schema public; migrations take another (RINGBACK_MIGRATE=never)',
    )
    await query(url, `drop owned by ${user}; drop user ${user}`)
  })

  it('a database that forgets, or takes no writes, fails', async () => {
    const url = await postgres.createDatabase()
    const name = new URL(url).pathname.slice(1)
    await query(
      url,
      `alter database ${name} set synchronous_commit = off; alter database ${name} set default_transaction_read_only = on`,
    )
    const said = await say(postgresChecks(url))
    assert.match(said['durability'] ?? '', /^fail synchronous_commit is off: /)
    assert.match(said['database'] ?? '', /^fail PostgreSQL .* takes no writes$/)
  })

  it('one that is not reached fails in every check, without its password', async () => {
    const said = await say(postgresChecks('postgresql://someone:hush@127.0.0.1:9/none'))
    assert.match(said['database'] ?? '', /^fail 127\.0\.0\.1:9\/none was not reached: .*ECONNREFUSED/)
    assert.equal(said['rights'], 'fail not known, since the database was not reached')
    assert.ok(!JSON.stringify(said).includes('hush'))
  })
})
