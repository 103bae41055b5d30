import assert from 'node:assert/strict'
import type { NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { createEgress } from './egress.ts'
import { createOwnAddresses } from './own-addresses.ts'
import { createResolver } from './resolver.ts'

/** Interfaces with these addresses; of each nothing else is looked at. */
const having = (...addresses: string[]) => ({
  eth0: addresses.map((address) => ({ address }) as NetworkInterfaceInfo),
})

test('the machine’s own addresses are known in any spelling, and read anew when they change', () => {
  let found: ReturnType<typeof networkInterfaces> = having('8.8.4.4', '2a01:0::0:1', 'fe80::1%eth0')
  let time = 0
  const isOwn = createOwnAddresses({ interfaces: () => found, now: () => time })
  for (const address of ['8.8.4.4', '2a01::1', 'fe80::1']) assert.equal(isOwn(address), true, address)
  assert.equal(isOwn('8.8.8.8'), false)
  found = { ...having('8.8.8.8'), eth1: undefined }
  assert.equal(isOwn('8.8.8.8'), false)
  time = 5000
  assert.equal(isOwn('8.8.8.8'), true)
  assert.equal(isOwn('8.8.4.4'), false)
})

test('a public address of this machine is refused as loopback is, unless it is opened', async (t) => {
  const resolver = createResolver({ hosts: { find: async () => ['8.8.4.4'] } })
  t.after(() => resolver.close())
  const isOwn = createOwnAddresses({ interfaces: () => having('8.8.4.4', '2a01::1') })
  const urls = [
    'http://8.8.4.4/',
    'http://[::ffff:8.8.4.4]/',
    'http://[2a01:0:0::1]:5432/',
    'http://name.test/',
  ]
  const closed = createEgress({ allow: [], resolver, isOwn })
  const opened = createEgress({ allow: ['8.8.4.4', '2a01::1'], resolver, isOwn })
  for (const url of urls) {
    const verdict = await closed.checkUrl(new URL(url))
    assert.match(verdict.ok ? 'ok' : verdict.reason, /\(this machine itself\)/, url)
    assert.equal((await opened.checkUrl(new URL(url))).ok, true, url)
  }
})
