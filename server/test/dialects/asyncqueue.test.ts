// What becomes of AsyncQueue's tasks on a whole platform: what is called, when again, what it means, and what the completion webhook
// says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startAsyncqueue } from './asyncqueue-platform.ts'

test('a task calls its target as it was told to, and tells of the answer', async (t) => {
  const { answerCalls, assertSigned, called, create, done, hook, told } = await startAsyncqueue(t)
  answerCalls({ status: 201, headers: { 'X-Kind': 'a' }, body: '{ "n": 1950000000000000001 }' })
  const body = '{"prompt":"ein rötes Kite"}'
  const { task } = await create({ method: 'PUT', headers: { 'X-Demo': '1' }, body, onCompleteUrl: hook })
  assert.equal(task.status, 'pending')
  const call = await called(1)
  assert.deepEqual([call.method, call.path, call.text], ['PUT', '/run', body])
  assert.equal(call.headers['x-demo'], '1')
  assertSigned(call)
  const completed = await done(task.id)
  assert.equal(completed.status, 'completed')
  assert.deepEqual(completed.result, {
    statusCode: 201,
    headers: { ...completed.result?.headers, 'x-kind': 'a' },
    body: '{ "n": 1950000000000000001 }',
    duration: completed.result?.duration,
  })
  const { id, status, result, error, retryCount, createdAt, completedAt } = completed
  assert.deepEqual(await told(1), [
    {
      event: 'task.completed',
      task: { id, status, result, error, retryCount, createdAt, completedAt },
    },
  ])
  assert.deepEqual([error, retryCount], [null, 0])
})

const waits: [title: string, json: Record<string, unknown>, waits_ms: (number | null)[]][] = [
  ['exponentially, three times unless told', {}, [1000, 2000, 4000, null]],
  ['linearly', { retryBackoff: 'linear', maxRetries: 4 }, [1000, 2000, 3000, 4000, null]],
  ['never', { maxRetries: 0 }, [null]],
]
for (const [title, json, planned] of waits) {
  test(`a call that is not answered well is made again ${title}`, async (t) => {
    const { answerCalls, called, calls, create, done, dueAfter, hook, read, told } = await startAsyncqueue(t)
    answerCalls({ status: 500 }, { status: 502 }, { status: 503 }, { status: 502 }, { status: 500 })
    const { task } = await create({ ...json, onCompleteUrl: hook })
    for (const [index, wait_ms] of planned.entries()) {
      const { at } = await called(index + 1)
      const due_at = await dueAfter(index + 1)
      assert.equal(due_at === null ? null : due_at - at, wait_ms)
      const { status, retryCount } = await read(task.id)
      assert.deepEqual([status, retryCount], [wait_ms === null ? 'failed' : 'pending', index])
      assert.ok(index === 0 || at >= (calls[index - 1]?.at ?? 0) + Number(planned[index - 1]))
    }
    const failed = await done(task.id)
    assert.deepEqual([failed.retryCount, failed.result], [planned.length - 1, null])
    assert.match(String(failed.error), /^Server error: HTTP 50[02] - /)
    const [webhook] = await told(1)
    assert.deepEqual([webhook?.event, webhook?.task.error], ['task.failed', failed.error])
    assert.equal(calls.length, planned.length)
  })
}

test('a target that cannot be reached is called again, and named in the end', async (t) => {
  const { create, done } = await startAsyncqueue(t)
  const { task } = await create({ targetUrl: 'http://127.0.0.1:65535/', maxRetries: 1 })
  const { status, retryCount, result, error } = await done(task.id)
  assert.deepEqual([status, retryCount, result], ['failed', 1, null])
  assert.ok(error)
})

test('after a good retry a task tells how many there were', async (t) => {
  const { answerCalls, create, done } = await startAsyncqueue(t)
  answerCalls({ status: 500 }, { status: 200, body: 'ok' })
  const { status, retryCount, result, error } = await done((await create()).task.id)
  assert.deepEqual([status, retryCount, result?.body, error], ['completed', 1, 'ok', null])
})

