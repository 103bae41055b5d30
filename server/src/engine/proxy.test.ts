import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { SendError } from '../domain/outcome.ts'
import { createProxyReach } from './proxy.ts'
import { createResolver } from './resolver.ts'

test('a proxy that says nothing, and not the receiver, is named as what took the time', async (t) => {
  const proxy = createServer((socket) => socket.on('error', () => {}).resume())
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  t.after(() => proxy.close())
  const { port } = proxy.address() as AddressInfo
  const resolver = createResolver()
  t.after(() => resolver.close())
  const reach = createProxyReach({ url: `http://127.0.0.1:${port}`, resolver })
  const bounds = { timeout_ms: 200, signal: new AbortController().signal }
  const failure = await reach({ address: '192.0.2.1', port: 443 }, bounds)
  assert.ok(failure instanceof SendError)
  assert.equal(failure.kind, 'timeout')
  assert.match(failure.message, /^This server’s own proxy gave no connection within \d+ ms\.$/)
})
