// What super.AI's receivers are told, on a whole platform: of every state, edit and verdict, in order, signed, and as often as it
// takes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSuperai } from './superai-platform.ts'

const error = { error: { message: 'no' } }

type Row = {
  title: string
  /** Verbs of the native API with their bodies, or of the customer (`PATCH …`, `POST …`). */
  steps: [verb: string, json?: unknown][]
  states: string[]
  told: string[]
}

const review = (json: unknown): [string, unknown] => ['PATCH review', json]

const rows: Row[] = [
  {
    title: 'is scheduled, in progress whatever is waited for, and told of once it is COMPLETED',
    steps: [['start'], ['await'], ['complete', { response: {} }]],
    states: ['IN_PROGRESS', 'IN_PROGRESS', 'COMPLETED'],
    told: ['COMPLETED RESOLVED'],
  },
  { title: 'fails', steps: [['fail', error]], states: ['FAILED'], told: ['FAILED RESOLVED'] },
  {
    title: 'fails while it is set up',
    steps: [['fail', { ...error, during: 'setup' }]],
    states: ['FAILED'],
    told: ['FAILED RESOLVED'],
  },
  {
    title: 'is cancelled by its customer',
    steps: [['POST cancel']],
    states: ['CANCELED'],
    told: ['CANCELED RESOLVED'],
  },
  {
    title: 'is cancelled by the staff',
    steps: [['cancel', { reason: 'why' }]],
    states: ['CANCELED'],
    told: ['CANCELED RESOLVED'],
  },
  { title: 'expires', steps: [['expire']], states: ['EXPIRED'], told: ['EXPIRED RESOLVED'] },
  {
    title: 'is suspended and cancelled',
    steps: [['suspend'], ['POST cancel']],
    states: ['SUSPENDED', 'CANCELED'],
    told: ['SUSPENDED RESOLVED', 'CANCELED RESOLVED'],
  },
  {
    title: 'is suspended, resumed and completed: RESOLVED twice',
    steps: [['start'], ['suspend'], ['resume'], ['complete', { response: {} }]],
    states: ['IN_PROGRESS', 'SUSPENDED', 'IN_PROGRESS', 'COMPLETED'],
    told: ['SUSPENDED RESOLVED', 'COMPLETED RESOLVED'],
  },
  {
    title: 'is suspended and fails or expires',
    steps: [['suspend'], ['fail', error], ['POST restart'], ['suspend'], ['expire']],
    states: ['SUSPENDED', 'FAILED', 'SCHEDULED', 'SUSPENDED', 'EXPIRED'],
    told: ['SUSPENDED RESOLVED', 'FAILED RESOLVED', 'SUSPENDED RESOLVED', 'EXPIRED RESOLVED'],
  },
  {
    title: 'is restarted by its customer after each way to end without an output',
    steps: [
      ['fail', error],
      ['POST restart'],
      ['POST cancel'],
      ['POST restart'],
      ['expire'],
      ['POST restart'],
      ['complete', { response: {} }],
    ],
    states: ['FAILED', 'SCHEDULED', 'CANCELED', 'SCHEDULED', 'EXPIRED', 'SCHEDULED', 'COMPLETED'],
    told: ['FAILED RESOLVED', 'CANCELED RESOLVED', 'EXPIRED RESOLVED', 'COMPLETED RESOLVED'],
  },
  {
    title: 'is edited twice: EDITED twice',
    steps: [['complete', { response: {} }], review({ response: { a: 1 } }), review({ response: { a: 2 } })],
    states: ['COMPLETED', 'COMPLETED', 'COMPLETED'],
    told: ['COMPLETED RESOLVED', 'COMPLETED EDITED', 'COMPLETED EDITED'],
  },
  {
    title: 'is accepted, declined and accepted again',
    steps: [
      ['complete', { response: {} }],
      review({ correct: true }),
      review({ correct: false }),
      review({ correct: true }),
    ],
    states: ['COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED'],
    told: ['COMPLETED RESOLVED', 'COMPLETED ACCEPTED', 'COMPLETED DECLINED', 'COMPLETED ACCEPTED'],
  },
  {
    title: 'is edited and judged at once: two callbacks',
    steps: [['complete', { response: {} }], review({ response: { a: 1 }, correct: false })],
    states: ['COMPLETED', 'COMPLETED'],
    told: ['COMPLETED RESOLVED', 'COMPLETED EDITED', 'COMPLETED DECLINED'],
  },
  {
    title: 'is reviewed without any change: no callback',
    steps: [
      ['complete', { response: { a: 'é', n: 1.5 } }],
      review({ response: { a: 'é', n: 1.5 } }),
      review({ correct: true }),
      review({ response: { a: 'é', n: 1.5 }, correct: true }),
      review({ response: { a: 'é', n: 2.5 }, correct: true }),
    ],
    states: ['COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED'],
    told: ['COMPLETED RESOLVED', 'COMPLETED ACCEPTED', 'COMPLETED EDITED'],
  },
  {
    title: 'is edited and audited by the staff, with each verdict',
    steps: [
      ['complete', { response: {} }],
      ['edit', { response: { a: 1 } }],
      ['audit', { verdict: 'approved' }],
      ['audit', { verdict: 'rejected', comments: 'no' }],
      ['audit', { verdict: 'fixed', response: { a: 2 } }],
    ],
    states: ['COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED', 'COMPLETED'],
    told: [
      'COMPLETED RESOLVED',
      'COMPLETED EDITED',
      'COMPLETED ACCEPTED',
      'COMPLETED DECLINED',
      'COMPLETED EDITED',
    ],
  },
  {
    title: 'is recalled, of which nobody is told, and completed again',
    steps: [['complete', { response: {} }], ['recall'], ['complete', { response: {} }]],
    states: ['COMPLETED', 'SCHEDULED', 'COMPLETED'],
    told: ['COMPLETED RESOLVED', 'COMPLETED RESOLVED'],
  },
]

