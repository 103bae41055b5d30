import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { startEndlessReceiver, startRawReceiver, startReceiver } from '../../test/support/receiver.ts'
import type { AnswerRoom } from './intake.ts'
import { answering, OK, startSender, using } from '../../test/support/sender.ts'

test('a 2xx is delivered, with what was sent as it was sent and the whole answer kept', async (t) => {
  const seen: unknown[] = []
  const receiver = await using(
    t,
    startReceiver(({ method, url, headers }, response, body) => {
      seen.push({ method, url, headers, body })
      response.writeHead(200, [
        ['X-Reply', 'a'],
        ['x-reply', 'b'],
        ['set-cookie', 'session=secret'],
        ['date', 'today'],
        ['retry-after', '9'],
      ])
      response.end('{"ok":"✓"}')
    }),
  )
  const { send } = await startSender(t)
  const outcome = await send(`http://joe:pass@127.0.0.1:${receiver.port}/hook?a=1#part`, {
    headers: { 'content-type': 'application/json', 'webhook-id': 'msg_1' },
    body: '{"a":1}',
  })
  assert.deepEqual(outcome, {
    kind: 'delivered',
    status: 200,
    retry_after_ms: null,
    response_headers: {
      'x-reply': 'a, b',
      'set-cookie': '(hidden)',
      date: 'today',
      'retry-after': '9',
      connection: 'keep-alive',
      'keep-alive': 'timeout=7',
      'transfer-encoding': 'chunked',
    },
    response_body: '{"ok":"✓"}',
    truncated: false,
    remote_address: '127.0.0.1',
    error: null,
  })
  assert.deepEqual(seen, [
    {
      method: 'POST',
      url: '/hook?a=1',
      headers: {
        host: `127.0.0.1:${receiver.port}`,
        connection: 'keep-alive',
        authorization: 'Basic am9lOnBhc3M=',
        'content-type': 'application/json',
        'content-length': '7',
        'webhook-id': 'msg_1',
      },
      body: '{"a":1}',
    },
  ])
})

