// Races on PostgreSQL that chance alone would rarely bring, forced by locks: a task's row is held until those who want it have
// queued up in a chosen order, and a trigger stops a claim between its statements.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import pg from 'pg'
import type { Settlement } from '../../src/domain/delivery.ts'
import type { Key } from '../../src/domain/key.ts'
import { decide, type Task, type TaskVerb } from '../../src/domain/task.ts'
import { openPostgresDriver } from '../../src/store/postgres.ts'
import type { Ready, Store } from '../../src/store/store.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { deliveryOf, destinationOf, newId, newProject, newTask, storeOn } from '../support/store.ts'
import { claimAll } from '../support/claims.ts'

const CLAIM_GATE = 7464
let postgres: TestPostgres
let one: Store
let other: Store
let hand: pg.Client
const project = newProject()

before(async () => {
  postgres = await startPostgres()
  const url = await postgres.createDatabase()
  one = storeOn(await openPostgresDriver(url, { owner: 'one' }), Date.now, 'one')
  other = storeOn(await openPostgresDriver(url, { owner: 'other' }), Date.now, 'other')
  hand = new pg.Client({ connectionString: url })
  await hand.connect()
  await hand.query(`
    create function gate() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock_shared(${CLAIM_GATE}); return new; end $$;
    create trigger gate before update on deliveries for each row
      when (old.state = 'pending' and new.state = 'sending') execute function gate()`)
  await one.createProject({ project, keys: [], secrets: [] })
})
after(async () => {
  await Promise.all([one.close(), other.close(), hand.end()])
  await postgres.stop()
})
beforeEach(async () => {
  // What an earlier test left pending would be claimed, too.
  for (const delivery of (await one.claim(claimAll)).claimed) await settle(one, delivery, 'delivered')
})