const polled = {
  urlTemplate: '{startResult.body.status_url}',
  statusPath: 'state',
  doneValues: ['ok'],
  failValues: ['bad'],
}
const verdicts: [status: number, json: Record<string, unknown>, becomes: string, error: string | null][] = [
  [204, {}, 'completed', null],
  [304, {}, 'completed', null],
  [404, {}, 'completed', null],
  [429, {}, 'completed', null],
  [422, { waitForSignal: true }, 'failed', 'Client error: HTTP 422 - Unprocessable Entity'],
  [404, { pollConfig: polled }, 'failed', 'Client error: HTTP 404 - Not Found'],
  [200, { waitForSignal: true }, 'waiting', null],
]
for (const [status, json, becomes, error] of verdicts) {
  test(`an answer ${status} to ${JSON.stringify(Object.keys(json))} makes it ${becomes}, at once`, async (t) => {
    const { answerCalls, calls, create, until } = await startAsyncqueue(t)
    answerCalls({ status })
    const task = await until((await create(json)).task.id, becomes)
    assert.equal(task.error, error)
    assert.equal(task.result?.statusCode, becomes === 'completed' ? status : undefined)
    assert.equal(calls.length, 1)
  })
}

test('a GET has no body, and a DELETE may have one', async (t) => {
  const { assertSigned, called, create } = await startAsyncqueue(t)
  await create({ method: 'GET', body: 'x' })
  const get = await called(1)
  assertSigned(get)
  await create({ method: 'DELETE', body: 'x' })
  assert.deepEqual([get.text, (await called(2)).text], ['', 'x'])
})

test('a delayed task is called when its time has come, and can be cancelled until then', async (t) => {
  const { ask, called, calls, clock, create, done, request } = await startAsyncqueue(t)
  const time_ms = clock.now() + 60_000
  const delayUntil = new Date(time_ms).toISOString()
  const { task } = await create({ delayUntil })
  const other = await create({ delayUntil })
  const cancelled = await ask(200, 'POST', `/v1/tasks/${other.task.id}/cancel`)
  assert.deepEqual([task.status, cancelled.task.status], ['delayed', 'cancelled'])
  clock.advanceTo(time_ms - 1)
  assert.equal(calls.length, 0)
  assert.ok((await called(1)).at >= time_ms)
  assert.equal((await done(task.id)).status, 'completed')
  for (const [id, word] of [
    [task.id, 'completed'],
    [other.task.id, 'cancelled'],
  ]) {
    const { status, body } = await request('POST', `/v1/tasks/${id}/cancel`)
    assert.deepEqual([status, body], [409, { error: `Task cannot be cancelled (current: ${word})` }])
  }
  assert.equal(calls.length, 1)
})

test('a restart keeps to the time before which nothing is called', async (t) => {
  const { ask, called, clock, create, operate, read } = await startAsyncqueue(t)
  const time_ms = clock.now() + 60_000
  const { task } = await create({ delayUntil: new Date(time_ms).toISOString() })
  await ask(200, 'POST', `/v1/tasks/${task.id}/cancel`)
  assert.equal((await operate('POST', `/v1/tasks/${task.id}/restart`)).status, 200)
  const listed = await ask<{ tasks: { id: string }[] }>(200, 'GET', '/v1/tasks?status=delayed')
  assert.deepEqual([listed.tasks.length, (await read(task.id)).status], [1, 'delayed'])
  clock.advanceTo(time_ms - 1)
  assert.ok((await called(1)).at >= time_ms)
})

test('a task that is halted shows the state that it will go on from', async (t) => {
  const { ask, create, operate, read, until } = await startAsyncqueue(t)
  const { task } = await create({ waitForSignal: true, maxWaitTime: 3600 })
  await until(task.id, 'waiting')
  await operate('POST', `/v1/tasks/${task.id}/suspend`)
  assert.equal((await read(task.id)).status, 'waiting')
  const listed = await ask<{ tasks: { id: string }[] }>(200, 'GET', '/v1/tasks?status=waiting')
  assert.equal(listed.tasks.length, 1)
})

test('a long poll is answered by the next change of state, whichever it is', async (t) => {
  const { answerCalls, ask, called, clock, create, done } = await startAsyncqueue(t)
  const { promise, resolve } = Promise.withResolvers<{ body: string }>()
  answerCalls(() => promise)
  const { task } = await create()
  await called(1)
  const waiting = ask(200, 'GET', `/v1/tasks/${task.id}?wait=100`)
  resolve({ body: 'x' })
  assert.equal((await clock.advanceUntil(waiting)).task.status, 'completed')
  assert.equal((await ask(200, 'GET', `/v1/tasks/${task.id}?wait=0`)).task.status, 'completed')
  assert.equal((await done(task.id)).result?.body, 'x')
})

