import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import net from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { createReceiver, createSigner, memorySeen, toNodeListener, webhookHeaders } from './index.ts'
import type { CallbackEvent, ReceiverOptions } from './index.ts'

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const nowS = 1_790_000_000
const now = () => nowS * 1000

const bodyOf = (id: string) => JSON.stringify({ id, type: 'task.completed', task_id: 't_1', sequence: 1 })

type Extra = { headers?: Record<string, string>; body?: string; method?: string }

// A receiver behind a real server, and a way to send it one callback.
async function start(t: TestContext, options: Partial<ReceiverOptions> = {}) {
  const events: CallbackEvent[] = []
  const errors: unknown[] = []
  const receiver = createReceiver({
    secrets: secret,
    onEvent: (event) => events.push(event),
    onError: (error) => errors.push(error),
    now,
    ...options,
  })
  const url = await serve(t, toNodeListener(receiver))
  const send = (id: string, { headers, body = bodyOf(id), method = 'POST' }: Extra = {}) =>
    fetch(url, {
      method,
      headers: { ...webhookHeaders(createSigner(secret), id, nowS, body), ...headers },
      body: method === 'GET' ? null : body,
    })
  return { url, send, events, errors, receiver }
}

async function serve(t: TestContext, listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function answered(response: Response, status: number, code?: string): Promise<Response> {
  const text = await response.text()
  assert.equal(response.status, status, text)
  assert.equal(response.headers.get('content-type'), 'application/json')
  if (code !== undefined) assert.equal(JSON.parse(text).error.code, code)
  return response
}

test('an event is handed over and answered with 200', async (t) => {
  const { send, events } = await start(t)
  await answered(await send('evt_1'), 200)
  assert.deepEqual(events, [JSON.parse(bodyOf('evt_1'))])
})

test('what is not genuine never reaches onEvent: 400 when it is malformed, 401 when it is not believed', async (t) => {
  const { send, events } = await start(t)
  const tooOld = webhookHeaders(createSigner(secret), 'evt_1', nowS - 301, bodyOf('evt_1'))
  const scenarios: [Extra, number, string][] = [
    [{ headers: { 'webhook-id': '' } }, 400, 'missing_header'],
    [{ headers: { 'webhook-timestamp': 'soon' } }, 400, 'bad_timestamp'],
    [{ body: 'not json' }, 400, 'invalid_json'],
    [{ headers: tooOld }, 401, 'too_old'],
    [{ headers: { 'webhook-id': 'evt_2' } }, 401, 'no_matching_signature'],
  ]
  for (const [extra, status, code] of scenarios) await answered(await send('evt_1', extra), status, code)
  assert.equal(events.length, 0)
})

test('a duplicate is answered with 200 and not handled again', async (t) => {
  const { send, events } = await start(t)
  await answered(await send('evt_1'), 200)
  const second = await send('evt_1')
  assert.equal(second.status, 200)
  assert.deepEqual(await second.json(), { received: true, duplicate: true })
  await answered(await send('evt_2'), 200)
  assert.deepEqual(
    events.map((event) => event.id),
    ['evt_1', 'evt_2'],
  )
})

test('a re-send of a handled event is handled again', async (t) => {
  const { send, events } = await start(t)
  await answered(await send('evt_1'), 200)
  await answered(await send('evt_1', { headers: { 'ringback-resend': '1' } }), 200)
  assert.equal(events.length, 2)
})

test('an event whose handling fails is answered with 500 and handled when it comes again', async (t) => {
  const handled: string[] = []
  const { send, errors } = await start(t, {
    onEvent: async (event) => {
      handled.push(event.id)
      if (handled.length === 1) throw new Error('database down: password=hunter2')
    },
  })
  const failed = await send('evt_1')
  assert.equal(failed.headers.get('retry-after'), null)
  assert.doesNotMatch(await failed.clone().text(), /hunter2/)
  await answered(failed, 500, 'handler_failed')
  assert.match(String(errors), /database down/)
  await answered(await send('evt_1'), 200)
  await answered(await send('evt_1'), 200)
  assert.deepEqual(handled, ['evt_1', 'evt_1'])
})

test('an event that is still being handled is answered with 503 and retry-after, re-send or not; 200 waits for onEvent', async (t) => {
  const entered = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  let calls = 0
  let isAnswered = false
  const { send } = await start(t, {
    onEvent: async (event) => {
      if (event.id !== 'evt_1') return
      calls += 1
      entered.resolve()
      await finish.promise
    },
  })
  const first = send('evt_1').then((response) => {
    isAnswered = true
    return response
  })
  await entered.promise
  const second = await answered(await send('evt_1'), 503, 'busy')
  assert.equal(second.headers.get('retry-after'), '5')
  await answered(await send('evt_1', { headers: { 'ringback-resend': '1' } }), 503, 'busy')
  await answered(await send('evt_2'), 200)
  assert.equal(isAnswered, false)
  finish.resolve()
  await answered(await first, 200)
  await answered(await send('evt_1'), 200)
  assert.equal(calls, 1)
})

test('two requests with the same event let only one pass while a slow store is being asked', async (t) => {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<boolean>()
  const added: string[] = []
  const { send, events } = await start(t, {
    seen: {
      has: () => {
        asked.resolve()
        return answer.promise
      },
      add: async (id) => added.push(id),
    },
  })
  const first = send('evt_1')
  await asked.promise
  await answered(await send('evt_1'), 503, 'busy')
  answer.resolve(false)
  await answered(await first, 200)
  assert.equal(events.length, 1)
  assert.deepEqual(added, ['evt_1'])
})

test('a store that fails makes a 500, since nobody knows whether the event was handled', async (t) => {
  const { send, events, errors } = await start(t, {
    seen: { has: () => Promise.reject(new Error('store down')), add: () => undefined },
  })
  await answered(await send('evt_1'), 500, 'handler_failed')
  assert.equal(events.length, 0)
  assert.equal(errors.length, 1)
})

test('anything but POST is answered with 405 and allow', async (t) => {
  const { send } = await start(t)
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const response = await answered(await send('evt_1', { method }), 405, 'method_not_allowed')
    assert.equal(response.headers.get('allow'), 'POST')
  }
})

