// A node that stands still amid a transaction keeps its locks, and whoever needs the same rows stands still, too: on nodes
// that are well, attempts could then not be written before their leases were over, and their receivers heard of them twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaseMs } from '../../src/domain/delivery.ts'
import { lockDestinations } from '../../src/store/sql/destinations.ts'
import { openPostgresDriver } from '../../src/store/postgres.ts'
import { openPostgres } from '../../src/store/postgres-database.ts'
import { startPostgres } from '../support/postgres.ts'
import { deliveryOf, destinationOf, newProject, newTask, storeOn } from '../support/store.ts'
import { claimAll } from '../support/claims.ts'

test('locks of a node that stands still amid a transaction do not outlast the leases of the others', async (t) => {
  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  const url = await postgres.createDatabase()
  const store = storeOn(await openPostgresDriver(url))
  t.after(() => store.close())
  const frozen = openPostgres(url, { connections: 1 })
  t.after(() => frozen.close())
  const project = newProject()
  const destination = destinationOf(project)
  const task = newTask(project)
  await store.createProject({ project, keys: [], secrets: [], idempotency: null })
  await store.createTask({ task, destination, idempotency: null })
  const done = { ...task, status: 'completed' as const, event_count: 1, version: 2 }
  const event = {
    id: 'event',
    task_id: task.id,
    sequence: 1,
    type: 'task.completed' as const,
    detail: null,
    created_at: 1,
    body: '{}',
  }
  await store.transition({ task: done, event, delivery: deliveryOf(done, event.id), arrival: null })

  const locked = Promise.withResolvers<void>()
  const woken = Promise.withResolvers<void>()
  const frozenWrite = frozen.write(async (tx) => {
    await lockDestinations(tx, [destination.id])
    // The locks themselves are not waited for.
    await tx.all('select 1')
    locked.resolve()
    await woken.promise
  })
  await locked.promise
  const started = performance.now()
  const claiming = store.claim({ ...claimAll, destinations: 10, per_destination: 10 })
  const { claimed: deliveries } = await claiming.finally(() => woken.resolve())
  assert.ok(performance.now() - started < leaseMs(0) / 2, 'the claim waited for too long')
  assert.equal(deliveries.length, 1)
  await assert.rejects(frozenWrite, /terminat|not queryable/)
})
