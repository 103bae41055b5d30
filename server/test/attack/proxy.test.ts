// With a proxy of the operator's the guard holds as without one, and neither the proxy nor a receiver behind it can undo it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls'
import { atEnd } from '../support/engine.ts'
import { selfSigned } from '../support/self-signed.ts'
import { drip, flood, INSIDE, ok, OUTSIDE, startHostile, startServer, startVictim } from './running-server.ts'

/** A proxy that does what it is asked for by CONNECT; `heads` are what it was asked. */
async function startProxy(t: TestContext) {
  const heads: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    sockets.add(client.on('error', () => {}))
    client.once('data', (bytes) => {
      const head = bytes.toString('latin1')
      heads.push(head)
      const [, host = '', port] = /^CONNECT (.*):(\d+) HTTP\/1\.1\r\n/.exec(head) ?? []
      const upstream = connect(Number(port), host.replace(/[[\]]/g, ''), () => {
        client.write('HTTP/1.1 200 Connection established\r\nvia: 1.1 proxy\r\n\r\n')
        client.pipe(upstream).pipe(client)
      })
      sockets.add(upstream.on('error', () => client.destroy()))
    })
  })
  await once(server.listen(0, INSIDE), 'listening')
  atEnd(t, async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return { heads, flags: { 'egress-proxy': `http://ringback:s3cr%40t@${INSIDE}:${port}` } }
}

const zone = { 'receiver.test': [OUTSIDE], 'inside.test': [INSIDE] }

test('callbacks and target calls go through the proxy, which is asked for the address that was judged', async (t) => {
  const proxy = await startProxy(t)
  const { deliver, callTarget, lines } = await startServer(t, { zone, flags: proxy.flags })
  const receiver = await startHostile(t, (socket) => socket.write(ok('{}')))
  const url = `http://receiver.test:${receiver.port}/in`
  const { outcome } = await deliver(url)
  // The receiver's address, not the proxy's, which is nobody's business.
  assert.deepEqual([outcome.kind, outcome.remote_address], ['delivered', OUTSIDE])
  assert.equal((await callTarget({ url })).status, 'completed')
  const credentials = Buffer.from('ringback:s3cr@t').toString('base64')
  const target = `${OUTSIDE}:${receiver.port}`
  for (const head of proxy.heads)
    assert.equal(
      head,
      `CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\nproxy-authorization: Basic ${credentials}\r\n\r\n`,
    )
  assert.equal(proxy.heads.length, 2)
  assert.match(receiver.requests[0] ?? '', new RegExp(`host: receiver\\.test:${receiver.port}`))
  assert.ok(receiver.requests.every((request) => !/proxy-authorization/i.test(request)))
  assert.doesNotMatch(lines.join(), /s3cr/)
})

test('TLS goes through the proxy unread, and its certificate must be for the name of the URL', async (t) => {
  const authorities = getCACertificates('default')
  setDefaultCACertificates([...authorities, selfSigned.cert])
  t.after(() => setDefaultCACertificates(authorities))
  const proxy = await startProxy(t)
  const names = { ...zone, 'other.test': [OUTSIDE] }
  const { deliver } = await startServer(t, { zone: names, flags: proxy.flags })
  const sockets = new Set<Socket>()
  const receiver = createTlsServer(selfSigned, (socket) => {
    sockets.add(socket.on('error', () => {}).on('data', () => socket.write(ok(''))))
  }).on('tlsClientError', () => {})
  await once(receiver.listen(0, OUTSIDE), 'listening')
  atEnd(t, async () => {
    for (const socket of sockets) socket.destroy()
    receiver.close()
    await once(receiver, 'close')
  })
  const { port } = receiver.address() as AddressInfo
  const kindFor = async (host: string) => (await deliver(`https://${host}:${port}/`)).outcome.kind
  assert.deepEqual([await kindFor('receiver.test'), await kindFor('other.test')], ['delivered', 'tls'])
  assert.ok(proxy.heads.every((head) => head.startsWith(`CONNECT ${OUTSIDE}:${port} `)))
})

test('the proxy is not asked for what the guard refuses', async (t) => {
  const proxy = await startProxy(t)
  const server = await startServer(t, {
    zone: { ...zone, 'rebound.test': [OUTSIDE] },
    flags: proxy.flags,
    ttl_s: 0,
  })
  const victim = await startVictim(t)
  for (const host of ['127.0.0.1', 'localhost', 'inside.test', '[::1]', '169.254.169.254']) {
    const { status } = await server.call('POST', '/v1/tasks', {
      callback_url: `http://${host}:${victim.port}/`,
    })
    assert.equal(status, 422, host)
  }
  const { id } = await server.must('POST', '/v1/tasks', {
    callback_url: `http://rebound.test:${victim.port}/`,
  })
  server.dns.zone = { 'rebound.test': [INSIDE] }
  server.clock.time = 5000
  assert.equal((await server.complete(id)).outcome.kind, 'forbidden')
  assert.deepEqual([proxy.heads, victim.connections], [[], []])
})

test('a proxy that refuses, hangs, raves or smuggles costs one attempt, and its words are not told', async (t) => {
  const acts: [act: (socket: Socket) => void, kind: string, error: RegExp][] = [
    [
      (socket) => socket.write('HTTP/1.1 407 s3cr@t\r\nproxy-authenticate: Basic\r\n\r\n'),
      'connection',
      /own proxy answered 407\.$/,
    ],
    [(socket) => socket.write('SSH-2.0-x\r\n\r\n\r\n'), 'connection', /own proxy speaks no HTTP/],
    [(socket) => flood(socket, 'x'.repeat(1000)), 'connection', /own proxy answered without an end/],
    [
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${ok('')}`),
      'connection',
      /own proxy said more than it was asked/,
    ],
    [(socket) => socket.end(), 'connection', /own proxy closed the connection/],
    [(socket) => drip(socket, 'H'), 'timeout', /The connection was not established within/],
    [() => {}, 'timeout', /The connection was not established within/],
  ]
  for (const [act, kind, error] of acts) {
    const proxy = await startHostile(t, act, INSIDE)
    const { deliver } = await startServer(t, {
      zone,
      flags: { 'egress-proxy': proxy.url },
      timeout_ms: kind === 'timeout' ? 1000 : 15_000,
    })
    const { outcome } = await deliver('http://receiver.test:8080/')
    assert.equal(outcome.kind, kind, `${outcome.error}`)
    assert.match(String(outcome.error), error)
    assert.equal(outcome.response_body, null)
    for (const socket of proxy.connections) if (!socket.destroyed) await once(socket, 'close')
  }
  const { deliver } = await startServer(t, { zone, flags: { 'egress-proxy': 'http://127.0.0.1:1' } })
  assert.match(
    String((await deliver('http://receiver.test:8080/')).outcome.error),
    /own proxy could not be reached/,
  )
})