for (const { title, steps, states, told } of rows) {
  test(`A job ${title}`, async (t) => {
    const platform = await startSuperai(t)
    const { uuid } = await platform.create()
    assert.equal((await platform.job(uuid)).status, 'SCHEDULED')
    const seen: string[] = []
    for (const [step, json] of steps) {
      const [method, verb] = step.includes(' ') ? step.split(' ') : [undefined, step]
      if (method === undefined) await platform.operator(uuid, verb, json)
      else await platform.ask(method, `/jobs/${uuid}/${verb}`, json)
      const job = await platform.job(uuid)
      seen.push(job.status)
      const isOver = ['COMPLETED', 'FAILED', 'CANCELED', 'EXPIRED'].includes(job.status)
      assert.equal(job.completed !== null, isOver, `${job.status} at ${job.completed}`)
    }
    assert.deepEqual(seen, states)
    assert.deepEqual(await platform.told(told.length), told)
    const job = await platform.job(uuid)
    for (const callback of platform.received.map(platform.checked)) {
      assert.deepEqual(Object.keys(callback), ['action', 'id', 'state', 'uuid'])
      assert.deepEqual([callback.id, callback.uuid], [job.id, uuid])
    }
  })
}

test('A parked job is PENDING until the staff resumes it, and can be cancelled', async (t) => {
  const { create, job, operator, ask, told } = await startSuperai(t)
  const { uuid } = await create({ pending: true })
  assert.equal((await job(uuid)).status, 'PENDING')
  await operator(uuid, 'resume')
  assert.equal((await job(uuid)).status, 'SCHEDULED')
  await operator(uuid, 'suspend')
  assert.equal((await job(uuid)).status, 'SUSPENDED')
  const other = await create({ pending: true })
  assert.equal((await ask('POST', `/jobs/${other.uuid}/cancel`)).status, 'CANCELED')
  assert.equal((await ask('POST', `/jobs/${other.uuid}/restart`)).status, 'SCHEDULED')
  assert.deepEqual(await told(2), ['SUSPENDED RESOLVED', 'CANCELED RESOLVED'])
})

test('A job that nobody settles in time expires, and its customer is told', async (t) => {
  const platform = await startSuperai(t)
  await platform.operate('PATCH', '/v1/project', { expires_in_s: 60 })
  platform.directory.forget()
  const { uuid } = await platform.create()
  platform.clock.advance(60_000)
  assert.equal((await platform.request('POST', `/jobs/${uuid}/cancel`)).status, 409)
  assert.deepEqual(await platform.told(1), ['EXPIRED RESOLVED'])
})

