// Signals of AsyncQueue's tasks: who may say how a task ended, how often, and how they are refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../http/start-api.ts'
import { startAsyncqueue } from './asyncqueue-platform.ts'

const gone = { error: 'Invalid or expired signal token' }
const conflict = (word: string) => ({ error: `Task is not in waiting state (current: ${word})` })

/** A platform with a task that waits for a signal, and for its inbound URL. */
async function startWaiting(t: Parameters<typeof startAsyncqueue>[0], json: Record<string, unknown> = {}) {
  const platform = await startAsyncqueue(t)
  const { create, hook, send } = platform
  const created = await create({
    body: '{asyncqueue_callback_url}',
    waitForSignal: true,
    maxWaitTime: 3600,
    onCompleteUrl: hook,
    ...json,
  })
  return {
    ...platform,
    id: created.task.id,
    created,
    signal: (body: unknown, token = created.signalToken) =>
      send(
        'POST',
        `/asyncqueue/v1/signals/${token}`,
        typeof body === 'string' ? { raw: body } : { json: body },
      ),
    callBack: () => send('POST', new URL(String(created.callbackUrl)).pathname, { raw: '"by callback"' }),
  }
}

test('a signal completes its task with any JSON', async (t) => {
  const { id, read, signal, told, until } = await startWaiting(t)
  await until(id, 'waiting')
  const { status, body } = await signal('{"status":"completed", "result": { "n": 1.0 }}')
  const task = await read(id)
  assert.deepEqual([status, body], [200, { task }])
  assert.deepEqual(task.result, { statusCode: 200, headers: {}, body: '{"n":1.0}', duration: 0 })
  assert.deepEqual(
    (await told(1)).map(({ event }) => event),
    ['task.completed'],
  )
  const again = await signal({ status: 'completed' })
  assert.deepEqual([again.status, again.body], [404, gone])
})

test('a signal need not have a result', async (t) => {
  const { id, signal, until } = await startWaiting(t)
  await until(id, 'waiting')
  const { task } = (await signal({ status: 'completed' })).body as unknown as {
    task: Record<string, unknown>
  }
  assert.deepEqual([task['status'], task['result'], task['error']], ['completed', null, null])
})

for (const [json, error] of [
  [{ status: 'failed', error: 'no "image"' }, 'no "image"'],
  [{ status: 'failed', result: 1 }, 'A signal said that the task failed.'],
] as const) {
  test(`a signal fails its task: ${error}`, async (t) => {
    const { id, signal, told, until } = await startWaiting(t)
    await until(id, 'waiting')
    const { body } = await signal(json)
    const { task } = body as unknown as { task: Record<string, unknown> }
    assert.deepEqual([task['status'], task['result'], task['error']], ['failed', null, error])
    assert.deepEqual(
      (await told(1)).map(({ event }) => event),
      ['task.failed'],
    )
    assert.deepEqual((await signal(json)).body, gone)
  })
}

test('of simultaneous signals and callbacks exactly one settles the task', async (t) => {
  const { id, callBack, received, signal, told, until } = await startWaiting(t)
  await until(id, 'waiting')
  const answers = await Promise.all([
    ...Array.from({ length: 4 }, (_, n) => signal({ status: 'completed', result: n })),
    callBack(),
  ])
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  assert.ok(answers.every(({ status }) => [200, 404, 409].includes(status)))
  await told(1)
  assert.equal(received.length, 1)
})

test('what is no token, or a callback id, is refused as an unknown one', async (t) => {
  const { created, id, signal, until } = await startWaiting(t)
  await until(id, 'waiting')
  for (const token of ['x', 'f'.repeat(64), String(created.task.callbackId)]) {
    const { status, body } = await signal({ status: 'completed' }, token)
    assert.deepEqual([status, body], [404, gone], token)
  }
})

test('a bad body does not burn the token', async (t) => {
  const { id, signal, until } = await startWaiting(t)
  await until(id, 'waiting')
  for (const [error, body] of [
    ['Invalid JSON body', '{'],
    ['The body must be a JSON object', '1'],
    ['status is required: completed or failed', ''],
    ['status must be one of completed, failed', { status: 'done' }],
    ['error must be a string', { status: 'failed', error: 7 }],
  ] as const) {
    const answer = await signal(body)
    assert.deepEqual([answer.status, answer.body], [400, { error }])
  }
  assert.equal((await signal({ status: 'completed' })).status, 200)
})

