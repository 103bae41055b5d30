import assert from 'node:assert/strict'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { startApi, type Row } from './start-api.ts'

const gone = { error: 'Invalid or expired callback ID' }

test('whoever knows the callback id resolves the task, once', async (t) => {
  const { call, createTask } = await startApi(t)
  const { id, callback_id } = await createTask()
  const path = `/v1/callbacks/${callback_id}`
  const raw = '{ "job": "j 7",\n "n": 1.0, "big": 1950000000000000001 }'
  const headers = { 'content-type': 'nonsense', 'x-api-key': 'secret', 'x-kept': 'yes' }
  const { status, body } = await call('POST', path, { raw, headers })
  assert.equal(status, 200)
  assert.deepEqual(body, {
    task: {
      id,
      status: 'completed',
      result: {
        statusCode: 200,
        headers: {},
        body: '{"job":"j 7","n":1.0,"big":1950000000000000001}',
        duration: 0,
      },
      createdAt: '2030-01-01T00:00:00.000Z',
      completedAt: '2030-01-01T00:00:00.000Z',
    },
  })
  assert.match(
    (await call('GET', `/v1/tasks/${id}`)).text,
    /"response":\{"job":"j 7","n":1\.0,"big":1950000000000000001\}/,
  )
  const again = await call('POST', path, { json: 1 })
  assert.deepEqual([again.status, again.body], [404, gone])

  const { data } = (await call('GET', `/v1/tasks/${id}/arrivals`)).body
  assert.deepEqual(
    data.map(({ verdict, body }: Row) => [verdict, body]),
    [
      ['resolved', raw],
      ['repeated', '1'],
    ],
  )
  assert.equal(data[0]!.headers['x-kept'], 'yes')
  assert.equal(data[0]!.headers['content-type'], 'nonsense')
  assert.equal(data[0]!.headers['x-api-key'], undefined)
  assert.equal(data[0]!.headers.authorization, undefined)
  assert.equal(data[0]!.remote_address, '127.0.0.1')
})

test('of simultaneous calls exactly one resolves the task', async (t) => {
  const { call, createTask } = await startApi(t)
  const { id, callback_id } = await createTask({ callback_url: 'https://receiver.test/' })
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      call('POST', `/asyncqueue/v1/callbacks/${callback_id}`, { json: i, key: null }),
    ),
  )
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  assert.equal(answers.filter(({ status }) => status === 404).length, 7)
  assert.equal((await call('GET', `/v1/tasks/${id}/events`)).body.data.length, 1)
})

test('a body that is not JSON leaves the id usable', async (t) => {
  const { call, createTask } = await startApi(t)
  const { id, callback_id } = await createTask()
  const path = `/v1/callbacks/${callback_id}`
  for (const raw of ['', '{', 'a=b']) {
    const { status, body } = await call('POST', path, { raw })
    assert.deepEqual([status, body], [400, { error: 'Invalid JSON body' }], raw)
  }
  const large = await call('POST', path, { raw: `"${'x'.repeat(10_000)}"` })
  assert.equal(large.status, 413)
  assert.match(large.body.error, /10000 bytes/)
  assert.equal((await call('POST', path, { raw: '\ufeffnull' })).status, 200)
  const { data } = (await call('GET', `/v1/tasks/${id}/arrivals`)).body
  assert.deepEqual(
    data.map(({ verdict }: Row) => verdict),
    ['invalid', 'invalid', 'invalid', 'invalid', 'resolved'],
  )
})

test('a chunked body without a content type is read as well as any other', async (t) => {
  const { createTask, port } = await startApi(t)
  const { callback_id } = await createTask()
  const { promise, resolve } = Promise.withResolvers<IncomingMessage>()
  const call = request({ port, method: 'POST', path: `/v1/callbacks/${callback_id}` }, resolve)
  call.write('{"a":')
  call.end('1}')
  const response = await promise
  assert.equal(response.statusCode, 200)
  assert.match(await text(response), /"body":"\{\\"a\\":1\}"/)
})

test('an id that is unknown, malformed, replaced or expired is gone', async (t) => {
  const { call, clock, createTask } = await startApi(t)
  for (const id of ['x', 'f'.repeat(64), 'f'.repeat(400), '%ff']) {
    const { status, body } = await call('POST', `/v1/callbacks/${id}`, { json: 1 })
    assert.deepEqual([status, body], [404, gone])
  }
  const replaced = await createTask({ expires_in_s: 5 })
  const fresh = (await call('POST', `/v1/tasks/${replaced.id}/await`)).body
  clock.time += 5000
  for (const callback_id of [replaced.callback_id, fresh.callback_id]) {
    const { status, body } = await call('POST', `/v1/callbacks/${callback_id}`, { json: 1 })
    assert.deepEqual([status, body], [404, gone])
  }
  const begun = await createTask({ expires_in_s: 5 })
  await call('POST', `/v1/tasks/${begun.id}/start`)
  clock.time += 5000
  assert.equal((await call('POST', `/v1/callbacks/${begun.callback_id}`, { json: 1 })).status, 404)
  const { data } = (await call('GET', `/v1/tasks/${replaced.id}/arrivals`)).body
  assert.deepEqual(
    data.map(({ verdict }: Row) => verdict),
    ['late', 'late'],
  )
})

