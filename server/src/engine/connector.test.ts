import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import {
  createServer,
  getCACertificates,
  setDefaultCACertificates,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls'
import type { Zone } from '../../test/support/dns-server.ts'
import { startRawReceiver } from '../../test/support/receiver.ts'
import { selfSigned } from '../../test/support/self-signed.ts'
import { answering, OK, startSender, using } from '../../test/support/sender.ts'
import { SendError, type Outcome } from '../domain/outcome.ts'
import { createConnector } from './connector.ts'

/** A TLS receiver with the self-signed certificate; `seen` gets the connections it accepted. */
async function startTlsReceiver(t: TestContext, options: TlsOptions = {}) {
  const seen: { servername: unknown; resumed: boolean; protocol: unknown }[] = []
  const sockets = new Set<TLSSocket>()
  const server = createServer({ ...selfSigned, ...options }, (socket) => {
    seen.push({
      servername: socket.servername,
      resumed: socket.isSessionReused(),
      protocol: socket.alpnProtocol,
    })
    sockets.add(socket)
    socket.on('error', () => {}).on('data', () => socket.write(OK))
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  return { port, seen, sockets }
}

/** Makes this process trust the self-signed certificate until the test ends. */
function trustSelfSigned(t: TestContext): void {
  const authorities = getCACertificates('default')
  setDefaultCACertificates([...authorities, selfSigned.cert])
  t.after(() => setDefaultCACertificates(authorities))
}

const toLoopback: Zone = { 'receiver.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] }

test('TLS goes to the vetted address under the name of the URL, without HTTP/2', async (t) => {
  const { port, seen } = await startTlsReceiver(t, { ALPNProtocols: ['h2', 'http/1.1'] })
  trustSelfSigned(t)
  const { send } = await startSender(t, { zone: toLoopback })
  for (const host of ['receiver.test', 'receiver.test.', '127.0.0.1']) {
    const outcome = await send(`https://${host}:${port}/`)
    assert.deepEqual([outcome.kind, outcome.remote_address], ['delivered', '127.0.0.1'], host)
  }
  assert.deepEqual(
    seen.map(({ servername }) => servername),
    ['receiver.test', 'receiver.test', false],
  )
  assert.deepEqual(new Set(seen.map(({ protocol }) => protocol)), new Set(['http/1.1']))
})

test('no handshake is made again on a connection that stands', async (t) => {
  const { port, sockets } = await startTlsReceiver(t, { maxVersion: 'TLSv1.2' })
  trustSelfSigned(t)
  const { send } = await startSender(t, { zone: toLoopback })
  await send(`https://receiver.test:${port}/`)
  const [socket] = sockets
  assert.ok(socket)
  const refused = once(socket, 'error')
  socket.renegotiate({}, () => assert.fail('it was made'))
  const [error] = await refused
  assert.equal(error.code, 'ERR_SSL_NO_RENEGOTIATION')
})

test('a certificate that is not trusted, or for another name, is a tls outcome each time', async (t) => {
  // A resumed session is not checked for its name again: one that was kept too early would open the second try.
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { port } = await startTlsReceiver(t, { maxVersion })
    const { send } = await startSender(t, { zone: toLoopback })
    const errors: (string | null)[] = []
    const tryTwice = async (host: string) => {
      for (let i = 0; i < 2; i++) {
        const outcome = await send(`https://${host}:${port}/`)
        assert.equal(outcome.kind, 'tls', `${maxVersion} ${host} ${i}`)
        errors.push(outcome.error)
      }
    }
    await tryTwice('receiver.test')
    trustSelfSigned(t)
    await tryTwice('other.test')
    setDefaultCACertificates(getCACertificates('bundled'))
    const untrusted = "The receiver's certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT)."
    const misnamed = "The receiver's certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)."
    assert.deepEqual(errors, [untrusted, untrusted, misnamed, misnamed])
  }
})

test('no environment variable switches the check of certificates off', async (t) => {
  const { port } = await startTlsReceiver(t)
  const { send } = await startSender(t)
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED
  t.after(() => {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before
  })
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  assert.equal((await send(`https://127.0.0.1:${port}/`)).kind, 'tls')
})

test('a second connection resumes the TLS session of the first', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { port, seen, sockets } = await startTlsReceiver(t, { maxVersion })
    trustSelfSigned(t)
    const { send } = await startSender(t, { zone: toLoopback })
    for (let i = 0; i < 2; i++) {
      assert.equal((await send(`https://receiver.test:${port}/`)).kind, 'delivered')
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    }
    assert.deepEqual(
      seen.map(({ resumed }) => resumed),
      [false, true],
      maxVersion,
    )
  }
})

test('no Diffie-Hellman group of a receiver is ever reckoned in', async (t) => {
  const { send } = await startSender(t)
  const hello = Promise.withResolvers<Buffer>()
  const receiver = createTcpServer((socket) =>
    socket.once('data', (bytes: Buffer) => {
      hello.resolve(bytes)
      socket.destroy()
    }),
  ).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.after(() => receiver.close())
  await send(`https://127.0.0.1:${(receiver.address() as AddressInfo).port}/`)
  const bytes = await hello.promise
  // RFC 8446, 4.1.2, behind the two headers: version, random, session id, and then the suites.
  const at = 9 + 2 + 32 + 1 + bytes.readUInt8(9 + 2 + 32)
  const suites = bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at))
  const offered = Array.from({ length: suites.length / 2 }, (_, i) => suites.readUInt16BE(2 * i))
  assert.ok(offered.includes(0x1301) && offered.includes(0xc02f))
  // DHE_RSA with AES, by https://www.iana.org/assignments/tls-parameters/.
  const ofReceiversChoice = [0x0033, 0x0039, 0x0067, 0x006b, 0x009e, 0x009f, 0xccaa, 0xc09e, 0xc09f]
  assert.deepEqual(
    offered.filter((suite) => ofReceiversChoice.includes(suite)),
    [],
  )
})

