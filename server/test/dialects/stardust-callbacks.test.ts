// What customers of Stardust hear of their tasks: each event's callback with its words and signature, retries and re-sends, and
// the state that they see meanwhile. Operators do what happens, through the native API.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSigned, startStardust, type TaskObject } from './stardust-customer.ts'
import { imageRecord } from './stardust-writing.ts'

type Step = [verb: string, json?: object]
type Seen = { status: number; quality: string | null; told: ('completed' | 'error')[] }

const complete: Step = ['complete', { response: { annotations: [{ key: 'box2d' }] } }]
const audit = (verdict: string, more: object = {}): Step => ['audit', { verdict, ...more }]

// What is done with a new task, and what its customer sees and has heard in the end.
const scenarios: [string, Step[], Seen][] = [
  ['is imported', [], { status: 1, quality: null, told: [] }],
  ['is handed to a worker', [['await']], { status: 2, quality: null, told: [] }],
  ['is begun', [['start']], { status: 3, quality: null, told: [] }],
  ['is suspended', [['start'], ['suspend', { reason: 'lunch' }]], { status: 7, quality: null, told: [] }],
  ['is resumed', [['start'], ['suspend'], ['resume']], { status: 3, quality: null, told: [] }],
  ['is completed', [['start'], complete], { status: 9, quality: null, told: ['completed'] }],
  ['is completed from the start', [complete], { status: 9, quality: null, told: ['completed'] }],
  [
    'cannot be set up',
    [['fail', { error: { message: 'no such camera' }, during: 'setup' }]],
    { status: 6, quality: null, told: ['error'] },
  ],
  [
    'fails',
    [['start'], ['fail', { error: { message: 'blurred' } }]],
    { status: 6, quality: null, told: ['error'] },
  ],
  ['is cancelled', [['cancel', { reason: 'not needed' }]], { status: 10, quality: null, told: ['error'] }],
  ['expires', [['expire']], { status: 10, quality: null, told: ['error'] }],
  [
    'is approved',
    [complete, audit('approved')],
    { status: 9, quality: 'APPROVED', told: ['completed', 'completed'] },
  ],
  [
    'is fixed',
    [complete, audit('fixed', { response: { annotations: [] } })],
    { status: 9, quality: 'FIXED', told: ['completed', 'completed'] },
  ],
  [
    'is rejected',
    [complete, audit('rejected', { comments: 'box missing' })],
    { status: 3, quality: 'REJECTED', told: ['completed', 'completed'] },
  ],
  [
    'is rejected, and then fixed',
    [complete, audit('rejected'), audit('fixed', { response: {} })],
    { status: 9, quality: 'FIXED', told: ['completed', 'completed', 'completed'] },
  ],
  ['is edited', [complete, ['edit', { response: {} }]], { status: 9, quality: null, told: ['completed'] }],
  ['is recalled', [complete, ['recall']], { status: 1, quality: null, told: ['completed'] }],
  [
    'is recalled after its audit, and completed again',
    [complete, audit('approved'), ['recall'], complete],
    { status: 9, quality: null, told: ['completed', 'completed', 'completed'] },
  ],
  [
    'is begun again after an error',
    [['fail', { error: { message: 'x' } }], ['restart'], complete],
    { status: 9, quality: null, told: ['error', 'completed'] },
  ],
]

for (const [what, steps, seen] of scenarios) {
  test(`a task that ${what} is seen and heard of as the contract says`, async (t) => {
    const world = await startStardust(t)
    const { received, receiver_url, key, post, operate, attempted } = world
    const taskId = await world.importRecord(imageRecord('row-7', `${receiver_url}/hook`))
    for (const [verb, json] of steps) {
      assert.equal((await operate('POST', `/v1/tasks/${taskId}/${verb}`, json)).status, 200, verb)
    }
    await attempted(seen.told.length)
    const { data } = await post<TaskObject>('/task/get', { projectId: 3184, taskId })
    assert.deepEqual(
      [data.status, data.qualityStatus, data.auditStatus],
      [seen.status, seen.quality, seen.quality],
    )
    assert.deepEqual(
      received.map(({ body }) => body['status']),
      seen.told,
    )
    for (const callback of received) {
      assertSigned(callback, key)
      const {
        taskId: id,
        status,
        task,
        ...rest
      } = callback.body as unknown as Record<string, unknown> & { task: TaskObject }
      assert.deepEqual(
        [callback.path, id, task.taskId, task.status, rest],
        ['/hook', taskId, taskId, status, {}],
      )
      assert.deepEqual(task.taskParams.record, data.taskParams.record)
    }
    const last = received.at(-1)
    if (last === undefined) return
    assert.equal(data.callback_succeeded, true)
    if (steps.at(-1)?.[0] !== 'audit') return
    assert.equal((last.body['task'] as TaskObject).qualityStatus, seen.quality)
  })
}

test('an error says why, in callbacks and answers alike', async (t) => {
  const { received, receiver_url, post, operate, attempted, importRecord } = await startStardust(t)
  const taskId = await importRecord(imageRecord('row-7', receiver_url))
  await operate('POST', `/v1/tasks/${taskId}/fail`, { error: { message: 'no such camera' }, during: 'setup' })
  await attempted(1)
  const { data } = await post<TaskObject>('/task/get', { projectId: 3184, taskId })
  const told = (received[0]!.body['task'] as TaskObject).errorMessage
  assert.deepEqual([data.errorMessage.message, told.message], ['no such camera', 'no such camera'])
})

