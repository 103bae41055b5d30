// Clients that hold connections by taking their time.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { startApi } from '../http/start-api.ts'
import { openSocket, readSocket } from '../support/raw-socket.ts'

// None of the other bounds can be what ends it.
const endless = { head_ms: 600_000, request_ms: 600_000, progress_ms: 600_000, silence_ms: 600_000 }

/** Writes a piece again and again, until the server closes the connection. */
async function drip(socket: ReturnType<typeof openSocket>, piece: string): Promise<string> {
  const timer = setInterval(() => socket.write(piece), 20)
  const answer = await readSocket(socket)
  clearInterval(timer)
  return answer
}

test('whoever drips the head of a request is cut off', async (t) => {
  const { port } = await startApi(t, {}, { patience: { ...endless, head_ms: 200 } })
  const socket = openSocket(t, port)
  socket.write('GET /healthz HTTP/1.1\r\n')
  assert.match(await drip(socket, 'x-a: b\r\n'), /^HTTP\/1\.1 408 Request Timeout\r\n[^]*"request_timeout"/)
})

test('whoever connects and says nothing is cut off', async (t) => {
  const { port } = await startApi(t, {}, { patience: { ...endless, head_ms: 200 } })
  await readSocket(openSocket(t, port))
})

test('whoever drips the body of a request is cut off, however lively', async (t) => {
  const patience = { ...endless, progress_ms: 200 }
  const { port, credentials, createTask } = await startApi(t, {}, { patience })
  const { callback_id } = await createTask()
  for (const path of ['/v1/tasks', `/v1/callbacks/${callback_id}`]) {
    const socket = openSocket(t, port)
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${credentials.live_key}\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n`,
    )
    assert.match(await drip(socket, ' '), /^HTTP\/1\.1 408 Request Timeout\r\n/, path)
  }
})

test('a whole request has to come in time, however much of it comes', async (t) => {
  const { port, credentials } = await startApi(
    t,
    {},
    { patience: { ...endless, head_ms: 100, request_ms: 200 } },
  )
  const socket = openSocket(t, port)
  socket.write(
    `POST /v1/tasks HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${credentials.live_key}\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n`,
  )
  assert.match(await drip(socket, ' '.repeat(50)), /^HTTP\/1\.1 408 /)
})

test('whoever does not read his answers is cut off', async (t) => {
  const { port, createTask, credentials } = await startApi(
    t,
    { body_limit: 4_000_000 },
    { patience: { ...endless, silence_ms: 2000 } },
  )
  const { id } = await createTask({ params: 'x'.repeat(3_000_000) })
  const socket = openSocket(t, port)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const head = `GET /v1/tasks/${id} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${credentials.live_key}\r\n\r\n`
  socket.write(head.repeat(8))
  await once(socket, 'readable')
  // What is written to a side that is gone comes back as a reset.
  const timer = setInterval(() => socket.write(head), 1000)
  await closed
  clearInterval(timer)
})

test('a fault is answered and its connection closed, though the client never closes his side', async (t) => {
  const { port } = await startApi(t)
  const socket = openSocket(t, port)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write('FOO BAR\r\n\r\n')
  assert.match(await readSocket(socket), /^HTTP\/1\.1 400 /)
  // What is written to a side that is gone comes back as a reset.
  const timer = setInterval(() => socket.write('x'), 50)
  await closed
  clearInterval(timer)
})

test('a refused body that stops coming is not followed by a second answer', async (t) => {
  const { port } = await startApi(t, {}, { patience: { ...endless, progress_ms: 100 } })
  const socket = openSocket(t, port)
  socket.write('POST /v1/tasks HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{')
  const answers = await readSocket(socket)
  assert.match(answers, /^HTTP\/1\.1 401 /)
  assert.equal(answers.split('HTTP/1.1 ').length, 2, answers)
})