test('any other status is kept with its body and the wait the receiver asks for', async (t) => {
  const { send } = await startSender(t, { now: () => Date.UTC(2026, 0, 1) })
  const cases: [string, number, number | null][] = [
    ['500 Oops\r\nretry-after: 7', 500, 7000],
    ['503 Busy\r\nRetry-After: Thu, 01 Jan 2026 00:01:00 GMT', 503, 60_000],
    ['410 Gone', 410, null],
    ['304 Not Modified', 304, null],
    ['429 Slow down\r\nretry-after: soon', 429, null],
  ]
  for (const [head, status, retry_after_ms] of cases) {
    const body = status === 304 ? '' : 'no'
    const receiver = await answering(t, `HTTP/1.1 ${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    const outcome = await send(receiver.url)
    assert.equal(outcome.kind, 'status', head)
    assert.equal(outcome.status, status, head)
    assert.equal(outcome.retry_after_ms, retry_after_ms, head)
    assert.equal(outcome.response_body, body, head)
  }
})

test('a redirect is an answer and its target is never asked', async (t) => {
  const target = await answering(t, OK)
  const { send } = await startSender(t)
  for (const status of ['301 A', '302 B', '303 C', '307 D', '308 E']) {
    const receiver = await answering(
      t,
      `HTTP/1.1 ${status}\r\nlocation: ${target.url}/\r\ncontent-length: 0\r\n\r\n`,
    )
    const outcome = await send(receiver.url)
    assert.equal(outcome.kind, 'status')
    assert.equal(outcome.status, Number(status.slice(0, 3)))
    assert.equal(outcome.response_headers?.location, `${target.url}/`)
  }
  assert.equal(target.connections.length, 0)
})

test('a receiver that never answers is a time-out, and its connection is closed', async (t) => {
  const closed = Promise.withResolvers<void>()
  const receiver = await using(
    t,
    startRawReceiver((socket) => socket.on('close', () => closed.resolve())),
  )
  const { send } = await startSender(t)
  const outcome = await send(receiver.url, { timeout_ms: 500 })
  assert.equal(outcome.kind, 'timeout')
  assert.equal(outcome.error, 'The receiver did not answer within 500 ms.')
  assert.equal(outcome.remote_address, '127.0.0.1')
  await closed.promise
})

test('headers that drip do not stretch the time-out', async (t) => {
  const receiver = await using(
    t,
    startRawReceiver((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const drip = setInterval(() => socket.write('x-drip: 1\r\n'), 10)
      socket.on('close', () => clearInterval(drip))
    }),
  )
  const { send } = await startSender(t)
  assert.equal((await send(receiver.url, { timeout_ms: 100 })).kind, 'timeout')
})

test('interim answers neither count as an answer nor stretch the time-out', async (t) => {
  const { send } = await startSender(t)
  const hints = await answering(t, `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`)
  assert.equal((await send(hints.url)).status, 200)
  const endless = await using(
    t,
    startRawReceiver((socket) => {
      const drip = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 10)
      socket.on('close', () => clearInterval(drip))
    }),
  )
  assert.equal((await send(endless.url, { timeout_ms: 100 })).kind, 'timeout')
  for (const interim of ['100 Continue', '101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x']) {
    const receiver = await answering(t, `HTTP/1.1 ${interim}\r\n\r\n${OK}`)
    assert.equal((await send(receiver.url)).kind, 'protocol', interim)
  }
})

test('an endless body is cut at 16 KiB: delivered, truncated, connection closed', async (t) => {
  const receiver = await using(t, startEndlessReceiver())
  const { send } = await startSender(t)
  const outcome = await send(receiver.url)
  assert.equal(outcome.kind, 'delivered')
  assert.equal(outcome.truncated, true)
  assert.equal(outcome.response_body, 'x'.repeat(16 * 1024))
  await receiver.closed
})

test('a body of exactly 16 KiB is whole, and its connection is used again', async (t) => {
  const body = 'x'.repeat(16 * 1024)
  const receiver = await using(
    t,
    startReceiver((_request, response) => void response.end(body)),
  )
  const { send } = await startSender(t)
  for (let i = 0; i < 3; i++) {
    const outcome = await send(receiver.url)
    assert.equal(outcome.truncated, false)
    assert.equal(outcome.response_body, body)
  }
  assert.equal(receiver.connections.length, 1)
})

test('a large body is read when there is room for it, and a small one at once', async (t) => {
  // More than the kernel's buffers hold.
  const large = 'x'.repeat(32 * 1024 * 1024)
  const whole = Promise.withResolvers<void>()
  let sent = false
  whole.promise.then(() => (sent = true), assert.fail)
  const receiver = await using(
    t,
    startReceiver(({ url }, response) => {
      if (url === '/small') return void response.end('x'.repeat(16 * 1024))
      response.setHeader('content-length', large.length)
      response.end(large, () => whole.resolve())
    }),
  )
  const { send } = await startSender(t, { body_bytes: large.length, body_ms: null })
  const asked: { bytes: number; granted: () => void }[] = []
  const kept: number[] = []
  const came = Promise.withResolvers<void>()
  const room: AnswerRoom = {
    ask(bytes, granted) {
      asked.push({ bytes, granted })
      came.resolve()
    },
    keep: (bytes) => kept.push(bytes),
    leave: assert.fail,
  }
  assert.equal((await send(`${receiver.url}/small`, { room })).truncated, false)
  assert.equal(asked.length, 0)
  const sending = send(receiver.url, { room })
  await came.promise
  assert.equal((await send(`${receiver.url}/small`, { room })).truncated, false)
  assert.deepEqual([asked.map(({ bytes }) => bytes), sent], [[large.length], false])
  asked[0]?.granted()
  const { truncated, response_body } = await sending
  assert.deepEqual([truncated, response_body === large, sent], [false, true, true])
  assert.deepEqual(kept, [16 * 1024, 16 * 1024, large.length])
  assert.equal(asked.length, 1)
})

test('a body that is here as a whole waits for no room', async (t) => {
  const body = 'x'.repeat(20_000)
  const receiver = await answering(t, `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  const { send } = await startSender(t, { body_bytes: 1024 * 1024, body_ms: null })
  const outcome = await send(receiver.url, { room: { ask() {}, keep() {}, leave() {} } })
  assert.deepEqual([outcome.truncated, outcome.response_body], [false, body])
})

test('a large body for which there is no room in time breaks off, and its connection is closed', async (t) => {
  const closed = Promise.withResolvers<void>()
  const receiver = await using(
    t,
    startReceiver((_request, response) => {
      response.on('close', () => closed.resolve())
      response.end('x'.repeat(8 * 1024 * 1024))
    }),
  )
  const { send } = await startSender(t, { body_bytes: 8 * 1024 * 1024, body_ms: null })
  let grant: (() => void) | undefined
  const room = { ask: (_: number, granted: () => void) => void (grant = granted), keep() {}, leave() {} }
  const outcome = await send(receiver.url, { timeout_ms: 500, room })
  assert.deepEqual([outcome.kind, outcome.truncated], ['delivered', true])
  await closed.promise
  // Nobody is there any more.
  grant?.()
})

test('a body of thousands of pieces is whole, and in order', async (t) => {
  const digits = Array.from({ length: 5000 }, (_, i) => String(i % 10)).join('')
  const chunks = digits.replace(/./g, '1\r\n$&\r\n')
  const receiver = await answering(
    t,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
  )
  const { send } = await startSender(t, { body_bytes: 1024 * 1024 })
  for (let i = 0; i < 2; i++) {
    const outcome = await send(receiver.url)
    assert.deepEqual([outcome.kind, outcome.truncated, outcome.response_body], ['delivered', false, digits])
  }
  assert.equal(receiver.connections.length, 1)
})

test('an answer of very many parts is cut, and its connection is closed', async (t) => {
  const chunks = '1\r\nx\r\n'.repeat(16_000)
  const receiver = await answering(
    t,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
  )
  const { send } = await startSender(t)
  const outcome = await send(receiver.url)
  assert.deepEqual([outcome.kind, outcome.truncated], ['delivered', true])
  assert.match(outcome.response_body ?? '', /^x{1,1000}$/)

  const names = Array.from({ length: 300 }, (_, i) => `x-${i}: 1\r\n`).join('')
  for (const [answer, error] of [
    ['HTTP/1.1 103 C\r\n\r\n'.repeat(257) + OK, /more than 256 headers/],
    [`HTTP/1.1 103 C\r\n${'a:\r\n'.repeat(128)}\r\n`.repeat(2) + OK, /more than 256 headers/],
    [OK.replace('\r\n', `\r\n${names}`), /more than 256 headers/],
    [OK.replace('\r\n', `\r\n${'set-cookie: a\r\n'.repeat(300)}`), /more than 256 headers/],
    [`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${names}\r\n`, /more than 256 headers/],
  ] as const) {
    const many = await answering(t, answer)
    const { kind, error: sentence } = await send(many.url)
    assert.equal(kind, 'protocol')
    assert.match(sentence ?? '', error)
  }
})

test('an answer that comes in very many pieces ends', async (t) => {
  const { send } = await startSender(t)
  const receiver = await using(
    t,
    startRawReceiver((socket) => {
      socket.setNoDelay()
      const drip = setInterval(() => socket.write('x'), 1)
      socket.write('HTTP/1.1 200 ')
      socket.on('error', () => {}).on('close', () => clearInterval(drip))
    }),
  )
  const { kind, error } = await send(receiver.url)
  assert.equal(kind, 'protocol')
  assert.match(error ?? '', /more than 256 pieces/)
})

/** A receiver that answers as soon as a request begins, and reads no more of it; gives the connection as well. */
async function startHasty(t: TestContext) {
  const answered = Promise.withResolvers<Socket>()
  const receiver = await using(
    t,
    startRawReceiver((socket, packet) => {
      if (packet > 1) return
      socket.pause().on('error', () => {})
      socket.write(OK)
      answered.resolve(socket)
    }),
  )
  return { receiver, answered: answered.promise }
}

const LARGE = 'x'.repeat(16 * 1024 * 1024)

test('an answer that comes before the request is read ends with the request, and its connection is used again', async (t) => {
  const { receiver, answered } = await startHasty(t)
  const { send } = await startSender(t)
  let read = 0
  const sending = send(receiver.url, { body: LARGE }).then((outcome) => ({ outcome, read_then: read }))
  const socket = await answered
  socket.on('data', (data) => {
    read += data.length
    if (data.includes('POST')) socket.write(OK)
  })
  socket.resume()
  const { outcome, read_then } = await sending
  assert.deepEqual([outcome.kind, outcome.truncated, outcome.response_body], ['delivered', false, 'ok'])
  assert.ok(read_then > LARGE.length / 2, `it ended when ${read_then} bytes were read`)
  assert.equal((await send(receiver.url)).kind, 'delivered')
  assert.equal(receiver.connections.length, 1)
})

test('a request that is answered and never read ends with its time-out, and its connection is closed', async (t) => {
  const { receiver, answered } = await startHasty(t)
  const { send } = await startSender(t, { body_ms: 50 })
  const outcome = await send(receiver.url, { body: LARGE, timeout_ms: 200 })
  assert.deepEqual([outcome.kind, outcome.truncated], ['delivered', false])
  const socket = await answered
  const closed = once(socket, 'close')
  socket.resume()
  await closed
})

test('a body that drips is cut when its time is over: delivered, truncated, connection closed', async (t) => {
  const closed = Promise.withResolvers<void>()
  const receiver = await using(
    t,
    startReceiver((_request, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('x'), 10)
      response.on('close', () => {
        clearInterval(drip)
        closed.resolve()
      })
    }),
  )
  const { send } = await startSender(t, { body_ms: 50 })
  const outcome = await send(receiver.url)
  assert.equal(outcome.kind, 'delivered')
  assert.equal(outcome.truncated, true)
  assert.match(outcome.response_body ?? '', /^x+$/)
  await closed.promise
})

test('a body that ends when the connection does is whole; one that breaks off is delivered all the same', async (t) => {
  const { send } = await startSender(t)
  const closing = await using(
    t,
    startRawReceiver((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nwhole')),
  )
  const whole = await send(closing.url)
  assert.deepEqual([whole.kind, whole.truncated, whole.response_body], ['delivered', false, 'whole'])
  for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const breaking = await using(
      t,
      startRawReceiver((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () =>
          setImmediate(() => socket[end]()),
        )
      }),
    )
    const outcome = await send(breaking.url)
    assert.deepEqual([outcome.kind, outcome.truncated, outcome.status], ['delivered', true, 200], end)
  }
})

test('bodies and headers that no database could hold are made storable', async (t) => {
  const { send } = await startSender(t)
  const bytes = Buffer.from([0x61, 0x00, 0xff, 0x62])
  const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nx-latin: caf\xe9\r\ncontent-length: 4\r\n\r\n`
  const receiver = await answering(t, Buffer.concat([Buffer.from(head, 'latin1'), bytes]))
  const outcome = await send(receiver.url)
  assert.equal(outcome.response_body, 'a\uFFFD\uFFFDb')
  assert.equal(outcome.response_headers?.['x-latin'], 'café')
  const nul = await answering(t, `HTTP/1.1 200 OK\r\nx-nul: a\0b\r\ncontent-length: 0\r\n\r\n`)
  assert.equal((await send(nul.url)).kind, 'protocol')
})

test('headers over 16 KiB are a protocol error, one large or many small', async (t) => {
  const { send } = await startSender(t)
  for (const headers of [`x-a: ${'a'.repeat(17_000)}\r\n`, 'x-a: 12345\r\n'.repeat(3000)]) {
    const receiver = await answering(t, `HTTP/1.1 200 OK\r\n${headers}content-length: 0\r\n\r\n`)
    const outcome = await send(receiver.url)
    assert.equal(outcome.kind, 'protocol')
    assert.equal(outcome.error, "The answer's headers are too large (UND_ERR_HEADERS_OVERFLOW).")
  }
})

test('what is no HTTP is a protocol error', async (t) => {
  const { send } = await startSender(t)
  const garbage = [
    'SSH-2.0-OpenSSH_9.6\r\n',
    '\x15\x03\x01\x00\x02\x02\x46',
    'HTTP/1.1 abc\r\n\r\n',
    '<html></html>',
  ]
  for (const bytes of [...garbage, 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab']) {
    const receiver = await answering(t, bytes)
    const outcome = await send(receiver.url)
    assert.equal(outcome.kind, 'protocol', JSON.stringify(bytes))
    assert.match(outcome.error ?? '', /^The answer is not /)
  }
})

test('a refused connection, and one broken before the answer is there, are connection errors', async (t) => {
  const { send } = await startSender(t)
  const gone = await startRawReceiver(() => {})
  await gone[Symbol.asyncDispose]()
  const refused = await send(gone.url)
  assert.deepEqual(
    [refused.kind, refused.error],
    ['connection', 'The receiver refused the connection (ECONNREFUSED).'],
  )
  for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const silent = await using(
      t,
      startRawReceiver((socket) => socket[end]()),
    )
    assert.equal((await send(silent.url)).kind, 'connection', end)
    assert.equal(silent.connections.length, 1, 'a fresh connection is not tried twice')
    const midway = await using(
      t,
      startRawReceiver(
        (socket) => void socket.write('HTTP/1.1 200 OK\r\nx-', () => setImmediate(() => socket[end]())),
      ),
    )
    assert.equal((await send(midway.url)).kind, 'connection', end)
    assert.equal(midway.connections.length, 1)
  }
})

test('a request that cannot be sent rejects, because it is our own fault', async (t) => {
  const { send } = await startSender(t)
  const receiver = await answering(t, OK)
  await assert.rejects(send(receiver.url, { headers: { 'x-a': 'line\nbreak' } }), {
    code: 'UND_ERR_INVALID_ARG',
  })
  await assert.rejects(send('not a url'), { code: 'ERR_INVALID_URL' })
  assert.equal((await send(receiver.url)).kind, 'delivered')
})

test('a body of bytes, and none at all, are sent as they are', async (t) => {
  const bodies: [string | undefined, string][] = []
  const receiver = await using(
    t,
    startReceiver(({ headers }, response, body) => {
      bodies.push([headers['content-length'], body])
      response.end()
    }),
  )
  const { send } = await startSender(t)
  await send(receiver.url, { body: Buffer.from('✓') })
  await send(receiver.url, { body: null })
  await send(receiver.url, { body: null, method: 'GET' })
  assert.deepEqual(bodies, [
    ['3', '✓'],
    ['0', ''],
    [undefined, ''],
  ])
})