/** Resolves when so many statements wait for a lock. */
async function untilWaiting(count: number): Promise<void> {
  for (;;) {
    // A transaction goes on seeing the connections that there were when it first looked.
    await hand.query('select pg_stat_clear_snapshot()')
    const { rows } = await hand.query<{ n: string }>(
      `select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    if (Number(rows[0]?.n) >= count) return
  }
}

/** Holds a task's row while the given calls queue up for it one behind the other; gives what they gave. */
async function inOrder<A, B>(
  task_id: string,
  first: () => Promise<A>,
  second: () => Promise<B>,
): Promise<[A, B]> {
  await hand.query('begin')
  await hand.query('select 1 from tasks where id = $1 for update', [task_id])
  const a = first()
  await untilWaiting(1)
  const b = second()
  await untilWaiting(2)
  await hand.query('commit')
  return Promise.all([a, b])
}

/** Stops a claim in the middle while `meanwhile` happens. */
async function duringClaim(store: Store, meanwhile: () => Promise<unknown>) {
  await hand.query('select pg_advisory_lock($1)', [CLAIM_GATE])
  const claiming = store.claim(claimAll)
  await untilWaiting(1)
  await meanwhile()
  await hand.query('select pg_advisory_unlock($1)', [CLAIM_GATE])
  return claiming
}

async function create(changes: Partial<Task> = {}): Promise<Task> {
  const task = newTask(project, changes)
  await one.createTask({ task, destination: destinationOf(project), idempotency: null })
  return task
}

async function move(store: Store, task: Task, verb: TaskVerb): Promise<Task | undefined> {
  const decision = decide(task, verb, { response: '1' }, Date.now())
  assert.ok(decision?.event)
  const event_id = newId()
  const next = decision.task
  const result = await store.transition({
    task: next,
    event: {
      id: event_id,
      task_id: task.id,
      sequence: next.event_count,
      ...decision.event,
      created_at: Date.now(),
      body: '{}',
    },
    delivery: deliveryOf(next, event_id, { event_type: decision.event.type, created_at: Date.now() }),
    arrival: null,
  })
  return result === 'done' ? next : undefined
}

const settle = (store: Store, delivery: Ready, state: Settlement['state']) =>
  store.settle({
    delivery,
    settlement: {
      state,
      reason: null,
      due_at: null,
      attempt_count: 1,
      unknown_count: 0,
      unknown_streak: 0,
      first_attempt_at: 1,
      give_up_at: 2,
    },
    attempt: null,
    lease_ms: 10_000,
  })

const claimOf = async (store: Store, task: Task) =>
  (await store.claim(claimAll)).claimed.filter(({ task_id }) => task_id === task.id)

for (const order of ['settle first', 'insert first'] as const) {
  test(`a successor inserted while its elder is settled is not held for ever: ${order}`, async () => {
    const done = await move(one, await create(), 'complete')
    const [elder] = await claimOf(one, done!)
    const settling = () => settle(one, elder!, 'delivered')
    const inserting = () => move(other, done!, 'edit')
    if (order === 'settle first') await inOrder(done!.id, settling, inserting)
    else await inOrder(done!.id, inserting, settling)
    const [successor] = await claimOf(other, done!)
    assert.equal(successor?.event_type, 'task.edited')
  })

  // Settling an elder that is not the latest event changes nothing of the task's row, so only the explicit lock orders them.
  test(`nor one whose elder is not the latest event, the one between being cancelled: ${order}`, async () => {
    const done = await move(one, await create(), 'complete')
    const [elder] = await claimOf(one, done!)
    const edited = await move(one, done!, 'edit')
    const between = await one.unsettledDelivery(done!.id, 2)
    await one.cancelDelivery(between!)
    const settling = () => settle(one, elder!, 'delivered')
    const inserting = () => move(other, edited!, 'edit')
    if (order === 'settle first') await inOrder(done!.id, settling, inserting)
    else await inOrder(done!.id, inserting, settling)
    const [successor] = await claimOf(other, done!)
    assert.equal(successor?.sequence, 3)
  })
}

for (const order of ['complete', 'expire'] as const) {
  test(`of a completion and an expiry that queue up exactly one wins: ${order} first`, async () => {
    const task = await create({ expires_at: Date.now() + 60_000 })
    const verbs: TaskVerb[] = order === 'complete' ? ['complete', 'expire'] : ['expire', 'complete']
    const [first, second] = await inOrder(
      task.id,
      () => move(one, task, verbs[0]!),
      () => move(other, task, verbs[1]!),
    )
    assert.deepEqual([first?.version, second], [2, undefined])
    assert.equal((await one.listEvents(task.id, { limit: 10, after: null })).rows.length, 1)
  })
}

test('two writes for one task that one node commits together are decided one after the other', async () => {
  const task = await create()
  const both = await Promise.all([move(one, task, 'complete'), move(one, task, 'cancel')])
  const winners = both.filter((moved) => moved !== undefined)
  assert.deepEqual(
    winners.map(({ status }) => status),
    [(await one.findTask(task, task.id))?.status],
  )
})

test('a unique id that another process takes between the look and the write is taken', async () => {
  const [task, holder] = [await create(), await create()]
  await hand.query('begin')
  await hand.query(`update tasks set unique_id = 'contested' where id = $1`, [holder.id])
  const amending = one.amendTask({
    task: { ...task, unique_id: 'contested', version: task.version + 1 },
    labels: null,
  })
  await untilWaiting(1)
  await hand.query('commit')
  assert.deepEqual(await amending, { kind: 'unique_id_taken', task_id: holder.id })
  assert.equal((await one.findTask(task, task.id))?.version, task.version)
})

test('what becomes pending in the middle of a claim is found by the next one', async () => {
  const [early, late] = [await create(), await create()]
  await move(one, early, 'complete')
  const { claimed: deliveries } = await duringClaim(one, () => move(other, late, 'complete'))
  assert.deepEqual(
    deliveries.map(({ task_id }) => task_id),
    [early.id],
  )
  assert.equal((await claimOf(other, late)).length, 1)
})

test('two claims at a time share nothing, and leave nothing', async () => {
  const tasks = await Promise.all(Array.from({ length: 6 }, () => create()))
  await Promise.all(tasks.map((task) => move(one, task, 'complete')))
  let meanwhile: Ready[] = []
  const { claimed: deliveries } = await duringClaim(one, async () => {
    // Its destination is locked by the claim that stands still.
    meanwhile = (await other.claim({ ...claimAll, room: { [destinationOf(project).id]: 10 } })).claimed
  })
  assert.deepEqual(meanwhile, [])
  assert.equal(new Set(deliveries.map(({ id }) => id)).size, 6)
  assert.deepEqual((await other.claim(claimAll)).claimed, [])
})

test('breakers that one node sets together lock their destinations in the order in which all do', async () => {
  const destination = (id: string) => ({ ...destinationOf(project), id, key: `http://127.0.0.1/${id}` })
  for (const id of ['x', 'y'])
    await one.createTask({ task: newTask(project), destination: destination(id), idempotency: null })
  await hand.query('begin')
  await hand.query(`select 1 from destinations where id = 'x' for update`)
  const setting = Promise.all(['y', 'x'].map((id) => one.setBreaker({ id, open: 1, not_before: 1 })))
  await untilWaiting(1)
  // Whoever drains wake-ups has x, and goes on to y.
  await hand.query(`select 1 from destinations where id = 'y' for update nowait`)
  await hand.query('commit')
  await setting
})

test('what somebody notifies by hand on our channel ends nobody', async () => {
  for (const payload of ['', 'hello', 'null', '[]', '{"moved":1}', '{"from":"x"}'])
    await hand.query('select pg_notify($1, $2)', ['ringback', payload])
  const heard = new Promise<readonly string[]>((resolve) => other.onMovedElsewhere(resolve))
  const done = await move(one, await create(), 'complete')
  assert.deepEqual(await heard, [done?.id])
})

test('two processes that write the uses of the same keys, each in an order of its own, do not stop each other', async () => {
  const keys = Array.from({ length: 100 }, (_, i): Key => ({
    id: `key ${String(i).padStart(2, '0')}`,
    project_id: project.id,
    mode: 'live',
    role: 'customer',
    name: null,
    scopes: null,
    hash: `hash ${i}`,
    hint: '',
    created_at: 1,
    expires_at: null,
    last_used_at: null,
  }))
  await one.createProject({ project: newProject(), keys, secrets: [] })
  const rounds = 50
  const use = async (store: Store, at: number, order: Key[]) => {
    for (let i = 0; i < rounds; i++)
      await store.recordKeyUses(order.map(({ id }) => ({ id, last_used_at: 2 * i + at })))
  }
  await Promise.all([use(one, 0, keys), use(other, 1, keys.toReversed())])
  const found = await one.listKeys(project.id, { limit: 200, after: null })
  assert.deepEqual(new Set(found.rows.map(({ last_used_at }) => last_used_at)), new Set([2 * rounds - 1]))
})