test('a provider that knows the placeholder calls back: from its URL, its body or a header', async (t) => {
  const { called, create, done, hook, send, told, target_url, until } = await startAsyncqueue(t)
  const placeholder = '{asyncqueue_callback_url}'
  const { task, callbackUrl } = await create({
    targetUrl: `${target_url}?hook=${placeholder}&again=${placeholder}`,
    headers: { 'X-Hook': placeholder },
    body: `{"hook":"${placeholder}"}`,
    waitForSignal: true,
    maxWaitTime: 3600,
    onCompleteUrl: hook,
  })
  const call = await called(1)
  assert.equal(call.path, `/run?hook=${callbackUrl}&again=${callbackUrl}`)
  assert.deepEqual([call.headers['x-hook'], call.text], [callbackUrl, `{"hook":"${callbackUrl}"}`])
  await until(task.id, 'waiting')
  const path = new URL(String(callbackUrl)).pathname
  const raw = '{ "job": "j-7",\n "n": 1.0 }'
  const { status, body } = await send('POST', `/asyncqueue${path}`, { raw })
  const completed = await done(task.id)
  const { id, result, createdAt, completedAt } = completed
  assert.equal(status, 200)
  assert.deepEqual(body, { task: { id, status: 'completed', result, createdAt, completedAt } })
  assert.deepEqual(result, { statusCode: 200, headers: {}, body: '{"job":"j-7","n":1.0}', duration: 0 })
  const [webhook] = await told(1)
  assert.deepEqual([webhook?.event, webhook?.task.result], ['task.completed', result])
  assert.equal((await send('POST', path, { raw })).status, 404)
})

test('a callback that comes too early or too late is told the state in the words of the dialect', async (t) => {
  const { ask, create, send } = await startAsyncqueue(t)
  const { task, callbackUrl } = await create({
    body: '{asyncqueue_callback_url}',
    delayUntil: '2031-01-01T00:00:00Z',
  })
  const post = () => send('POST', `/asyncqueue${new URL(String(callbackUrl)).pathname}`, { raw: '1' })
  const refused = (word: string) => ({ error: `Task is not in waiting/polling state (current: ${word})` })
  assert.deepEqual((await post()).body, refused('delayed'))
  await ask(200, 'POST', `/v1/tasks/${task.id}/cancel`)
  assert.deepEqual((await post()).body, refused('cancelled'))
})

test('a polled task asks until it is done, with its headers, and tells the value at the path', async (t) => {
  const { answerCalls, called, create, done, hook, target_url, told } = await startAsyncqueue(t)
  const status_url = new URL('/status/7', target_url).href
  answerCalls(
    { status: 201, body: JSON.stringify({ status_url }) },
    { body: '{"state":"busy"}' },
    { status: 500 },
    { status: 202, headers: { 'X-Kind': 'last' }, body: '{"state":"ok","output":{"n":1950000000000000001}}' },
  )
  const { task } = await create({
    headers: { Authorization: 'Key abc' },
    pollConfig: { ...polled, interval: 1, resultPath: 'output' },
    onCompleteUrl: hook,
  })
  await called(1)
  const first = await called(2)
  assert.deepEqual([first.method, first.path, first.headers.authorization], ['GET', '/status/7', 'Key abc'])
  const completed = await done(task.id)
  assert.equal(completed.status, 'completed')
  assert.deepEqual([completed.result?.statusCode, completed.result?.headers['x-kind']], [202, 'last'])
  assert.equal(completed.result?.body, '{"n":1950000000000000001}')
  const duration = completed.result?.duration ?? 0
  assert.ok(duration >= 3000, `${duration}`)
  assert.deepEqual((await told(1))[0]?.task.result, completed.result)
})

test('a polled task fails with the words of its provider', async (t) => {
  const { answerCalls, create, done, target_url } = await startAsyncqueue(t)
  answerCalls(
    { body: JSON.stringify({ status_url: target_url }) },
    { body: '{"state":"bad","why":"No such image."}' },
  )
  const { task } = await create({ pollConfig: { ...polled, interval: 1, errorPath: 'why' } })
  const { status, error } = await done(task.id)
  assert.deepEqual([status, error], ['failed', 'No such image.'])
})

