// Attacks on TLS: somebody who is not the receiver, and handshakes that are never finished.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createServer, getCACertificates, setDefaultCACertificates, type TlsOptions } from 'node:tls'
import type { Zone } from '../support/dns-server.ts'
import { atEnd } from '../support/engine.ts'
import { expired, selfSigned } from '../support/self-signed.ts'
import { drip, ok, OUTSIDE, startHostile, startServer } from './running-server.ts'

const zone: Zone = { 'receiver.test': [OUTSIDE], 'other.test': [OUTSIDE] }

/** A TLS receiver; `requests` are those that got through to it. */
async function startTls(t: TestContext, options: TlsOptions) {
  const requests: string[] = []
  const server = createServer(options, (socket) => {
    socket
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        requests.push(bytes.toString('latin1'))
        socket.write(ok(''))
      })
  })
  server.on('tlsClientError', () => {})
  const sockets = new Set<{ destroy: () => void }>()
  server.on('connection', (socket) => void sockets.add(socket))
  await once(server.listen(0, OUTSIDE), 'listening')
  atEnd(t, async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return { port: (server.address() as AddressInfo).port, requests }
}

/** Makes this process trust these certificates until the test ends. */
function trust(t: TestContext, ...certificates: string[]): void {
  const authorities = getCACertificates('default')
  setDefaultCACertificates([...authorities, ...certificates])
  t.after(() => setDefaultCACertificates(authorities))
}

const certificates: [what: string, pair: TlsOptions, host: string, trusted: string[], error: RegExp][] = [
  ['nobody vouches for', selfSigned, 'receiver.test', [], /is self-signed/],
  ['is for another name', selfSigned, 'other.test', [selfSigned.cert], /is for another name/],
  ['is for another address', selfSigned, OUTSIDE, [selfSigned.cert], /is for another name/],
  ['has expired', expired, 'receiver.test', [expired.cert], /has expired/],
]

for (const [what, pair, host, trusted, error] of certificates) {
  test(`whoever shows a certificate that ${what} is told nothing, by callbacks or by target calls`, async (t) => {
    trust(t, ...trusted)
    const { deliver, callTarget } = await startServer(t, { zone })
    const receiver = await startTls(t, pair)
    const url = `https://${host}:${receiver.port}/`
    // Twice: a session that was kept too early would not be checked again.
    for (let i = 0; i < 2; i++) {
      const { outcome } = await deliver(url)
      assert.equal(outcome.kind, 'tls')
      assert.match(String(outcome.error), error)
      assert.match(String((await callTarget({ url })).error?.message), error)
    }
    assert.deepEqual(receiver.requests, [])
  })
}

test('a certificate that is trusted and right is taken', async (t) => {
  trust(t, selfSigned.cert)
  const { deliver } = await startServer(t, { zone })
  const receiver = await startTls(t, selfSigned)
  assert.equal((await deliver(`https://receiver.test:${receiver.port}/`)).outcome.kind, 'delivered')
})

test('a TLS handshake that hangs or drips ends with the time-out', async (t) => {
  const { deliver, callTarget } = await startServer(t)
  // A record of 16 KiB that begins a ServerHello, and comes byte by byte.
  const begin = '\x16\x03\x03\x40\x00\x02\x00\x3f\x7c'
  const acts: ((socket: Socket) => void)[] = [
    () => {},
    (socket) => {
      socket.write(begin)
      drip(socket, '\0')
    },
  ]
  for (const act of acts) {
    const hostile = await startHostile(t, act)
    const url = hostile.url.replace('http:', 'https:')
    assert.equal((await deliver(url)).outcome.kind, 'timeout')
    assert.equal((await callTarget({ url, timeout_s: 1 })).status, 'failed')
    for (const socket of hostile.connections) if (!socket.destroyed) await once(socket, 'close')
  }
})

test('who answers plain HTTP where TLS was asked for is not spoken to in plain', async (t) => {
  const { deliver } = await startServer(t)
  const hostile = await startHostile(t, (socket) => socket.write(ok('')))
  const { outcome } = await deliver(hostile.url.replace('http:', 'https:'))
  assert.equal(outcome.kind, 'tls')
  assert.ok(hostile.requests.every((request) => !request.includes('POST ')))
})
