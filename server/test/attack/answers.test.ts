// Attacks by what a receiver or provider answers: every one of them wants to hold a connection, memory or the event loop.
// Each is tried on a callback and on a target call, and afterwards a decent receiver must be served at once.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { drip, flood, ok, startHostile, startServer, type Hostile } from './running-server.ts'

const MB = 1024 * 1024
const head = 'HTTP/1.1 200 OK\r\n'
const chunked = `${head}transfer-encoding: chunked\r\n\r\n`

/** A hundred megabytes; what the server leaves in the socket was never read. */
function hundredMegabytes(socket: Socket, before: string, unit: string): void {
  socket.write(before)
  const piece = Buffer.alloc(MB, unit)
  let left = 100
  const more = () => {
    while (left > 0 && socket.writable) {
      left--
      if (!socket.write(piece)) return void socket.once('drain', more)
    }
  }
  more()
}

type Attack = {
  act: (socket: Socket) => void
  /** How the callback's attempt ends, and what it says. */
  callback: readonly [kind: string, error: RegExp | null]
  /** What the target call's task fails with. */
  call: RegExp
}

const protocol = (error: RegExp): Pick<Attack, 'callback' | 'call'> => ({
  callback: ['protocol', error],
  call: error,
})
const late: Pick<Attack, 'callback' | 'call'> = {
  callback: ['timeout', /did not answer within 1000 ms/],
  call: /did not answer within/,
}
const cut: Pick<Attack, 'callback' | 'call'> = {
  callback: ['delivered', null],
  call: /longer than|did not come to its end/,
}
const tooMuch = /takes more than \d+ bytes on its way|too large/

const attacks: Record<string, Attack> = {
  'a header of 100 MB': {
    act: (socket) => hundredMegabytes(socket, `${head}x-long: `, 'x'),
    ...protocol(/headers are too large/),
  },
  'a header name of 100 MB': {
    act: (socket) => hundredMegabytes(socket, head, 'x'),
    ...protocol(/headers are too large/),
  },
  'a million headers': {
    act: (socket) => hundredMegabytes(socket, head, 'x-a: 1\r\n'),
    ...protocol(/headers are too large/),
  },
  'a reason phrase of 100 MB': {
    act: (socket) => hundredMegabytes(socket, 'HTTP/1.1 200 ', 'x'),
    ...protocol(tooMuch),
  },
  'white space of 100 MB before a header’s value': {
    act: (socket) => hundredMegabytes(socket, `${head}x-a:`, ' '),
    ...protocol(tooMuch),
  },
  'empty lines without an end before the status': {
    act: (socket) => hundredMegabytes(socket, '', '\r\n'),
    ...protocol(tooMuch),
  },
  'interim answers without an end': {
    act: (socket) => flood(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1000)),
    ...protocol(/more than 256 headers and interim answers/),
  },
  'early hints without an end': {
    act: (socket) =>
      flood(socket, `HTTP/1.1 103 Early Hints\r\nlink: ${'x'.repeat(1000)}\r\n\r\n`.repeat(50)),
    ...protocol(/more than 256 headers and interim answers/),
  },
  'headers that drip': {
    act: (socket) => {
      socket.write(head)
      drip(socket, 'x-drip: 1\r\n')
    },
    ...late,
  },
  'a status line that drips': { act: (socket) => drip(socket, 'H'), ...protocol(/not valid HTTP/) },
  'interim answers that drip': { act: (socket) => drip(socket, 'HTTP/1.1 102 Processing\r\n\r\n'), ...late },
  'no answer at all': { act: () => {}, ...late },
  'a body without an end': {
    act: (socket) => {
      socket.write(`${head}\r\n`)
      flood(socket, 'x'.repeat(MB))
    },
    ...cut,
  },
  'a body of 100 MB that says so': {
    act: (socket) => hundredMegabytes(socket, `${head}content-length: ${100 * MB}\r\n\r\n`, 'x'),
    ...cut,
  },
  'chunks of one byte without an end': {
    act: (socket) => {
      socket.write(chunked)
      flood(socket, '1\r\nx\r\n'.repeat(10_000))
    },
    ...cut,
  },
  'a chunk extension without an end': {
    act: (socket) => {
      socket.write(`${chunked}5;`)
      flood(socket, 'x'.repeat(MB))
    },
    ...cut,
  },
  'trailers without an end': {
    act: (socket) => {
      socket.write(`${chunked}0\r\n`)
      flood(socket, 'x-a: b\r\n'.repeat(10_000))
    },
    ...cut,
  },
  'a body that drips': {
    act: (socket) => {
      socket.write(chunked)
      drip(socket, '1\r\nx\r\n')
    },
    ...cut,
  },
  'a chunk whose size is no number': { act: (socket) => socket.write(`${chunked}zz\r\nhello\r\n`), ...cut },
  'a chunk whose size is beyond all numbers': {
    act: (socket) => socket.write(`${chunked}ffffffffffffffffff\r\nhello\r\n`),
    ...cut,
  },
  'both length headers': {
    act: (socket) =>
      socket.write(`${head}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n`),
    ...protocol(/not valid HTTP/),
  },
  'two lengths': {
    act: (socket) => socket.write(`${head}content-length: 5\r\ncontent-length: 3\r\n\r\nhello`),
    ...protocol(/not as long as/),
  },
  'a length beyond all numbers': {
    act: (socket) => socket.write(`${head}content-length: 99999999999999999999\r\n\r\nhello`),
    ...protocol(/not as long as|not valid HTTP/),
  },
  'NUL in a header': {
    act: (socket) => socket.write(`${head}x-a: a\0b\r\ncontent-length: 0\r\n\r\n`),
    ...protocol(/not valid HTTP/),
  },
  'an upgrade that nobody asked for': {
    act: (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    ...protocol(/interim response that was not asked for/),
  },
  'no HTTP but SSH': { act: (socket) => socket.write('SSH-2.0-x\r\n'), ...protocol(/not valid HTTP/) },
}