test('nobody says a thing until the time is over: timeout, from the moment that it waits', async (t) => {
  const { called, clock, create, done, hook, send, told, until } = await startAsyncqueue(t)
  const { task, callbackUrl, signalToken } = await create({
    body: '{asyncqueue_callback_url}',
    waitForSignal: true,
    maxWaitTime: 600,
    onCompleteUrl: hook,
  })
  const { at } = await called(1)
  await until(task.id, 'waiting')
  clock.advanceTo(at + 599_000)
  assert.equal((await until(task.id, 'waiting')).status, 'waiting')
  clock.advanceTo(at + 601_000)
  const { status, result, error } = await done(task.id)
  assert.deepEqual([status, result, error], ['timeout', null, null])
  const [webhook] = await told(1)
  assert.deepEqual([webhook?.event, webhook?.task.status], ['task.timeout', 'timeout'])
  const late = await send('POST', new URL(String(callbackUrl)).pathname, { raw: '1' })
  assert.deepEqual([late.status, late.body], [404, { error: 'Invalid or expired callback ID' }])
  const signal = await send('POST', `/asyncqueue/v1/signals/${signalToken}`, {
    json: { status: 'completed' },
  })
  assert.deepEqual([signal.status, signal.body], [404, { error: 'Invalid or expired signal token' }])
})

test('the staff complete, rewrite and take back what their customers see', async (t) => {
  const { answerCalls, create, done, operate, read, received, hook, told } = await startAsyncqueue(t)
  answerCalls({ status: 201, body: 'by call' })
  const { task } = await create({ onCompleteUrl: hook })
  await done(task.id)
  const verb = async (name: string, json?: unknown) => {
    const { status, text } = await operate('POST', `/v1/tasks/${task.id}/${name}`, json)
    assert.equal(status, 200, text)
    return read(task.id)
  }
  assert.equal((await verb('audit', { verdict: 'fixed' })).result?.body, 'by call')
  const own = (body: string) => ({ statusCode: 200, headers: {}, body, duration: 0 })
  assert.deepEqual((await verb('edit', { response: { a: 1 } })).result, own('{"a":1}'))
  assert.deepEqual((await verb('audit', { verdict: 'fixed', response: [2] })).result, own('[2]'))
  const { status, result, startedAt, retryCount } = await verb('recall')
  assert.deepEqual([status, result, startedAt, retryCount], ['pending', null, null, 0])
  const failed = await verb('fail', { error: { message: 'no "image"' }, during: 'setup' })
  assert.deepEqual([failed.status, failed.error], ['failed', 'no "image"'])
  assert.deepEqual(
    (await told(2)).map(({ event }) => event),
    ['task.completed', 'task.failed'],
  )
  assert.equal(received.length, 2)
})

test('a project’s own deadline ends neither a delay nor a wait', async (t) => {
  const { clock, create, called, until, read, operate } = await startAsyncqueue(t)
  await operate('PATCH', '/v1/project', { expires_in_s: 2 })
  // What is known of a project is known for a second.
  clock.advance(1000)
  const delayUntil = new Date(clock.now() + 4000).toISOString()
  const { task } = await create({ delayUntil, waitForSignal: true, maxWaitTime: 60 })
  await called(1)
  const waiting = await until(task.id, 'waiting')
  clock.advance(30_000)
  assert.equal((await read(waiting.id)).status, 'waiting')
})

test('a redirect that leaves the body out is signed as one without a body', async (t) => {
  const { answerCalls, assertSigned, calls, create, done, target_url } = await startAsyncqueue(t)
  answerCalls({ status: 303, headers: { location: new URL('/seen', target_url).href } }, { status: 200 })
  const { task } = await create({ body: 'a red kite', headers: { 'x-key': 'k' } })
  assert.equal((await done(task.id)).status, 'completed')
  const [first, second] = calls
  assert.deepEqual([first?.method, first?.text], ['POST', 'a red kite'])
  assert.deepEqual(
    [second?.method, second?.text, second?.headers['x-key'], second?.headers['content-type']],
    ['GET', '', 'k', undefined],
  )
  for (const call of calls) assertSigned(call)
})
