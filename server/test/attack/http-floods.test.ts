// Clients that ask for more at a time than anybody should.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { startApi } from '../http/start-api.ts'
import { exchange, openSocket, readSocket } from '../support/raw-socket.ts'

const PIPELINED = 5000

test('a flood of requests that nobody waits for starts a hundred of them at most, and closes the connection', async (t) => {
  let started = 0
  const { port, credentials } = await startApi(
    t,
    {},
    {
      wrapStore: (store) => ({
        ...store,
        listTasks() {
          started++
          return new Promise(() => {})
        },
      }),
    },
  )
  const request = `GET /v1/tasks HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${credentials.live_key}\r\n\r\n`
  await exchange(t, port, request.repeat(PIPELINED))
  await fetch(`http://127.0.0.1:${port}/readyz`)
  assert.ok(started <= 100, String(started))
})

test('pipelined requests within reason are answered in their order', async (t) => {
  const { port } = await startApi(t)
  const paths = Array.from({ length: 90 }, (_, i) => `/nowhere/${i}`)
  const socket = openSocket(t, port)
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`).join(''))
  const answers = await readSocket(socket, /at \/nowhere\/89;/)
  assert.deepEqual(
    Array.from(answers.matchAll(/served at (\S+);/g), ([, path]) => path),
    paths,
  )
})

test('a stop does not wait for pipelined requests whose client is gone', async (t) => {
  const { api, port, credentials, createTask } = await startApi(t)
  const { id } = await createTask()
  const socket = openSocket(t, port)
  const wait = `GET /v1/tasks/${id}?wait=60 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${credentials.live_key}\r\n\r\n`
  socket.write(wait.repeat(3) + 'GET /nowhere HTTP/1.1\r\nhost: a\r\n\r\n')
  // Both connections are served by one loop, in their order.
  await fetch(`http://127.0.0.1:${port}/healthz`)
  socket.destroy()
  await fetch(`http://127.0.0.1:${port}/healthz`)
  await api.drain()
})

test('garbage behind a request that is not answered yet is not given that request’s answer', async (t) => {
  const { port, credentials, createTask } = await startApi(t)
  const { id } = await createTask()
  const wait = `GET /v1/tasks/${id}?wait=60 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${credentials.live_key}\r\n\r\n`
  assert.equal(await exchange(t, port, `${wait}FOO BAR\r\n\r\n`), '')
})

test('an address has so many connections and no more, and gets new ones for those it closes', async (t) => {
  const { port } = await startApi(t, { connections_per_address: 3 })
  const ask = 'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n'
  const held = Array.from({ length: 3 }, () => openSocket(t, port))
  for (const socket of held) {
    socket.write(ask)
    await once(socket, 'data')
  }
  assert.equal(await exchange(t, port, ask), '')
  held[0]?.destroy()
  // Until the server has noticed.
  for (;;) {
    const socket = openSocket(t, port)
    socket.write(ask)
    if ((await readSocket(socket, /ok/)) !== '') break
  }
})

test('a trusted proxy may have any number of connections', async (t) => {
  const { port } = await startApi(t, { connections_per_address: 1, trust_proxy: ['127.0.0.0/8'] })
  for (let i = 0; i < 3; i++) {
    const socket = openSocket(t, port)
    socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n')
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 /)
  }
})

test('past the total number of connections further ones are closed at once', async (t) => {
  const { port } = await startApi(t, { connections: 1, trust_proxy: ['127.0.0.1'] })
  const ask = 'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n'
  const first = openSocket(t, port)
  first.write(ask)
  await once(first, 'data')
  assert.equal(await exchange(t, port, ask), '')
})

test('a request has a hundred headers at most, and none is dropped in silence', async (t) => {
  const { port } = await startApi(t)
  const request = (headers: number, path: string) =>
    `GET ${path} HTTP/1.1\r\n${'a:\r\n'.repeat(headers - 1)}connection: close\r\n\r\n`
  assert.match(await exchange(t, port, request(100, '/healthz')), /^HTTP\/1\.1 200 /)
  assert.match(await exchange(t, port, request(101, '/healthz')), /^HTTP\/1\.1 431 [^]*"headers_too_large"/)
  assert.match(await exchange(t, port, request(3000, '/healthz')), /^HTTP\/1\.1 431 /)
  assert.match(
    await exchange(t, port, request(101, '/scale/v1/tasks')),
    /^HTTP\/1\.1 400 [^]*"status_code":400/,
  )
})

test('heads of more than 16 KiB are refused, whatever is long in them', async (t) => {
  const { port } = await startApi(t)
  const long = 'x'.repeat(17_000)
  for (const head of [
    `GET /${long} HTTP/1.1\r\nhost: a`,
    `GET / HTTP/1.1\r\nhost: ${long}`,
    `GET / HTTP/1.1\r\nhost: a\r\n${long}: b`,
    `GET / HTTP/1.1\r\nhost: a\r\ncookie: ${long}`,
  ]) {
    assert.match(await exchange(t, port, `${head}\r\n\r\n`), /^HTTP\/1\.1 431 /, head.slice(0, 40))
  }
})