test('a body over the bound is answered with 413, with a declared length or without one', async (t) => {
  const { url, send, events } = await start(t, { maxBytes: 1000 })
  const exact = `${bodyOf('evt_1').slice(0, -1)},"x":"`
  const fitting = `${exact}${'x'.repeat(1000 - exact.length - 2)}"}`
  assert.equal(fitting.length, 1000)
  await answered(await send('evt_1', { body: fitting }), 200)
  await answered(await send('evt_2', { body: `${fitting} ` }), 413, 'body_too_large')
  const chunks = [Buffer.alloc(600, 'x'), Buffer.alloc(600, 'x'), Buffer.alloc(1_000_000, 'x')]
  const chunked = await fetch(url, { method: 'POST', body: ReadableStream.from(chunks), duplex: 'half' })
  await answered(chunked, 413, 'body_too_large')
  assert.equal(events.length, 1)
})

test('a declared length over the bound is refused before any of the body has come', async (t) => {
  const { url } = await start(t, { maxBytes: 1000 })
  const request = http.request(url, { method: 'POST', headers: { 'content-length': '1001' } })
  request.flushHeaders()
  const [response] = await once(request, 'response')
  assert.equal(response.statusCode, 413)
  request.on('error', () => undefined).destroy()
})

test('a sender that breaks off in the middle of its body leaves the server well', async (t) => {
  const aborted = Promise.withResolvers<Response>()
  const { receiver, events } = await start(t)
  const url = await serve(
    t,
    toNodeListener(async (request) => {
      const response = await receiver(request)
      aborted.resolve(response.clone())
      return response
    }),
  )
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nhost: a b\r\ncontent-length: 100\r\n\r\n{"id"')
  socket.end()
  await answered(await aborted.promise, 400, 'incomplete_body')
  assert.equal(events.length, 0)
})

test('a body that something in front has read is named as the cause, instead of hanging', async (t) => {
  const { receiver } = await start(t)
  const listener = toNodeListener(receiver)
  const url = await serve(t, (req, res) => {
    req.resume().once('end', () => listener(req, res))
  })
  await answered(await fetch(url, { method: 'POST', body: '{}' }), 500, 'body_already_read')
  const request = new Request('http://localhost/', { method: 'POST', body: '{}' })
  await request.text()
  await answered(await receiver(request), 500, 'body_already_read')
})

test('a receiver that rejects behind toNodeListener is answered with 500', async (t) => {
  const url = await serve(
    t,
    toNodeListener(() => Promise.reject(new Error('bug'))),
  )
  await answered(await fetch(url, { method: 'POST', body: '{}' }), 500, 'receiver_failed')
})

test('a large body arrives whole through the adapter, on a connection that is used again', async (t) => {
  const { send, events } = await start(t)
  const body = JSON.stringify({
    id: 'evt_1',
    type: 'task.completed',
    task_id: 't_1',
    x: 'ü'.repeat(1_000_000),
  })
  await answered(await send('evt_1', { body }), 200)
  await answered(await send('evt_2'), 200)
  assert.equal(events.length, 2)
})

test('a body that nobody reads makes its sender wait instead of filling the memory', async (t) => {
  const paused = Promise.withResolvers<void>()
  const listener = toNodeListener(async () => {
    await paused.promise
    return new Response()
  })
  const url = await serve(t, (req, res) => {
    req.once('pause', () => paused.resolve())
    listener(req, res)
  })
  const response = await fetch(url, { method: 'POST', body: Buffer.alloc(1_000_000) })
  assert.equal(response.status, 200)
})

test('a malformed secret is an error when the receiver is made, not when the first callback comes', () => {
  assert.throws(() => createReceiver({ secrets: 'whsec_x', onEvent: () => undefined }), {
    code: 'malformed_secret',
  })
})

test('the memory of handled ids is bounded and forgets the least recently seen first', async () => {
  const seen = memorySeen(2)
  seen.add('a')
  seen.add('b')
  assert.equal(await seen.has('a'), true)
  seen.add('c')
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => seen.has(id)),
    [true, false, true],
  )
})