test('a callback that fails is made nine times, each signed for its own time, and then has not succeeded', async (t) => {
  const world = await startStardust(t)
  const { received, receiver_url, key, clock, post, operate, answerWith } = world
  const taskId = await world.importRecord(imageRecord('row-7', receiver_url))
  answerWith(500, 410, 404, 302, 500, 500, 500, 500, 500)
  const before = clock.now()
  await operate('POST', `/v1/tasks/${taskId}/complete`, { response: {} })
  const shown = async () => (await post<TaskObject>('/task/get', { projectId: 3184, taskId })).data
  assert.equal('callback_succeeded' in (await shown()), false)
  assert.equal(await world.exhaust(1), 9)
  assert.equal(received.length, 9)
  assert.equal(new Set(received.map(({ headers }) => headers['x-ts'])).size, 9)
  assert.equal(new Set(received.map(({ text }) => text)).size, 1)
  for (const callback of received) assertSigned(callback, key)
  const waits = received.slice(1).map(({ at }, i) => (at - received[i]!.at) / 1000)
  for (const [i, wait] of [30, 90, 270, 810, 2430, 7200, 21_600].entries()) {
    assert.ok(Math.abs(waits[i]! - wait) <= wait * 0.05, `wait ${i + 1}: ${waits[i]} s`)
  }
  assert.ok(received[8]!.at - before <= 86_400_000)
  assert.equal((await shown()).callback_succeeded, false)

  const again = await post(`/task/${taskId}/callback`)
  assert.deepEqual([again.code, again.message, again.data], [200, 'Success', null])
  await world.attempted(10)
  assert.equal(received[9]!.text, received[0]!.text)
  assertSigned(received[9]!, key)
  assert.equal((await shown()).callback_succeeded, true)
})

test('a re-send that fails takes nothing back, and the last event is the one that is sent', async (t) => {
  const world = await startStardust(t)
  const { received, receiver_url, post, operate, answerWith, attempted } = world
  const taskId = await world.importRecord(imageRecord('row-7', receiver_url))
  await operate('POST', `/v1/tasks/${taskId}/complete`, { response: {} })
  await operate('POST', `/v1/tasks/${taskId}/audit`, { verdict: 'approved' })
  await operate('POST', `/v1/tasks/${taskId}/edit`, { response: { annotations: [1] } })
  await attempted(2)
  answerWith(500)
  assert.equal((await post(`/task/${taskId}/callback`)).code, 200)
  await attempted(3)
  assert.equal(received[2]!.text, received[1]!.text)
  const { data } = await post<TaskObject>('/task/get', { projectId: 3184, taskId })
  assert.equal(data.callback_succeeded, true)
  const native = await operate('POST', `/v1/tasks/${taskId}/resend`)
  assert.equal(native.status, 202)
})

const nothing: [string, Step[], string | undefined][] = [
  ['is not done', [], 'http://127.0.0.1:65535/'],
  ['is being worked on again', [complete, ['recall']], 'http://127.0.0.1:65535/'],
  ['has no callback URL', [complete], undefined],
]
for (const [what, steps, url] of nothing) {
  test(`a callback of a task that ${what} cannot be sent again`, async (t) => {
    const { post, operate, importRecord } = await startStardust(t)
    const taskId = await importRecord(imageRecord('row-7', url))
    for (const [verb, json] of steps) await operate('POST', `/v1/tasks/${taskId}/${verb}`, json)
    const { code, success } = await post(`/task/${taskId}/callback`)
    assert.deepEqual([code, success], [400, false])
  })
}

test('during the grace of a rotated secret callbacks are signed with the one that receivers know', async (t) => {
  const { received, receiver_url, key, clock, operate, attempted, ...world } = await startStardust(t)
  const taskId = await world.importRecord(imageRecord('row-7', receiver_url))
  const rotated = await operate('POST', '/v1/project/secrets/rotate', { which: 'signing', grace_s: 60 })
  await operate('POST', `/v1/tasks/${taskId}/complete`, { response: {} })
  await attempted(1)
  assertSigned(received[0]!, key)
  clock.advance(60_000)
  await world.post(`/task/${taskId}/callback`, undefined, { ...key, secret: rotated.body.value })
  await attempted(2)
  assertSigned(received[1]!, { ...key, secret: rotated.body.value })
})

test('a callback is signed in the name of the AccessKey that sent the file', async (t) => {
  const world = await startStardust(t)
  const { received, receiver_url, key, files, post, operate, attempted } = world
  const test_id = (world.credentials as Record<string, string>)['test_key']!
  const other = { ...key, id: test_id }
  const resourceUrl = files.put('/in', JSON.stringify(imageRecord('a', receiver_url)))
  const { data } = await post<{ batchId: string }>('/task/send', { projectId: 1, resourceUrl }, other)
  while ((await post<{ status: number }>('/task/send/status', data, other)).data.status !== 3);
  const list = await post<{ data: { id: string }[] }>('/project/tasks', { projectId: 1 }, other)
  const staff = (world.credentials as Record<string, string>)['test_operator_key']!
  const [task] = list.data.data
  await world.call('POST', `/v1/tasks/${task?.id}/complete`, { key: staff, json: { response: {} } })
  await attempted(1)
  assertSigned(received[0]!, other)
  assert.equal((await operate('GET', `/v1/tasks/${task?.id}`)).status, 404)
})

test('a provider that resolves a task by its one-time URL is answered with the customer’s id and word', async (t) => {
  const { operate, request, importRecord } = await startStardust(t)
  const taskId = await importRecord(imageRecord('row-7'))
  const { body } = await operate('POST', `/v1/tasks/${taskId}/await`)
  const answer = await request('POST', `/v1/callbacks/${body.callback_id}`, { json: { annotations: [] } })
  const { id, status } = answer.body['task'] as Record<string, unknown>
  assert.deepEqual([answer.status, id, status], [200, taskId, 'completed'])
})
