// How the databases find our rows. The planner of PostgreSQL does not know yet how big a young table is, or still thinks that it is
// small; that of SQLite goes by the words of a statement alone.
import assert from 'node:assert/strict'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { test } from 'node:test'
import pg from 'pg'
import { decide, type Task } from '../../src/domain/task.ts'
import { runBatch } from '../../src/store/batch.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openPostgres } from '../../src/store/postgres-database.ts'
import { migratePostgres, openPostgresDriver } from '../../src/store/postgres.ts'
import { isUnavailable, openSqlite } from '../../src/store/sqlite-database.ts'
import type { Ready, Store } from '../../src/store/store.ts'
import { startPostgres } from '../support/postgres.ts'
import { deliveryOf, destinationOf, newId, newProject, newTask, storeOn } from '../support/store.ts'
import { claimAll } from '../support/claims.ts'

test('while tables grow from nothing to a thousand rows, no statement of a task reads one of them whole', async (t) => {
  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  const url = await postgres.createDatabase()
  await migratePostgres(url)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // The migrations looked at every row for each index that they made; whoever made them counts that when he ends.
  const others = `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
  while ((await client.query(others)).rows.length > 0);
  await client.query('select pg_stat_reset()')
  const store = storeOn(await openPostgresDriver(url))
  const project = newProject()
  await store.createProject({ project, keys: [], secrets: [] })

  for (let round = 0; round < 20; round++) {
    const tasks = Array.from({ length: 50 }, () => newTask(project))
    await Promise.all(
      tasks.map((task) => store.createTask({ task, destination: destinationOf(project), idempotency: null })),
    )
    await Promise.all(tasks.map(({ callback_hash }) => store.findTaskByCallback(callback_hash!)))
    await Promise.all(tasks.map((task) => complete(store, task)))
    const { claimed } = await store.claim({ ...claimAll, destinations: 10, per_destination: 50 })
    await Promise.all(claimed.map((delivery) => settle(store, delivery)))
  }
  await store.close()

  const { rows } = await client.query<{ relname: string }>(
    `select relname from pg_stat_user_tables where seq_scan > 0 and relname in ('tasks', 'events', 'callback_ids', 'deliveries')`,
  )
  await client.end()
  assert.deepEqual(rows, [])
})

test('options of the database URL stand beside our own', async (t) => {
  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  const url = new URL(await postgres.createDatabase())
  url.searchParams.set('options', '-c search_path=pg_catalog,public')
  const database = openPostgres(url.href, { connections: 1 })
  const settings = await database.read((tx) =>
    tx.all(`select current_setting('search_path') as path, current_setting('enable_hashjoin') as hashed`),
  )
  await database.close()
  assert.deepEqual(settings, [{ path: 'pg_catalog,public', hashed: 'off' }])
})

test('nothing that SQLite is asked to write looks at a whole table', async (t) => {
  const scans: string[] = []
  const prepare: (sql: string) => StatementSync = Reflect.get(DatabaseSync.prototype, 'prepare')
  t.mock.method(DatabaseSync.prototype, 'prepare', function (this: DatabaseSync, sql: string) {
    const plan = /^\s*(select|insert|update|delete|with)\b/.test(sql)
      ? prepare.call(this, `explain query plan ${sql}`).all()
      : []
    for (const { detail } of plan) {
      // There are few projects, and `v` is one row of binds.
      const [, table] = /^SCAN (\w+)(?! USING)/.exec(String(detail)) ?? []
      if (table !== undefined && !['v', 'CONSTANT', 'json_each', 'projects', 'sqlite_master'].includes(table))
        scans.push(`${table}: ${sql}`)
    }
    return prepare.call(this, sql)
  })
  const database = openSqlite(':memory:', { readonly: false })
  await migrate(database)
  const store = storeOn({
    concurrency: 1,
    batchWrites: 32,
    exclusive: true,
    signals: null,
    failed: new Promise(() => {}),
    now: Date.now,
    write: (batch) => runBatch(database, batch, isUnavailable),
    read: () => assert.fail('no reads'),
    close: () => database.close(),
  })
  const project = newProject()
  await store.createProject({ project, keys: [], secrets: [] })
  const create = (key: string) => {
    const task = newTask(project, { unique_id: 'once' })
    const scope = { project_id: project.id, mode: 'live' as const }
    const idempotency = { ...scope, key, request_hash: 'h', status: 201, answer: '{}' }
    return store
      .createTask({ task, destination: destinationOf(project), idempotency, labels: ['one'] })
      .then(({ kind }) => ({ kind, task }))
  }

  const { task } = await create('first')
  assert.equal((await create('second')).kind, 'unique_id_taken')
  await complete(store, task)
  const { claimed } = await store.claim(claimAll)
  assert.equal(claimed.length, 1)
  for (const delivery of claimed) await settle(store, delivery)
  await store.setBreaker({ id: destinationOf(project).id, open: 1, not_before: 1 })
  await store.sweepDestinations('', 10)
  await store.prune('', 10)
  await store.close()
  assert.deepEqual(scans, [])
})

async function complete(store: Store, task: Task): Promise<void> {
  const { task: next, event } = decide(task, 'complete', { response: '{}' }, store.now())!
  const id = newId()
  const row = { id, task_id: task.id, sequence: 1, ...event!, created_at: store.now(), body: '{}' }
  await store.transition({ task: next, event: row, delivery: deliveryOf(next, id), arrival: null })
}

async function settle(store: Store, delivery: Ready): Promise<void> {
  const settlement = {
    state: 'delivered',
    reason: null,
    due_at: null,
    attempt_count: 1,
    unknown_count: 0,
    unknown_streak: 0,
    first_attempt_at: store.now(),
    give_up_at: store.now() + 1000,
  } as const
  await store.settle({ delivery, settlement, attempt: null, lease_ms: 1000 })
}
