import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startRawReceiver, startReceiver } from '../../test/support/receiver.ts'
import { answering, OK, startSender, using } from '../../test/support/sender.ts'
import type { Outcome } from '../domain/outcome.ts'
import { createConnections, type Connection } from './connections.ts'

test('a kept connection that the receiver closes under a request is replaced once, unseen', async (t) => {
  for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const receiver = await using(
      t,
      startRawReceiver((socket, request) => {
        if (request === 1) socket.write(OK)
        else socket[end]()
      }),
    )
    const { send } = await startSender(t)
    assert.equal((await send(receiver.url)).kind, 'delivered')
    assert.equal((await send(receiver.url)).kind, 'delivered', end)
    assert.equal(receiver.connections.length, 2)
  }
})

test('after the one replacement the failure is told', async (t) => {
  let healthy = true
  const receiver = await using(
    t,
    startRawReceiver((socket) => {
      if (healthy) socket.write(OK)
      else socket.resetAndDestroy()
    }),
  )
  const { send } = await startSender(t)
  await send(receiver.url)
  healthy = false
  assert.equal((await send(receiver.url)).kind, 'connection')
  assert.equal(receiver.connections.length, 2)
})

test('a kept connection that breaks in the middle of an answer is not retried', async (t) => {
  const receiver = await using(
    t,
    startRawReceiver((socket, request) => {
      if (request === 1) socket.write(OK)
      else socket.write('HTTP/1.1 2', () => setImmediate(() => socket.destroy()))
    }),
  )
  const { send } = await startSender(t)
  await send(receiver.url)
  assert.equal((await send(receiver.url)).kind, 'connection')
  assert.equal(receiver.connections.length, 1)
})

test('a connection closed while idle costs the next request nothing', async (t) => {
  const receiver = await using(
    t,
    startRawReceiver((socket) => void socket.write(OK, () => setImmediate(() => socket.end()))),
  )
  const { send } = await startSender(t)
  for (let i = 0; i < 3; i++) {
    assert.equal((await send(receiver.url)).kind, 'delivered')
    await once(receiver.connections.at(-1)!, 'close')
  }
  assert.equal(receiver.connections.length, 3)
})

test('requests one after the other share a connection, those at once have their own up to the limit', async (t) => {
  const receiver = await using(
    t,
    startReceiver((_request, response) => void setImmediate(() => response.end())),
  )
  const { send } = await startSender(t, { connections_per_origin: 3 })
  for (let i = 0; i < 5; i++) await send(receiver.url)
  assert.equal(receiver.connections.length, 1)
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => send(receiver.url)))
  assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(['delivered']))
  assert.equal(receiver.connections.length, 3)
})

test('what hangs in one lane leaves the connections of another to the same origin alone', async (t) => {
  const receiver = await using(
    t,
    startReceiver(({ url }, response) => void (url === '/hangs' || response.end())),
  )
  const { send } = await startSender(t, { connections_per_origin: 2 })
  const over = new AbortController()
  const hanging = Array.from({ length: 3 }, () =>
    send(`${receiver.url}/hangs`, { lane: 'the one' }, over.signal),
  )
  for (let i = 0; i < 2; i++)
    assert.equal((await send(receiver.url, { lane: 'the other' })).kind, 'delivered')
  assert.equal(receiver.connections.length, 3)
  over.abort()
  await Promise.all(hanging)
})

test('connection: close is honoured, with others waiting', async (t) => {
  const receiver = await using(
    t,
    startReceiver((_request, response) => void response.setHeader('connection', 'close').end()),
  )
  const { send } = await startSender(t, { connections_per_origin: 1 })
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => send(receiver.url)))
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['delivered', 'delivered', 'delivered', 'delivered'],
  )
  assert.equal(receiver.connections.length, 4)
})

