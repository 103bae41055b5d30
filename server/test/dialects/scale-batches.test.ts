// Scale's batches: what their clients index, and how they complete and call back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBatchWork } from '../../src/dialects/scale/batch-work.ts'
import type { WorkTools } from '../../src/dialects/work.ts'
import { categorization, startScale, type Shown } from './scale-platform.ts'

type Scale = Awaited<ReturnType<typeof startScale>>
type Batch = { [field: string]: unknown; name: string; status: string }

const path = (name: string) => `/batches/${encodeURIComponent(name)}`

async function startBatches({ customer }: Scale, ...batches: object[]): Promise<void> {
  await customer('POST', '/projects', { name: 'fruit', type: 'categorization' })
  for (const batch of batches) {
    const { status, text } = await customer('POST', '/batches', { project: 'fruit', ...batch })
    assert.equal(status, 200, text)
  }
}

/** The batch once it has this status; the clock moves on until then. */
function become(scale: Scale, name: string, status: string): Promise<Batch> {
  const look = async (): Promise<Batch> => {
    const { body } = await scale.customer('GET', path(name))
    return body['status'] === status ? (body as unknown as Batch) : look()
  }
  return scale.clock.advanceUntil(look())
}

test('a batch is in progress from its creation on, known by its name, and finalizing it changes nothing', async (t) => {
  const scale = await startScale(t)
  const { customer, clock } = scale
  const created_at = new Date(clock.now()).toISOString()
  await startBatches(scale, {
    name: 'fruit/01 %',
    callback: '',
    metadata: { n: 1 },
    calibration_batch: 'True',
  })
  const batch = {
    name: 'fruit/01 %',
    project: 'fruit',
    status: 'in_progress',
    created_at,
    calibration_batch: true,
    self_label_batch: false,
    metadata: { n: 1 },
  }
  assert.deepEqual((await customer('GET', path('fruit/01 %'))).body, batch)
  const headers = { 'content-type': 'application/json' }
  const finalized = await customer('POST', `${path('fruit/01 %')}/finalize`, undefined, { raw: '', headers })
  assert.deepEqual([finalized.status, finalized.body], [200, batch])
  const taken = await customer('POST', '/batches', { name: 'fruit/01 %', project: 'fruit' })
  assert.deepEqual([taken.status, taken.body['status_code']], [409, 409])

  const changed = await customer('POST', `${path('fruit/01 %')}/setMetadata`, { m: 2 })
  assert.deepEqual(changed.body, { ...batch, metadata: { m: 2 } })
  const prioritized = await customer('POST', `${path('fruit/01 %')}/prioritize`, { priority: '20' })
  assert.deepEqual(prioritized.body, { ...batch, metadata: { m: 2 }, priority: 20 })
  assert.equal((await customer('POST', `${path('fruit/01 %')}/prioritize`, {})).status, 400)
  const cleared = await customer('POST', `${path('fruit/01 %')}/setMetadata`, undefined, { raw: '', headers })
  assert.deepEqual(cleared.body['metadata'], {})
})

test('batches are listed newest first, filtered, paged and counted under both names', async (t) => {
  const scale = await startScale(t)
  const { customer, clock } = scale
  const start = clock.now()
  await startBatches(scale)
  await customer('POST', '/projects', { name: 'nuts', type: 'categorization' })
  for (let i = 0; i < 5; i++) {
    await customer('POST', '/batches', { name: `b${i}`, project: i % 2 === 0 ? 'fruit' : 'nuts' })
    clock.advance(1000)
  }
  const list = async (query: string) => (await customer('GET', `/batches?${query}`)).body
  const names = async (query: string) => ((await list(query))['docs'] as Batch[]).map(({ name }) => name)
  const { docs: _, ...page } = await list('limit=2&offset=1&exclude_archived=True')
  assert.deepEqual(page, { totalDocs: 5, total: 5, limit: 2, offset: 1, has_more: true })
  const at = (seconds: number) => new Date(start + seconds * 1000).toISOString()
  const rows: [query: string, names: string[]][] = [
    ['', ['b4', 'b3', 'b2', 'b1', 'b0']],
    ['limit=2&offset=1', ['b3', 'b2']],
    ['limit=2&offset=4', ['b0']],
    ['project=fruit', ['b4', 'b2', 'b0']],
    ['project=fruit&limit=1&offset=1', ['b2']],
    ['status=completed', []],
    ['status=in_progress&project=nuts', ['b3', 'b1']],
    [`start_time=${at(1)}&end_time=${at(2)}`, ['b2', 'b1']],
  ]
  for (const [query, found] of rows) assert.deepEqual(await names(query), found, query)
  assert.equal((await list('project=fruit&limit=1&offset=2'))['has_more'], false)
})