test('a task that is elsewhere refuses with its state, and an operator can apply what was kept', async (t) => {
  const { call, createTask } = await startApi(t)
  const { id, callback_id } = await createTask()
  const path = `/v1/callbacks/${callback_id}`
  await call('POST', `/v1/tasks/${id}/start`)
  const early = await call('POST', path, { raw: '{"v": 1.0}' })
  assert.deepEqual(
    [early.status, early.body],
    [409, { error: 'Task is not in waiting/polling state (current: processing)' }],
  )
  await call('POST', `/v1/tasks/${id}/cancel`)
  const conflicting = await call('POST', path, { raw: 'no json' })
  assert.deepEqual(
    [conflicting.status, conflicting.body.error],
    [409, 'Task is not in waiting/polling state (current: canceled)'],
  )

  const { data } = (await call('GET', `/v1/tasks/${id}/arrivals`)).body
  assert.deepEqual(
    data.map(({ verdict }: Row) => verdict),
    ['early', 'conflicting'],
  )
  assert.equal((await call('POST', `/v1/arrivals/${data[0]!.id}/apply`)).body.code, 'invalid_transition')
  await call('POST', `/v1/tasks/${id}/restart`)
  assert.match((await call('POST', `/v1/arrivals/${data[1]!.id}/apply`)).body.detail, /not JSON/)
  const applied = await call('POST', `/v1/arrivals/${data[0]!.id}/apply`)
  assert.deepEqual([applied.status, applied.body.status], [200, 'completed'])
  assert.match(applied.text, /"response":\{"v":1\.0\}/)
})

test('a broken encoding and NUL are kept in the ledger as replacement characters', async (t) => {
  const { call, createTask, port } = await startApi(t)
  const { id, callback_id } = await createTask()
  const response = await fetch(`http://127.0.0.1:${port}/v1/callbacks/${callback_id}`, {
    method: 'POST',
    body: Buffer.from([0x22, 0xff, 0x00, 0x22]),
  })
  assert.equal(response.status, 400)
  const { data } = (await call('GET', `/v1/tasks/${id}/arrivals`)).body
  assert.equal(data[0]!.body, '"\ufffd\ufffd"')
})

test('the limit counts requests of one address in any window of time', async (t) => {
  const { call, clock, createTask, log } = await startApi(t, {
    inbound_rate: { count: 2, window_s: 60 },
    trust_proxy: ['127.0.0.0/8'],
  })
  const { callback_id } = await createTask()
  const from = (address: string) =>
    call('POST', `/v1/callbacks/${callback_id}`, { raw: '{', headers: { 'x-forwarded-for': address } })
  assert.equal((await from('2001:db8::1')).status, 400)
  clock.time += 40_000
  assert.equal((await from('2001:db8::2')).status, 400)
  const limited = await from('2001:db8::3')
  assert.deepEqual([limited.status, limited.body], [429, { error: 'Rate limit exceeded' }])
  assert.equal(limited.headers.get('retry-after'), '20')
  assert.equal(log.lines[0]?.setting, 'RINGBACK_INBOUND_RATE')
  assert.equal((await from('2001:db8:0:1::1')).status, 400)
  clock.time += 20_000
  assert.equal((await from('2001:db8::4')).status, 400)
  assert.equal((await from('2001:db8::5')).status, 429)
  assert.match((await call('GET', '/metrics')).text, /ringback_inbound_limited_total 2/)
})

test('nobody is believed about x-forwarded-for unless told so', async (t) => {
  const { call, createTask } = await startApi(t, { inbound_rate: { count: 1, window_s: 60 } })
  const { callback_id } = await createTask()
  const from = (address: string) =>
    call('POST', `/v1/callbacks/${callback_id}`, { raw: '{', headers: { 'x-forwarded-for': address } })
  assert.equal((await from('192.0.2.1')).status, 400)
  assert.equal((await from('192.0.2.2')).status, 429)
})

test('another method is refused with what is allowed', async (t) => {
  const { call } = await startApi(t)
  const { status, headers } = await call('GET', '/v1/callbacks/x')
  assert.deepEqual([status, headers.get('allow')], [405, 'POST'])
})
