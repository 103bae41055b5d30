// Scale's customers and their receivers, as its contract has them: states, callbacks and re-sends, through the whole server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { categorization, startScale, type Shown } from './scale-platform.ts'

type Scale = Awaited<ReturnType<typeof startScale>>

/** What happens to a pending task, what its customer sees then, and what the receiver was told, in order. */
type Story = {
  name: string
  steps: (scale: Scale, task_id: string) => Promise<unknown>
  shown: Partial<Shown>
  told: string[]
}

const completed = (scale: Scale, id: string) =>
  scale.staff('complete', id, { response: { category: 'ripe' } })
const setupError = {
  error: { message: 'Fetch failed', details: { attachments: [{ statusCode: 403, url: 'http://a.test' }] } },
  during: 'setup',
}

const stories: Story[] = [
  { name: 'just created', steps: async () => {}, shown: { status: 'pending' }, told: [] },
  {
    name: 'begun by a worker',
    steps: (scale, id) => scale.staff('start', id),
    shown: { status: 'pending' },
    told: [],
  },
  {
    name: 'completed',
    steps: completed,
    shown: { status: 'completed', response: { category: 'ripe' } },
    told: ['completed'],
  },
  {
    name: 'set up in vain',
    steps: (scale, id) => scale.staff('fail', id, setupError),
    shown: {
      status: 'error',
      response: { error: 'Fetch failed', attachments: [{ statusCode: 403, url: 'http://a.test' }] },
    },
    told: ['error'],
  },
  {
    name: 'failed by its worker',
    steps: (scale, id) => scale.staff('fail', id, { error: { message: 'unreadable' } }),
    shown: { status: 'error', response: { error: 'unreadable' } },
    told: ['error'],
  },
  {
    name: 'expired',
    steps: (scale, id) => scale.staff('expire', id),
    shown: { status: 'error', response: { error: 'The task was not done in time' } },
    told: ['error'],
  },
  {
    name: 'canceled by the customer, twice',
    async steps({ customer }, id) {
      for (const raw of ['', '{"callback_url":null}']) {
        const headers = { 'content-type': 'application/json' }
        const { status, body } = await customer('POST', `/task/${id}/cancel`, undefined, { raw, headers })
        assert.deepEqual([status, body.status], [200, 'canceled'])
      }
    },
    shown: { status: 'canceled' },
    told: [],
  },
  {
    name: 'canceled by the staff',
    steps: (scale, id) => scale.staff('cancel', id),
    shown: { status: 'canceled' },
    told: [],
  },
  {
    name: 'suspended and resumed',
    async steps(scale, id) {
      await scale.staff('suspend', id)
      assert.equal((await scale.get(id)).status, 'pending')
      await scale.staff('resume', id)
    },
    shown: { status: 'pending' },
    told: [],
  },
  {
    name: 'audited as good by the customer',
    async steps(scale, id) {
      await completed(scale, id)
      const json = { accepted: true, comments: null }
      const { status, body } = await scale.customer('POST', `/task/${id}/audit`, json)
      assert.deepEqual([status, body], [200, { success: true }])
    },
    shown: { status: 'completed', customer_review_status: 'accepted' },
    told: ['completed', 'completed accepted/customer'],
  },
  {
    name: 'audited as bad by the customer, and again',
    async steps(scale, id) {
      await completed(scale, id)
      for (let i = 0; i < 2; i++) {
        await scale.customer('POST', `/task/${id}/audit`, { accepted: 'False', comments: 'blurred' })
      }
    },
    shown: { status: 'completed', customer_review_status: 'rejected' },
    told: ['completed', 'completed rejected/customer'],
  },
  {
    name: 'audited in all three ways by the staff',
    async steps(scale, id) {
      await completed(scale, id)
      await scale.staff('audit', id, { verdict: 'approved' })
      await scale.staff('audit', id, { verdict: 'rejected' })
      await scale.staff('audit', id, { verdict: 'fixed', response: { category: 'unripe' } })
    },
    shown: { status: 'completed', response: { category: 'unripe' }, customer_review_status: 'fixed' },
    told: [
      'completed',
      'completed accepted/scale',
      'completed rejected/scale accepted/scale',
      'completed fixed/scale rejected/scale accepted/scale',
    ],
  },
  {
    name: 'edited',
    async steps(scale, id) {
      await completed(scale, id)
      await scale.staff('edit', id, { response: { category: 'unripe' } })
    },
    shown: { status: 'completed', response: { category: 'unripe' } },
    told: ['completed'],
  },
  {
    name: 'recalled',
    async steps(scale, id) {
      await completed(scale, id)
      await scale.staff('recall', id, { reason: 'follow-on work' })
    },
    shown: { status: 'pending' },
    told: ['completed', 'pending'],
  },
  {
    name: 'recalled and completed anew',
    async steps(scale, id) {
      await completed(scale, id)
      await scale.staff('recall', id)
      await completed(scale, id)
    },
    shown: { status: 'completed' },
    told: ['completed', 'pending', 'completed'],
  },
  {
    name: 'failed and restarted',
    async steps(scale, id) {
      await scale.staff('fail', id, { error: { message: 'unreadable' } })
      await scale.staff('restart', id)
    },
    shown: { status: 'pending' },
    told: ['error'],
  },
]

