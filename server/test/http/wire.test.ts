// What reaches the server below the level of requests: raw sockets that send too much, too little, or no HTTP at all.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { openSocket, readSocket } from '../support/raw-socket.ts'
import { adminKey, startApi } from './start-api.ts'

test('what is no HTTP is answered with a problem, too', async (t) => {
  const { port } = await startApi(t)
  const scenarios = [
    ['FOO /v1/tasks HTTP/1.1\r\nhost: a\r\n\r\n', 'HTTP/1.1 400 Bad Request', 'invalid_request'],
    [
      `GET /v1/tasks HTTP/1.1\r\nhost: a\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`,
      'HTTP/1.1 431 Request Header Fields Too Large',
      'headers_too_large',
    ],
  ] as const
  for (const [request, status, code] of scenarios) {
    const socket = openSocket(t, port)
    socket.write(request)
    const answer = await readSocket(socket)
    assert.ok(answer.startsWith(`${status}\r\n`), answer)
    assert.match(answer, /content-type: application\/problem\+json/)
    assert.ok(answer.includes(`"code":"${code}"`), answer)
  }
})

test('what is no HTTP is answered in the words of the dialect it was sent to', async (t) => {
  const { port, call } = await startApi(t)
  await call('POST', '/v1/admin/projects', {
    key: adminKey,
    json: { name: 'labels', dialect: 'scale', host: 'labels.example' },
  })
  const long = `x-long: ${'x'.repeat(20_000)}\r\n\r\n`
  for (const head of ['/scale/v1/tasks HTTP/1.1\r\nhost: a', '/v1/tasks HTTP/1.1\r\nHost: labels.example']) {
    const socket = openSocket(t, port)
    socket.write(`GET ${head}\r\n${long}`)
    const answer = await readSocket(socket)
    assert.match(answer, /^HTTP\/1\.1 400 /)
    assert.match(answer, /content-type: application\/json/)
    assert.match(answer, /\r\n\r\n\{"status_code":400,"error":"/)
  }
})

test('a request without a host or with an odd expectation is answered like any other', async (t) => {
  const { port } = await startApi(t)
  for (const header of ['expect: 200-ok\r\nhost: a', 'accept: */*']) {
    const socket = openSocket(t, port)
    socket.write(`GET /scale/v1/tasks HTTP/1.1\r\n${header}\r\nconnection: close\r\n\r\n`)
    assert.match(await readSocket(socket), /^HTTP\/1\.1 401 [^]*\{"status_code":401,/)
  }
})

test('whoever sends too large a body to its end gets the answer', async (t) => {
  const { port, credentials, createTask } = await startApi(t)
  const key = credentials.live_key
  const { callback_id } = await createTask()
  for (const path of ['/v1/tasks', `/v1/callbacks/${callback_id}`]) {
    const socket = openSocket(t, port)
    const size = 8 * 1024 * 1024
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`,
    )
    // A client that looks for the answer only when all is written.
    socket.pause()
    for (let sent = 0; sent < size; sent += 65_536) {
      if (!socket.write(Buffer.alloc(65_536, 0x20))) await once(socket, 'drain')
    }
    assert.match(await readSocket(socket, /\}$/), /^HTTP\/1\.1 413 /, path)
  }
})

test('a stop does not wait for a client that is gone, nor longer than its grace for half a body', async (t) => {
  const { api, port, credentials, createTask } = await startApi(t)
  const key = credentials.live_key
  const { id } = await createTask()
  const gone = openSocket(t, port)
  gone.write(`GET /v1/tasks/${id}?wait=60 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${key}\r\n\r\n`)
  const half = openSocket(t, port)
  half.write(
    `POST /v1/tasks HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
  )
  await fetch(`http://127.0.0.1:${port}/healthz`)
  gone.destroy()
  const drained = api.drain()
  // What the grace's end does.
  setImmediate(() => void api.close())
  await drained
})