test('Callbacks stay in order while the receiver fails in between', async (t) => {
  const { create, operator, ask, told, answerWith, attempts, attempted, clock, received } =
    await startSuperai(t)
  answerWith(500, 503)
  const { uuid } = await create()
  await operator(uuid, 'suspend')
  await attempted(1)
  await operator(uuid, 'resume')
  await operator(uuid, 'complete', { response: {} })
  await ask('PATCH', `/jobs/${uuid}/review`, { response: { a: 1 }, correct: true })
  await ask('PATCH', `/jobs/${uuid}/review`, { response: { a: 2 } })
  for (const made of [1, 2]) {
    await attempted(made)
    clock.advanceTo(attempts.at(-1)!.settlement.due_at!)
  }
  assert.deepEqual(await told(7), [
    'SUSPENDED RESOLVED',
    'SUSPENDED RESOLVED',
    'SUSPENDED RESOLVED',
    'COMPLETED RESOLVED',
    'COMPLETED EDITED',
    'COMPLETED ACCEPTED',
    'COMPLETED EDITED',
  ])
  // The same body, and yet two edits: only the header tells them apart.
  const [edit, again] = received.filter(({ text }) => text.includes('EDITED'))
  assert.equal(edit!.text, again!.text)
  assert.notEqual(edit!.headers['webhook-id'], again!.headers['webhook-id'])
  assert.equal(new Set(received.slice(0, 3).map(({ headers }) => headers['webhook-id'])).size, 1)
})

test('A receiver that never takes it is asked 21 times within 24 hours, with any answer but a 2xx', async (t) => {
  const { create, operator, operate, answerWith, exhaust, received } = await startSuperai(t)
  answerWith(410, 302, 404, ...Array.from({ length: 30 }, () => 500))
  const { uuid } = await create()
  await operator(uuid, 'complete', { response: {} })
  assert.equal(await exhaust(1), 21)
  assert.equal(received.length, 21)
  assert.equal(new Set(received.map(({ text }) => text)).size, 1)
  const span_ms = received.at(-1)!.at - received[0]!.at
  assert.ok(span_ms > 0.9 * 86_400_000 && span_ms < 86_400_000, String(span_ms))
  const { body } = await operate('GET', `/v1/tasks/${uuid}`)
  assert.equal(body['callback_succeeded'], false)
})

test('The staff sends a callback again: the same bytes and event, signed anew and marked', async (t) => {
  const { create, operator, operate, told, received, checked } = await startSuperai(t)
  const { uuid } = await create()
  await operator(uuid, 'complete', { response: {} })
  await told(1)
  // Of a recall nobody was told, so the last callback is still that of the end.
  await operator(uuid, 'recall')
  assert.equal((await operate('POST', `/v1/tasks/${uuid}/resend`)).status, 202)
  await told(2)
  const [first, again] = received
  assert.equal(first!.text, again!.text)
  assert.deepEqual(checked(first!), checked(again!))
  assert.equal(first!.headers['webhook-id'], again!.headers['webhook-id'])
  assert.deepEqual([first!.headers['ringback-resend'], again!.headers['ringback-resend']], [undefined, '1'])
})

test('A callback goes to the URL of its job, and to that of its project when it has none', async (t) => {
  const { create, operator, operate, received, receiver_url, directory, told } = await startSuperai(t)
  await operate('PATCH', '/v1/project', { default_callback_url: `${receiver_url}/project` })
  directory.forget()
  const own = await create()
  const none = await create({ callbackUrl: null })
  await operator(own.uuid, 'complete', { response: {} })
  await told(1)
  await operator(none.uuid, 'complete', { response: {} })
  await told(2)
  assert.deepEqual(
    received.map(({ path }) => path),
    ['/hook/', '/project'],
  )
})

test('A rotated key signs once its predecessor’s grace is over', async (t) => {
  const { create, operator, operate, told, received, checked, clock } = await startSuperai(t)
  await operate('POST', '/v1/project/secrets/rotate', { which: 'signing', grace_s: 60 })
  const { uuid } = await create()
  await operator(uuid, 'suspend')
  await told(1)
  checked(received[0]!)
  clock.advance(61_000)
  await operator(uuid, 'resume')
  await operator(uuid, 'complete', { response: {} })
  await told(2)
  assert.throws(() => checked(received[1]!))
})