test('a task takes the project of its batch, and may name no other', async (t) => {
  const scale = await startScale(t)
  await startBatches(scale, { name: 'b' })
  await scale.customer('POST', '/projects', { name: 'nuts', type: 'categorization' })
  const task = await scale.create({ batch: 'b', callback_url: null })
  assert.deepEqual([task['batch'], task['project']], ['b', 'fruit'])
  const other = { instruction: 'i', attachment: 'a', categories: ['c'], batch: 'b', project: 'nuts' }
  const refused = await scale.customer('POST', '/task/categorization', other)
  assert.equal(refused.status, 400)
  assert.match(refused.body.error, /^project: the batch b belongs to the project fruit/)
})

test('a batch completes when its last task is settled, and calls back once', async (t) => {
  const scale = await startScale(t)
  const callback = `${scale.receiver_url}/batch`
  await startBatches(scale, { name: 'b', callback, metadata: { n: 1 } })
  const tasks: Shown[] = []
  for (let i = 0; i < 4; i++) tasks.push(await scale.create({ batch: 'b', callback_url: null }))
  const [one, two, three, four] = tasks.map(({ task_id }) => task_id)
  await scale.staff('complete', one!, { response: {} })
  await scale.staff('fail', two!, { error: { message: 'x' } })
  await scale.staff('cancel', three!)
  const status = async () => (await scale.customer('GET', '/batches/b/status')).body
  const counts = { pending: 1, completed: 1, error: 1, canceled: 1 }
  const named = { tasks_pending: 1, tasks_completed: 1, tasks_error: 1, tasks_canceled: 1 }
  assert.deepEqual(await status(), { status: 'in_progress', ...counts, ...named })
  const { body } = await scale.customer('GET', '/batches?detailed=true')
  assert.deepEqual((body['docs'] as Batch[])[0]!['tasks_pending'], 1)

  scale.answerWith(500)
  await scale.staff('complete', four!, { response: {} })
  const batch = await become(scale, 'b', 'completed')
  assert.match(String(batch['completed_at']), /^2030-01-01T00:/)
  await scale.clock.advanceUntil(scale.attempted(2))
  const [first, second] = scale.received
  assert.equal(first!.text, second!.text)
  assert.equal(second!.path, '/batch')
  assert.equal(second!.headers['scale-callback-auth'], scale.credentials.callback_auth_key)
  assert.deepEqual(second!.body, { batch, status: 'completed' })
  assert.equal(batch['callback'], callback)

  const { body: listed } = await scale.customer('GET', '/tasks')
  assert.equal(listed['total'], 4)
  const { body: hidden } = await scale.operate('GET', '/v1/tasks?type=batch')
  assert.equal(hidden.data.length, 1)
  const { external_id } = hidden.data[0]!
  assert.equal((await scale.customer('GET', `/task/${String(external_id)}`)).status, 404)
  await scale.operate('POST', `/v1/tasks/${hidden.data[0]!.id}/resend`)
  await scale.clock.advanceUntil(scale.attempted(3))
  assert.equal(scale.received[2]!.text, first!.text)
})

test('a task that is added to a complete batch opens it again, and it calls back anew', async (t) => {
  const scale = await startScale(t)
  await startBatches(scale, { name: 'b', callback: scale.receiver_url })
  const add = () => scale.create({ batch: 'b', callback_url: null })
  const complete = async ({ task_id }: Shown) => scale.staff('complete', task_id, { response: {} })
  await complete(await add())
  const first = await become(scale, 'b', 'completed')
  const task = await add()
  const reopened = (await scale.customer('GET', '/batches/b')).body
  assert.equal(reopened['status'], 'in_progress')
  assert.ok(!('completed_at' in reopened))
  await complete(task)
  const second = await become(scale, 'b', 'completed')
  await scale.clock.advanceUntil(scale.attempted(2))
  assert.deepEqual(
    scale.received.map(({ body }) => (body as unknown as { batch: Batch }).batch['completed_at']),
    [first['completed_at'], second['completed_at']],
  )
})

test('a batch of test tasks completes by itself, with the key of its mode', async (t) => {
  const scale = await startScale(t)
  const test = { mode: 'test' } as const
  await scale.customer('POST', '/projects', { name: 'p', type: 'categorization' }, test)
  const batch = { name: 'b', project: 'p', callback: scale.receiver_url }
  await scale.customer('POST', '/batches', batch, test)
  await scale.create({ batch: 'b', callback_url: null }, test)
  await scale.clock.advanceUntil(scale.attempted(1))
  const [callback] = scale.received
  assert.equal(callback!.headers['scale-callback-auth'], scale.credentials.test_callback_auth_key)
  assert.equal((callback!.body as unknown as { batch: Batch }).batch.status, 'completed')
})