/** Bytes that left the other side; what a system's buffers hold counts, too. */
const sentBy = ({ connections }: Hostile) =>
  connections.reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0)

test('no answer holds a connection, memory or the event loop for longer than its bounds', async (t) => {
  const hasty = await startServer(t)
  const patient = await startServer(t, { timeout_ms: 15_000 })
  const decent = await startHostile(t, (socket) => socket.write(ok('')))
  for (const [name, { act, callback, call }] of Object.entries(attacks)) {
    await t.test(name, async (t) => {
      const [kind, error] = callback
      // What is refused must not look late because the machine is busy.
      const [{ deliver, callTarget }, timeout_s] = kind === 'protocol' ? [patient, 15] : [hasty, 1]
      const hostile = await startHostile(t, act)
      const { outcome } = await deliver(hostile.url)
      assert.equal(outcome.kind, kind, `${outcome.error}`)
      if (error === null) assert.equal(outcome.truncated, true)
      else assert.match(String(outcome.error), error)
      assert.ok((outcome.response_body ?? '').length <= 16 * 1024)
      const task = await callTarget({ url: hostile.url, timeout_s })
      assert.equal(task.status, 'failed')
      assert.match(String(task.error?.message), call)
      // A call's body may have a megabyte here: with all framing that is eight, and what the system buffers.
      assert.ok(sentBy(hostile) < 20 * MB, `${sentBy(hostile)} bytes were taken`)
      assert.equal((await deliver(decent.url)).outcome.kind, 'delivered')
    })
  }
})

test('a gzip bomb is not unpacked: of a callback it is a log of bytes, of a call it is refused', async (t) => {
  const { deliver, callTarget } = await startServer(t)
  const bomb = gzipSync(Buffer.alloc(64 * MB))
  for (const encoding of ['gzip', 'GZIP', 'deflate', 'br', 'gzip, gzip', 'x-gzip', 'zstd']) {
    const hostile = await startHostile(t, (socket) => {
      socket.write(`${head}content-encoding: ${encoding}\r\ncontent-length: ${bomb.length}\r\n\r\n`)
      socket.write(bomb)
    })
    const { outcome } = await deliver(hostile.url)
    assert.equal(outcome.kind, 'delivered')
    assert.ok((outcome.response_body ?? '').length <= 16 * 1024)
    const task = await callTarget({ url: hostile.url })
    assert.equal(task.error?.message, 'The answer is compressed though that was not asked for.', encoding)
    assert.match(hostile.requests.at(-1) ?? '', /accept-encoding: identity/)
  }
})

test('JSON that is nested a quarter million deep fails its task and nothing else', async (t) => {
  const { callTarget, deliver } = await startServer(t)
  const deep = '['.repeat(250_000) + ']'.repeat(250_000)
  const paths = { status_path: 's.0.0', done_values: ['d'], fail_values: [], result_path: '0.0.0.0' }
  const hostile = await startHostile(t, (socket) => socket.write(ok(`{"s":${deep}}`)))
  const poll = { ...paths, url_template: `${hostile.url}/{startResult.body.s.0}` }
  const task = await callTarget({ url: hostile.url }, { poll })
  assert.equal(task.status, 'failed')
  const decent = await startHostile(t, (socket) => socket.write(ok('')))
  assert.equal((await deliver(decent.url)).outcome.kind, 'delivered')
})

test('a receiver that never reads what it is sent is given up in time', async (t) => {
  const { deliver } = await startServer(t)
  const hostile = await startHostile(t, (socket) => void socket.pause())
  const { outcome } = await deliver(hostile.url, { metadata: { long: 'x'.repeat(900_000) } })
  assert.deepEqual([outcome.kind, outcome.error], ['timeout', 'The receiver did not answer within 1000 ms.'])
})

test('a receiver that hangs on all its connections does not delay another', async (t) => {
  const { deliver, must } = await startServer(t)
  const hostile = await startHostile(t, () => {})
  const decent = await startHostile(t, (socket) => socket.write(ok('')))
  for (let i = 0; i < 100; i++) {
    const { id } = await must('POST', '/v1/tasks', { callback_url: hostile.url })
    await must('POST', `/v1/tasks/${id}/complete`, { response: 1 })
  }
  const { attempt } = await deliver(decent.url)
  // The others' time-out.
  assert.ok(attempt.duration_ms < 1000, `${attempt.duration_ms} ms`)
  assert.ok(hostile.connections.filter(({ destroyed }) => !destroyed).length <= 64)
})