test('a TLS handshake that is refused, broken off or never answered has its own outcome', async (t) => {
  const { send } = await startSender(t)
  const plain = await answering(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')
  assert.equal((await send(`https://127.0.0.1:${plain.port}/`)).kind, 'tls')
  const breaking = await using(
    t,
    startRawReceiver((socket) => socket.destroy()),
  )
  assert.equal((await send(`https://127.0.0.1:${breaking.port}/`)).kind, 'tls')
  const closed = Promise.withResolvers<void>()
  const silent = await using(
    t,
    startRawReceiver((socket) => socket.on('close', () => closed.resolve())),
  )
  const outcome = await send(`https://127.0.0.1:${silent.port}/`, { timeout_ms: 50 })
  assert.deepEqual(
    [outcome.kind, outcome.error],
    ['timeout', 'The connection was not established within 50 ms.'],
  )
  await closed.promise
})

test('an address that does not connect in time is given up', async (t) => {
  const receiver = await answering(t, OK)
  const connectSoon = createConnector({ vet: async () => ['127.0.0.1'], connect_timeout_ms: 10 })
  const { promise, resolve } = Promise.withResolvers<Error | null>()
  connectSoon({ hostname: 'a.test', protocol: 'http:', port: `${receiver.port}` }, (opened) =>
    resolve(opened instanceof Error ? opened : null),
  )
  // Microtasks until it connects; then the process is too busy to notice that it did.
  for (let i = 0; i < 20; i++) await Promise.resolve()
  const until = performance.now() + 20
  while (performance.now() < until);
  const error = await promise
  assert.ok(error instanceof SendError)
  assert.equal(error.kind, 'timeout')
})

test('loopback without an allow-list entry is forbidden at send as it is at create', async (t) => {
  const receiver = await answering(t, OK)
  const { send } = await startSender(t, { allow: [], zone: { 'a.test': ['127.0.0.1'] } })
  for (const host of ['127.0.0.1', 'a.test', 'localhost', '[::1]']) {
    const outcome = await send(`http://${host}:${receiver.port}/`)
    assert.equal(outcome.kind, 'forbidden', host)
    assert.match(outcome.error ?? '', /not public \(loopback\)\.$/)
  }
  assert.equal((await send('ftp://127.0.0.1/')).kind, 'forbidden')
  assert.equal(receiver.connections.length, 0)
})

test('a name that does not exist is a dns outcome', async (t) => {
  const { send } = await startSender(t)
  const outcome = await send('http://missing.test/')
  assert.deepEqual(
    [outcome.kind, outcome.error],
    ['dns', 'The name missing.test does not exist or has no address.'],
  )
})

test('names of the hosts file are sent to', async (t) => {
  const receiver = await answering(t, OK)
  const { send, dns } = await startSender(t, {
    hosts: { find: async (name) => (name === 'box' ? ['127.0.0.1'] : undefined) },
  })
  assert.equal((await send(`http://box:${receiver.port}/`)).kind, 'delivered')
  assert.deepEqual(dns.questions, [])
})

test('names that hang in DNS time out by themselves and delay no other send', async (t) => {
  const zone: Zone = { 'ok.test': ['127.0.0.1'] }
  const hanging = Array.from({ length: 8 }, (_, i) => `hang${i}.test`)
  for (const name of hanging) zone[name] = 'silent'
  const receiver = await answering(t, OK)
  const { send } = await startSender(t, { zone })
  const kinds: string[] = []
  const note = ({ kind }: Outcome) => void kinds.push(kind)
  await Promise.all([
    ...hanging.map((name) => send(`http://${name}/`, { timeout_ms: 1000 }).then(note)),
    send(`http://ok.test:${receiver.port}/`).then(note),
  ])
  assert.deepEqual(kinds, ['delivered', ...hanging.map(() => 'timeout')])
})