/** A look at the batch `b`, an hour from now, that is not written down: as if its process had died. */
async function lookInVain({ store, project, deps, clock }: Scale) {
  const record = await store.findRecord({ project_id: project.id, mode: 'live' }, 'batch', 'b')
  const tools = { now: () => clock.now() + 3_600_000 } as WorkTools
  return createBatchWork(deps)(record!, tools)
}

test('a look that dies after it has told is done again by the next, which does not tell again', async (t) => {
  const scale = await startScale(t)
  await startBatches(scale, { name: 'b', callback: scale.receiver_url })
  const { task_id } = await scale.create({ batch: 'b', callback_url: null })
  await scale.staff('complete', task_id, { response: {} })
  for (let i = 0; i < 2; i++) assert.match((await lookInVain(scale)).body, /"status":"completed"/)
  await scale.attempted(1)
  const { body } = await scale.operate('GET', '/v1/deliveries')
  assert.equal(body.data.length, 1)
})

test('a batch to which nothing came is looked at once more, and then rests', async (t) => {
  const scale = await startScale(t)
  await startBatches(scale, { name: 'b' })
  await scale.create({ unique_id: 'u', callback_url: null })
  const taken = { ...categorization, batch: 'b', unique_id: 'u' }
  assert.equal((await scale.customer('POST', '/task/categorization', taken)).status, 409)
  const scope = { project_id: scale.project.id, mode: 'live' } as const
  const find = async () => (await scale.store.findRecord(scope, 'batch', 'b'))!
  assert.equal((await find()).due_at, scale.clock.now() + 5000)
  const first = await lookInVain(scale)
  assert.equal(first.due_at, scale.clock.now() + 3_600_000 + 60_000)
  const record = await find()
  const after = { ...record, body: first.body, due_at: first.due_at, version: record.version + 1 }
  assert.ok(await scale.store.updateRecord(after))
  const second = await lookInVain(scale)
  assert.deepEqual([second.due_at, second.body], [null, first.body])
})

test('a creation that is refused leaves a complete batch complete, and calls nobody back', async (t) => {
  const scale = await startScale(t)
  await startBatches(scale, { name: 'b', callback: scale.receiver_url })
  const { task_id } = await scale.create({ batch: 'b', callback_url: null, unique_id: 'u' })
  await scale.staff('complete', task_id, { response: {} })
  const complete = await become(scale, 'b', 'completed')
  await scale.clock.advanceUntil(scale.attempted(1))
  const scope = { project_id: scale.project.id, mode: 'live' } as const
  const rested = async () => {
    while ((await scale.store.findRecord(scope, 'batch', 'b'))!.due_at !== null) scale.clock.advance(5000)
  }
  await rested()
  for (const wrong of [{ attachment: undefined }, { callback_url: 'nowhere' }, { unique_id: 'u' }]) {
    const refused = { ...categorization, batch: 'b', ...wrong }
    const { status } = await scale.customer('POST', '/task/categorization', refused)
    assert.ok(status === 400 || status === 409)
  }
  await rested()
  assert.deepEqual((await scale.customer('GET', '/batches/b')).body, complete)
  assert.equal((await scale.operate('GET', '/v1/tasks?type=batch')).body.data.length, 1)
})

test('a task that was added to a complete batch is news though its request died before it could say so', async (t) => {
  const scale = await startScale(t)
  await startBatches(scale, { name: 'b' })
  const add = () => scale.create({ batch: 'b', callback_url: null })
  await scale.staff('complete', (await add()).task_id, { response: {} })
  const first = await become(scale, 'b', 'completed')
  const scope = { project_id: scale.project.id, mode: 'live' } as const
  const find = async () => (await scale.store.findRecord(scope, 'batch', 'b'))!
  const { body } = await find()
  scale.clock.advance(1000)
  await scale.staff('complete', (await add()).task_id, { response: {} })
  const record = await find()
  assert.ok(await scale.store.updateRecord({ ...record, body, version: record.version + 1 }))
  const look = await lookInVain(scale)
  assert.match(look.body, /"status":"in_progress"/)
  assert.notEqual(JSON.parse(look.body).callback_task_id, JSON.parse(body).callback_task_id)
  assert.ok(first['completed_at'])
})
