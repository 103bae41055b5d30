// What reaches the server below the level of requests: raw sockets that send too much, too little, or no HTTP at all.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { adminKey, startApi } from './start-api.ts'

function open(t: TestContext, port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  return socket
}

/** Reads until the server closes the connection, or until `enough` is there. */
async function read(socket: Socket, enough = /$^/): Promise<string> {
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (enough.test(text)) break
  }
  return text
}

test('what is no HTTP is answered with a problem, too', async (t) => {
  const { port } = await startApi(t)
  const scenarios = [
    'FOO /v1/tasks HTTP/1.1\r\nhost: a\r\n\r\n',
    `GET /v1/tasks HTTP/1.1\r\nhost: a\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`,
    'POST /v1/tasks HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}',
  ]
  for (const request of scenarios) {
    const socket = open(t, port)
    socket.write(request)
    const answer = await read(socket)
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
    assert.match(answer, /content-type: application\/problem\+json/)
    assert.match(answer, /"code":"invalid_request"/)
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
    const socket = open(t, port)
    socket.write(`GET ${head}\r\n${long}`)
    const answer = await read(socket)
    assert.match(answer, /^HTTP\/1\.1 400 /)
    assert.match(answer, /content-type: application\/json/)
    assert.match(answer, /\r\n\r\n\{"status_code":400,"error":"/)
  }
})

test('a request without a host or with an odd expectation is answered like any other', async (t) => {
  const { port } = await startApi(t)
  for (const header of ['expect: 200-ok\r\nhost: a', 'accept: */*']) {
    const socket = open(t, port)
    socket.write(`GET /scale/v1/tasks HTTP/1.1\r\n${header}\r\nconnection: close\r\n\r\n`)
    assert.match(await read(socket), /^HTTP\/1\.1 401 [^]*\{"status_code":401,/)
  }
})

test('whoever sends too large a body to its end gets the answer', async (t) => {
  const { port, credentials, createTask } = await startApi(t)
  const key = credentials.live_key
  const { callback_id } = await createTask()
  for (const path of ['/v1/tasks', `/v1/callbacks/${callback_id}`]) {
    const socket = open(t, port)
    const size = 8 * 1024 * 1024
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`,
    )
    // A client that looks for the answer only when all is written.
    socket.pause()
    for (let sent = 0; sent < size; sent += 65_536) {
      if (!socket.write(Buffer.alloc(65_536, 0x20))) await once(socket, 'drain')
    }
    assert.match(await read(socket, /\}$/), /^HTTP\/1\.1 413 /, path)
  }
})

test('a stop does not wait for a client that is gone, nor longer than its grace for half a body', async (t) => {
  const { api, port, credentials, createTask } = await startApi(t)
  const key = credentials.live_key
  const { id } = await createTask()
  const gone = open(t, port)
  gone.write(`GET /v1/tasks/${id}?wait=60 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${key}\r\n\r\n`)
  const half = open(t, port)
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