const toldOf = ({ status, audits = [] }: Shown) =>
  [status, ...audits.map(({ audit_result, audit_source }) => `${audit_result}/${audit_source}`)].join(' ')

for (const { name, steps, shown, told } of stories) {
  test(`a task that is ${name} is shown and told so`, async (t) => {
    const scale = await startScale(t)
    const { task_id } = await scale.create({ metadata: { row: 7 } })
    await steps(scale, task_id)
    await scale.attempted(told.length)
    const { body: deliveries } = await scale.operate('GET', `/v1/tasks/${task_id}/deliveries`)
    assert.equal(deliveries.data.length, told.length)
    const task = await scale.get(task_id)
    for (const [field, value] of Object.entries(shown)) assert.deepEqual(task[field], value, field)
    const isDone = task.status === 'completed'
    assert.equal('completed_at' in task, isDone)
    assert.equal('response' in task, isDone || task.status === 'error')
    const bodies = scale.received.map(({ body }) => body as unknown as Shown & { task: Shown })
    assert.deepEqual(
      bodies.map((body) => toldOf(body.task)),
      told,
    )
    for (const body of bodies) {
      assert.deepEqual(Object.keys(body), ['task_id', 'status', 'response', 'task'])
      assert.deepEqual(body.task['metadata'], { row: 7 })
    }
    scale.known()
  })
}

const refusedCalls: [name: string, steps: Story['steps'], path: string, json?: unknown][] = [
  ['cancel of a completed task', completed, '/cancel'],
  ['cancel of an error', (scale, id) => scale.staff('fail', id, setupError), '/cancel'],
  ['audit of a pending task', async () => {}, '/audit', { accepted: true }],
  ['audit of an error', (scale, id) => scale.staff('fail', id, setupError), '/audit', { accepted: true }],
  ['audit without a verdict', completed, '/audit', { comments: 'x' }],
  ['audit with a comment that is no text', completed, '/audit', { accepted: true, comments: {} }],
  ['re-send of a pending task', async () => {}, '/send_callback'],
  ['re-send of a canceled task', (scale, id) => scale.staff('cancel', id), '/send_callback'],
]

for (const [name, steps, path, json] of refusedCalls) {
  test(`${name} is a 400 that says why`, async (t) => {
    const scale = await startScale(t)
    const { task_id } = await scale.create()
    await steps(scale, task_id)
    const { status, body } = await scale.customer('POST', `/task/${task_id}${path}`, json)
    assert.deepEqual([status, body['status_code']], [400, 400])
    assert.match(
      body.error,
      /^A task that is (completed|pending|error|canceled) cannot be|^accepted:|^comments:/,
    )
  })
}