test('a task that is elsewhere refuses a signal with its state, whatever its body is', async (t) => {
  const { ask, id, signal } = await startWaiting(t, { delayUntil: '2031-01-01T00:00:00Z' })
  const refused = await signal('{')
  assert.deepEqual([refused.status, refused.body], [409, conflict('delayed')])
  await ask(200, 'POST', `/v1/tasks/${id}/cancel`)
  assert.deepEqual((await signal({ status: 'completed' })).body, conflict('cancelled'))
})

test('whichever of signal and callback comes first, the other finds the task done', async (t) => {
  const first = await startWaiting(t)
  await first.until(first.id, 'waiting')
  assert.equal((await first.callBack()).status, 200)
  const late = await first.signal({ status: 'failed' })
  assert.deepEqual([late.status, late.body], [409, conflict('completed')])
})

test('a polled task takes a signal, too', async (t) => {
  const platform = await startWaiting(t, {
    pollConfig: {
      urlTemplate: 'https://images.test/{startResult.body.id}',
      statusPath: 'state',
      doneValues: ['ok'],
      failValues: [],
      interval: 300,
    },
  })
  platform.answerCalls({ body: '{"id":7}' })
  await platform.until(platform.id, 'polling')
  assert.equal((await platform.signal({ status: 'completed', result: 'x' })).status, 200)
})

test('a restarted task takes the signal that a used token gives', async (t) => {
  const { id, operate, signal, until } = await startWaiting(t)
  await until(id, 'waiting')
  await signal({ status: 'failed' })
  await operate('POST', `/v1/tasks/${id}/restart`)
  await until(id, 'waiting')
  assert.equal((await signal({ status: 'completed' })).status, 200)
})

test('signals and inbound URLs have one limit for each address', async (t) => {
  const { call, clock } = await startApi(
    t,
    { inbound_rate: { count: 2, window_s: 60 } },
    { dialect: 'asyncqueue' },
  )
  const signal = () => call('POST', '/asyncqueue/v1/signals/x', { key: null, raw: '{' })
  assert.equal((await signal()).status, 404)
  assert.equal((await call('POST', '/v1/callbacks/x', { key: null })).status, 404)
  const limited = await signal()
  assert.deepEqual([limited.status, limited.body], [429, { error: 'Rate limit exceeded' }])
  assert.equal(limited.headers.get('retry-after'), '60')
  assert.equal(limited.headers.get('x-ratelimit-limit'), null)
  clock.time += 60_000
  assert.equal((await signal()).status, 404)
})

test('a team has one limit for all its keys, told in every answer', async (t) => {
  const team_rate = { count: 3, window_s: 60 }
  const { call, clock, credentials, project } = await startApi(t, { team_rate }, { dialect: 'asyncqueue' })
  const { test_key, operator_key } = credentials as unknown as Record<string, string>
  const ask = async (path: string, key: string | undefined, method = 'GET') => {
    const { status, headers, body } = await call(method, `/asyncqueue${path}`, { key: key ?? null })
    const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
      headers.get(`x-ratelimit-${name}`),
    )
    return { status, body, told: [limit, remaining, reset], retry: headers.get('retry-after') }
  }
  const resets = String((clock.time + 60_000) / 1000)
  assert.deepEqual((await ask('/v1/tasks', credentials.live_key)).told, ['3', '2', resets])
  clock.time += 59_000
  const missing = await ask('/v1/tasks/7', test_key)
  assert.deepEqual([missing.status, missing.told], [404, ['3', '1', resets]])
  assert.equal((await ask('/v1/tasks', test_key)).status, 200)
  const limited = await ask('/v1/tasks', test_key)
  assert.deepEqual([limited.status, limited.body], [429, { error: 'Rate limit exceeded' }])
  assert.deepEqual([limited.told, limited.retry], [['3', '0', resets], '1'])
  // Whoever holds a leaked key cannot keep the team from revoking it.
  const keys = await ask(`/teams/${project.id}/apikeys`, operator_key, 'POST')
  assert.deepEqual([keys.status, keys.told], [400, [null, null, null]])
  assert.deepEqual((await ask('/v1/tasks', 'async_x')).told, [null, null, null])
  assert.deepEqual((await ask('/v1/providers', undefined)).told, [null, null, null])
  clock.time += 1000
  assert.equal((await ask('/v1/tasks', credentials.live_key)).status, 200)
})
