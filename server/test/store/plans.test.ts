// How PostgreSQL finds our rows. Its planner does not know yet how big a young table is, or still thinks that it is small.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { decide, type Task } from '../../src/domain/task.ts'
import { migratePostgres, openPostgresDriver } from '../../src/store/postgres.ts'
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

  async function complete(task: Task): Promise<void> {
    const { task: next, event } = decide(task, 'complete', { response: '{}' }, store.now())!
    const id = newId()
    const row = { id, task_id: task.id, sequence: 1, ...event!, created_at: store.now(), body: '{}' }
    await store.transition({ task: next, event: row, delivery: deliveryOf(next, id), arrival: null })
  }

  for (let round = 0; round < 20; round++) {
    const tasks = Array.from({ length: 50 }, () => newTask(project))
    await Promise.all(
      tasks.map((task) => store.createTask({ task, destination: destinationOf(project), idempotency: null })),
    )
    await Promise.all(tasks.map(({ callback_hash }) => store.findTaskByCallback(callback_hash!)))
    await Promise.all(tasks.map(complete))
    const claimed = await store.claim({ ...claimAll, destinations: 10, per_destination: 50 })
    const now = store.now()
    await Promise.all(
      claimed.claimed.map((delivery) =>
        store.settle({
          delivery,
          settlement: {
            state: 'delivered',
            reason: null,
            due_at: null,
            attempt_count: 1,
            unknown_count: 0,
            unknown_streak: 0,
            first_attempt_at: now,
            give_up_at: now + 1000,
          },
          attempt: null,
          lease_ms: 1000,
        }),
      ),
    )
  }
  await store.close()

  const { rows } = await client.query<{ relname: string }>(
    `select relname from pg_stat_user_tables where seq_scan > 0 and relname in ('tasks', 'events', 'callback_ids', 'deliveries')`,
  )
  await client.end()
  assert.deepEqual(rows, [])
})