test('a dead receiver gets 21 requests within the day, then callback_succeeded is false', async (t) => {
  const scale = await startScale(t)
  scale.answerWith(...Array.from({ length: 21 }, (_, i) => [500, 410, 302, 404][i % 4] as number))
  const { task_id } = await scale.create()
  await completed(scale, task_id)
  await scale.attempted(1)
  assert.ok(!('callback_succeeded' in (await scale.get(task_id))))
  assert.equal(await scale.exhaust(1), 21)
  const times = scale.received.map(({ at }) => at)
  assert.equal(times.length, 21)
  assert.ok(times.at(-1)! - times[0]! <= 86_400_000)
  assert.ok(Math.abs(times[1]! - times[0]! - 15_000) <= 600)
  const { callback_succeeded, callback_completed, ...task } = await scale.get(task_id)
  assert.deepEqual([callback_succeeded, callback_completed], [false, false])
  assert.ok(!('callback_succeeded_at' in task))
  assert.equal(new Set(scale.received.map(({ text }) => text)).size, 1)
})

test('callback_succeeded follows the latest callback: kept while undecided, mended by a re-send, never undone by one', async (t) => {
  const scale = await startScale(t)
  const { task_id } = await scale.create()
  const succeeded = async () => (await scale.get(task_id))['callback_succeeded']
  const resend = async () => {
    const { status, body } = await scale.customer('POST', `/task/${task_id}/send_callback`)
    assert.deepEqual([status, body], [200, { success: true }])
  }
  await completed(scale, task_id)
  await scale.attempted(1)
  const { callback_succeeded_at } = await scale.get(task_id)
  assert.equal(callback_succeeded_at, new Date(scale.clock.now()).toISOString())
  assert.equal(await succeeded(), true)

  scale.answerWith(...Array.from({ length: 21 }, () => 500))
  await scale.staff('audit', task_id, { verdict: 'rejected' })
  await scale.attempted(2)
  assert.equal(await succeeded(), true)
  const made = await scale.exhaust(2)
  assert.equal(await succeeded(), false)

  await resend()
  await scale.attempted(made + 1)
  assert.equal(await succeeded(), true)
  assert.equal(scale.received.at(-1)!.text, scale.received.at(-2)!.text)

  scale.answerWith(...Array.from({ length: 21 }, () => 500))
  await resend()
  await scale.exhaust(made + 2)
  assert.equal(await succeeded(), true)
})

test('a re-send tells the last callback there was, by the staff, too, and does not tell what was never told', async (t) => {
  const scale = await startScale(t)
  const { task_id } = await scale.create()
  await completed(scale, task_id)
  await scale.staff('edit', task_id, { response: { category: 'unripe' } })
  await scale.attempted(1)
  await scale.customer('POST', `/task/${task_id}/send_callback`)
  await scale.attempted(2)
  const { status } = await scale.operate('POST', `/v1/tasks/${task_id}/resend`)
  assert.equal(status, 202)
  await scale.attempted(3)
  assert.equal(new Set(scale.received.map(({ text }) => text)).size, 1)

  const { task_id: silent } = await scale.create({ callback_url: null })
  await completed(scale, silent)
  const refused = await scale.customer('POST', `/task/${silent}/send_callback`)
  assert.deepEqual([refused.status, refused.body.error], [400, 'This task has no callback_url'])
  assert.ok(!('callback_succeeded' in (await scale.get(silent))))
})

test('events of a task come in their order though the receiver fails in between', async (t) => {
  const scale = await startScale(t)
  scale.answerWith(500, 500)
  const { task_id } = await scale.create()
  await completed(scale, task_id)
  await scale.attempted(1)
  await scale.staff('audit', task_id, { verdict: 'approved' })
  await scale.staff('recall', task_id)
  for (let made = 1; made <= 2; made++) {
    await scale.attempted(made)
    scale.clock.advanceTo(scale.attempts.at(-1)!.settlement.due_at!)
  }
  await scale.attempted(5)
  const told = scale.received.map(({ body }) => toldOf((body as unknown as { task: Shown }).task))
  const approved = 'completed accepted/scale'
  assert.deepEqual(told, ['completed', 'completed', 'completed', approved, 'pending accepted/scale'])
  assert.equal(scale.known().get(task_id)?.status, 'pending')
})

