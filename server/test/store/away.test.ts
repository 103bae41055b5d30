// A PostgreSQL that cannot be used at start, and one that goes away under a running server.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createClient } from '@ringback/sdk'
import pg from 'pg'
import { pino } from 'pino'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { postgresChecks } from '../../src/store/checks/postgres.ts'
import { createCipher } from '../../src/store/cipher.ts'
import { createStore } from '../../src/store/open.ts'
import { openPostgresDriver } from '../../src/store/postgres.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { newProject, newTask } from '../support/store.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { isUnavailable } from '../support/unavailable.ts'

const adminKey = 'an-admin-key-of-more-than-32-characters'
let postgres: TestPostgres

before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

test('a database that cannot be used is refused in one sentence that tells the remedy and no password', async () => {
  const good = await postgres.createDatabase()
  const with_ = (changes: Partial<URL>) =>
    Object.assign(new URL(good), { password: 'geheim', ...changes }).href
  const owner = new pg.Client({ connectionString: good })
  await owner.connect()
  await owner.query('create role weak login')
  await owner.query('create role closed nologin')
  await owner.query('create role crowded login connection limit 0')
  await owner.query(`create database latin encoding 'LATIN1' template template0`)
  await owner.query('create database still')
  await owner.query('alter database still set default_transaction_read_only = on')
  await owner.end()
  const scenarios: [string, string, RegExp][] = [
    [
      'nobody listens',
      with_({ port: '1' }),
      /no answer from PostgreSQL at 127\.0\.0\.1:1 \(ECONNREFUSED\): start it/,
    ],
    ['no such host', with_({ hostname: 'nowhere.invalid' }), /no answer from PostgreSQL at nowhere\.invalid/],
    ['no such user', with_({ username: 'nobody' }), /refused the login of nobody .*RINGBACK_DATABASE_URL/],
    ['a user that may not log in', with_({ username: 'closed' }), /refused the login of closed/],
    ['no such database', with_({ pathname: '/none' }), /there is no database none .*create it/],
    ['no rights', with_({ username: 'weak' }), /weak lacks rights in database ringback_.*grant it CREATE/],
    [
      'no connection left',
      with_({ username: 'crowded' }),
      /takes no more connections: raise max_connections/,
    ],
    ['not all characters', with_({ pathname: '/latin' }), /has the encoding LATIN1.*encoding UTF8/],
    ['read-only', with_({ pathname: '/still' }), /takes no writes: use the primary/],
    ['no TLS there', with_({ search: '?sslmode=verify-full' }), /no encrypted connection.*correct sslmode/],
    [
      'no such certificate',
      with_({ search: '?sslrootcert=/none.pem' }),
      /there is no file \/none\.pem: correct/,
    ],
  ]
  for (const [name, url, sentence] of scenarios) {
    await assert.rejects(openPostgresDriver(url), (error: Error) => {
      assert.equal(error.name, 'PostgresStartError', name)
      assert.match(error.message, sentence, name)
      assert.doesNotMatch(error.message, /geheim|\n/, name)
      return true
    })
  }
})

test('a PostgreSQL older than 15 is refused in one sentence, and nothing is written to it', async () => {
  const url = await postgres.createDatabase()
  // A new one that gives itself out for an old one.
  const older = (chunk: Buffer) =>
    Buffer.from(
      chunk.toString('latin1').replace(/server_version_num(.*?)\d{6}/s, 'server_version_num$1140012'),
      'latin1',
    )
  await using old = await startTcpProxy(Number(new URL(url).port), older)
  await assert.rejects(openPostgresDriver(Object.assign(new URL(url), { port: String(old.port) }).href), {
    name: 'PostgresStartError',
    message: 'this PostgreSQL is older than 15: use 15 or newer',
  })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  assert.deepEqual((await client.query(`select 1 from pg_tables where schemaname = 'public'`)).rows, [])
  await client.end()
})