test('a request that waited and got a new socket is not taken for one on a kept connection', async (t) => {
  const receiver = await using(
    t,
    startRawReceiver((socket) => {
      if (receiver.connections.length === 1) socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n`)
      else socket.destroy()
    }),
  )
  const { send } = await startSender(t, { connections_per_origin: 1 })
  const outcomes = await Promise.all([send(receiver.url), send(receiver.url)])
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['delivered', 'connection'],
  )
  assert.equal(receiver.connections.length, 2)
})

test('a connection that closes while idle is forgotten, and its origin with it', async (t) => {
  const receiver = await answering(t, OK)
  const connections = createConnections({
    connect: ({ port }, opened) => {
      const address = '127.0.0.1'
      const socket = connect(Number(port), address, () => opened({ socket, address }))
      return () => socket.destroy()
    },
    per_origin: 1,
    max_origins: 1,
    body_bytes: 1000,
  })
  t.after(() => connections.close())
  const take = () => {
    let taken: Connection | undefined
    const pool = { lane: 'a', origin: receiver.url }
    connections.acquire(pool, { start: (connection) => (taken = connection), stop: () => {} })
    return taken ?? assert.fail('no connection came')
  }
  const first = take()
  const response = await first.client.request({ path: '/', method: 'POST' })
  await response.body.text()
  connections.release(first)
  assert.equal(take(), first)
  connections.release(first)
  const gone = once(first.client, 'disconnect')
  receiver.connections[0]?.destroy()
  await gone
  assert.notEqual(take(), first)
})

test('a request that finds all connections busy until its time is over was never made: unknown', async (t) => {
  const asked = Promise.withResolvers<ServerResponse>()
  const receiver = await using(
    t,
    startReceiver((_request, response) => asked.resolve(response)),
  )
  const { send } = await startSender(t, { connections_per_origin: 1 })
  const first = send(receiver.url)
  const response = await asked.promise
  const second = await send(receiver.url, { timeout_ms: 50 })
  assert.deepEqual(
    [second.kind, second.error],
    ['unknown', 'No connection to the receiver came free within 50 ms.'],
  )
  response.end()
  assert.equal((await first).kind, 'delivered')
})

test('beyond the number of origins the idle connection used longest ago is closed', async (t) => {
  const receivers = await Promise.all(Array.from({ length: 3 }, () => answering(t, OK)))
  const [a, b, c] = receivers
  const { send } = await startSender(t, { max_origins: 2 })
  await send(a!.url)
  await send(b!.url)
  await send(a!.url)
  const closed = once(b!.connections[0]!, 'close')
  await send(c!.url)
  await closed
  await send(a!.url)
  assert.deepEqual(
    receivers.map(({ connections }) => connections.length),
    [1, 1, 1],
  )
})

test('an aborted signal ends a send as unknown, wherever it stands', async (t) => {
  const asked = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const receiver = await using(
    t,
    startRawReceiver((socket) => {
      asked.resolve()
      socket.on('close', () => closed.resolve())
    }),
  )
  const { send } = await startSender(t, { connections_per_origin: 1, zone: { 'a.test': 'silent' } })
  const stop = new AbortController()
  const sends = [
    send(receiver.url, {}, stop.signal),
    send(receiver.url, {}, stop.signal),
    send('http://a.test/', {}, stop.signal),
  ]
  await asked.promise
  stop.abort()
  sends.push(send(receiver.url, {}, stop.signal))
  for (const outcome of await Promise.all(sends)) {
    assert.deepEqual([outcome.kind, outcome.error], ['unknown', 'stopped'])
  }
  await closed.promise
})

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

test('close ends what is under way as unknown and leaves no socket and no timer', async (t) => {
  const before = timers()
  const asked = Promise.withResolvers<void>()
  const receiver = await using(
    t,
    startRawReceiver((socket, request) => {
      if (request === 1) socket.write(OK)
      else asked.resolve()
    }),
  )
  const idle = await answering(t, OK)
  const { sender, resolver, send, dns } = await startSender(t, {
    connections_per_origin: 1,
    zone: { 'a.test': 'silent' },
  })
  await send(idle.url)
  await send(receiver.url)
  const questioned = dns.nextQuestion()
  const sends = [send(receiver.url), send(receiver.url), send('http://a.test/')]
  await Promise.all([asked.promise, questioned])
  const closed = [...idle.connections, ...receiver.connections].map((socket) => once(socket, 'close'))
  await sender.close()
  sends.push(send(receiver.url))
  for (const outcome of await Promise.all(sends)) {
    assert.deepEqual([outcome.kind, outcome.error], ['unknown', 'stopped'])
  }
  assert.equal((await Promise.all(closed)).length, 2)
  resolver.close()
  await resolver.resolve('a.test')
  assert.equal(timers(), before)
  await sender.close()
})

test('a thousand sends to a receiver that does everything at random all end, with a known kind', async (t) => {
  let count = 0
  const wild = await using(
    t,
    startRawReceiver((socket) => {
      const choice = count++ % 5
      if (choice === 0) socket.destroy()
      else if (choice === 1) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')
      else if (choice === 2) socket.write('nonsense\r\n\r\n')
      else socket.write(OK)
    }),
  )
  const { send } = await startSender(t, { connections_per_origin: 8, body_ms: 50 })
  const outcomes = await Promise.all(
    Array.from({ length: 1000 }, () => send(wild.url, { timeout_ms: 60_000 })),
  )
  const kinds = new Set(outcomes.map(({ kind }) => kind))
  for (const kind of kinds) assert.ok(['delivered', 'connection', 'protocol'].includes(kind), kind)
})

test('a receiver that hangs on all its connections does not hold up another', async (t) => {
  const hanging = await using(
    t,
    startRawReceiver(() => {}),
  )
  const receiver = await answering(t, OK)
  const { send } = await startSender(t)
  const kinds: string[] = []
  const note = ({ kind }: Outcome) => void kinds.push(kind)
  await Promise.all([
    ...Array.from({ length: 70 }, () => send(hanging.url, { timeout_ms: 1000 }).then(note)),
    send(receiver.url).then(note),
  ])
  assert.equal(kinds[0], 'delivered')
  assert.equal(kinds.filter((kind) => kind === 'timeout' || kind === 'unknown').length, 70)
})