test('a test task is shown pending by its creation and completed at once, with the key of its own mode', async (t) => {
  const scale = await startScale(t)
  const created = await scale.create({}, { mode: 'test' })
  assert.deepEqual([created.status, created['is_test']], ['pending', true])
  assert.ok(!('response' in created))
  const { status, response, is_test } = await scale.get(created.task_id, { mode: 'test' })
  assert.deepEqual([status, response, is_test], ['completed', { category: 'ripe' }, true])
  await scale.attempted(1)
  const [callback] = scale.received
  assert.equal(callback!.headers['scale-callback-auth'], scale.credentials.test_callback_auth_key)
  assert.equal(callback!.body.status, 'completed')
  const canceled = await scale.customer('POST', `/task/${created.task_id}/cancel`, {}, { mode: 'test' })
  assert.equal(canceled.status, 400)
  assert.equal((await scale.customer('GET', `/task/${created.task_id}`)).status, 404)
})

test('a rotated auth key is sent once the grace of the old one is over', async (t) => {
  const scale = await startScale(t)
  const old = scale.credentials.callback_auth_key
  const rotation = await scale.operate('POST', '/v1/project/secrets/rotate', {
    which: 'callback_auth',
    grace_s: 60,
  })
  assert.match(rotation.body.value, /^live_auth_/)
  await completed(scale, (await scale.create()).task_id)
  await scale.attempted(1)
  scale.clock.advance(120_000)
  await completed(scale, (await scale.create()).task_id)
  await scale.attempted(2)
  assert.deepEqual(
    scale.received.map(({ headers }) => headers['scale-callback-auth']),
    [old, rotation.body.value],
  )
})

test('the default callback URL is copied onto a task that names none, and a later one does not change it', async (t) => {
  const scale = await startScale(t)
  const setDefault = (default_callback_url: string) =>
    scale.operate('PATCH', '/v1/project', { default_callback_url })
  await setDefault(`${scale.receiver_url}/default`)
  // What is known of a project is a second old at most.
  scale.clock.advance(1001)
  const { task_id, callback_url } = await scale.create({ callback_url: '' })
  assert.equal(callback_url, `${scale.receiver_url}/default`)
  await setDefault(`${scale.receiver_url}/later`)
  await completed(scale, task_id)
  await scale.attempted(1)
  assert.equal(scale.received[0]!.path, '/default')
})

test('what a customer sends comes out again digit by digit, at the API, in callbacks and for the worker', async (t) => {
  const scale = await startScale(t)
  const big = '{ "n": 1950000000000000001, "x": [1.0, 1E400] }'
  const raw = `{"attachment": "a", "geometries": ${big}, "metadata": ${big}, "callback_url": "${scale.receiver_url}"}`
  const headers = { 'content-type': 'application/json' }
  const { text, body } = await scale.customer('POST', '/task/imageannotation', undefined, { raw, headers })
  const kept = '{"n":1950000000000000001,"x":[1.0,1E400]}'
  assert.ok(text.includes(`"params":{"attachment":"a","geometries":${kept}}`), text)
  assert.ok(text.includes(`"metadata":${kept}`), text)
  const worker = await scale.operate('GET', `/v1/tasks/${String(body['task_id'])}`)
  assert.ok(worker.text.includes(`"geometries":${kept}`))
  await scale.call('POST', `/v1/tasks/${String(body['task_id'])}/complete`, {
    key: scale.credentials.operator_key,
    raw: `{"response": ${big}}`,
  })
  await scale.attempted(1)
  assert.ok(scale.received[0]!.text.includes(`"response":${kept},"task"`))
})

test('the staff find a task by its Scale id, and its instruction among the params', async (t) => {
  const scale = await startScale(t)
  const { task_id } = await scale.create()
  const { body } = await scale.operate('GET', `/v1/tasks/${task_id}`)
  const { callback_url: _, ...params } = { ...categorization, allow_multiple: false, callback_url: 0 }
  assert.deepEqual([body['external_id'], body['params']], [task_id, params])
})