test('while the database is away or silent requests are refused with 503, and all goes on by itself when it is back', async (t) => {
  const url = new URL(await postgres.createDatabase())
  await using wire = await startTcpProxy(Number(url.port))
  url.port = String(wire.port)
  const data = await mkdtemp(join(tmpdir(), 'ringback-away-'))
  const { config } = readConfig({ port: '0', data, 'database-url': url.href }, {})
  const app = await createApp({
    config: { ...config, admin_key: adminKey },
    secret_key: new Uint8Array(32),
    public_url: 'http://127.0.0.1',
    log: pino({ level: 'silent' }),
  })
  t.after(async () => {
    await app.stop()
    await rm(data, { recursive: true, force: true })
  })
  const { port } = await app.start()
  const baseUrl = `http://127.0.0.1:${port}`
  const ready = async () => (await fetch(`${baseUrl}/readyz`)).status
  const { credentials } = await createClient({ baseUrl, key: adminKey }).admin.createProject({ name: 'p' })
  const { tasks } = createClient({ baseUrl, key: credentials.live_key })
  const before = await tasks.create()
  assert.equal(await ready(), 200)

  wire.cut()
  assert.equal(await ready(), 503)
  for (const call of [
    () => tasks.create(),
    () => tasks.complete(before.id, { response: 1 }),
    () => tasks.list(),
  ]) {
    await assert.rejects(call, isUnavailable)
  }

  wire.mend()
  await tasks.create()
  assert.equal(await ready(), 200)
  assert.equal((await tasks.complete(before.id, { response: 1 })).status, 'completed')
  const waiting = /^ringback_waiting_deliveries \d/m
  const metrics = async () => (await fetch(`${baseUrl}/metrics`)).text()
  assert.match(await metrics(), waiting)

  // Longer than this nothing is heard of a connection that has gone silent.
  const signal = AbortSignal.timeout(15_000)
  wire.hush()
  const [silent, seen] = await Promise.all([fetch(`${baseUrl}/readyz`, { signal }), metrics()])
  assert.equal(silent.status, 503)
  assert.match(seen, /^ringback_in_flight 0$/m)
  assert.doesNotMatch(seen, waiting)
  wire.cut()
  wire.mend()
  await tasks.list()
  assert.match(await metrics(), waiting)
})

test('a user who may not make tables serves what another has migrated', async () => {
  const url = await postgres.createDatabase()
  await (await openPostgresDriver(url)).close()
  const owner = new pg.Client({ connectionString: url })
  await owner.connect()
  await owner.query('create role plain login')
  await owner.query('grant select, insert, update, delete on all tables in schema public to plain')
  await owner.end()
  const plain = Object.assign(new URL(url), { username: 'plain' }).href
  const driver = await openPostgresDriver(plain, { mode: 'check' })
  assert.deepEqual(driver.migrated.applied, [])
  await driver.close()
  const rights = postgresChecks(plain).find(({ name }) => name === 'rights')
  assert.equal((await rights!.run()).level, 'ok')
})

test('a stop ends by its grace though the database has gone silent', async (t) => {
  const url = new URL(await postgres.createDatabase())
  await using wire = await startTcpProxy(Number(url.port))
  url.port = String(wire.port)
  const data = await mkdtemp(join(tmpdir(), 'ringback-silent-'))
  t.after(() => rm(data, { recursive: true, force: true }))
  const { config } = readConfig({ port: '0', data, 'database-url': url.href, 'stop-grace': '1' }, {})
  const app = await createApp({
    config,
    secret_key: new Uint8Array(32),
    public_url: 'http://127.0.0.1',
    log: pino({ level: 'silent' }),
  })
  await app.start()
  wire.hush()
  // Something is asked of it that is never answered.
  app.store.ping().catch(() => {})
  await assert.rejects(app.stop(), { name: 'StopError' })
})

test('slow reads keep no write waiting, and slow pages no quick read', async () => {
  const url = await postgres.createDatabase()
  const driver = await openPostgresDriver(url)
  const store = createStore({ driver, cipher: createCipher(Buffer.alloc(32, 7)), now: Date.now, owner: 'a' })
  const project = newProject()
  await store.createProject({ project, keys: [], secrets: [] })
  const locker = new pg.Client({ connectionString: url })
  await locker.connect()
  await locker.query('begin; lock table arrivals in access exclusive mode')
  const page = { limit: 1, after: null }
  const slow = Promise.all(Array.from({ length: 8 }, () => store.listArrivals('x', page)))
  const task = newTask(project)
  await store.createTask({ task, destination: null, idempotency: null })
  assert.equal((await store.findTask(task, task.id))?.id, task.id)
  await locker.query('commit')
  await slow
  await locker.end()
  await store.close()
})
