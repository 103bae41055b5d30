// What needs names: real look-ups at a name server of the test's.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Guard } from '../../app.ts'
import { createEgress } from '../../engine/egress.ts'
import { createResolver } from '../../engine/resolver.ts'
import { startDnsServer, type Zone } from '../../../test/support/dns-server.ts'
import { checkDns } from './dns.ts'
import { checkEgress, judgeCallbackUrl } from './egress.ts'

const TIMEOUT_MS = 200

async function guardOn(t: TestContext, zone: Zone, allow: string[] = []): Promise<Guard> {
  const dns = await startDnsServer(zone)
  t.after(() => dns[Symbol.asyncDispose]())
  const hosts = { find: async () => undefined }
  const resolver = createResolver({ servers: [dns.address], timeout_ms: TIMEOUT_MS, hosts })
  return { resolver, egress: createEgress({ allow, resolver }), resolve_timeout_ms: TIMEOUT_MS }
}

const servers = ['192.0.2.53']
const dev = { purpose: 'dev', public_url: null, servers } as const
const serve = { purpose: 'serve', public_url: 'https://ring.test/base', servers } as const

test('the name of the public URL is resolved, else a well-known one', async (t) => {
  const zone = { 'ring.test': ['8.8.4.4'], 'example.com': ['8.8.8.8', '2001:4860:4860::8888'] }
  const own = await checkDns(await guardOn(t, zone), serve)
  assert.match(own.found, /^ring\.test is 8\.8\.4\.4, after \d+ ms \(192\.0\.2\.53, time-out 200 ms\)$/)
  for (const asked of [dev, { ...serve, public_url: 'https://[2001:4860:4860::8844]' }]) {
    const { level, found } = await checkDns(await guardOn(t, zone), asked)
    assert.equal(level, 'ok')
    assert.match(found, /^example\.com is 8\.8\.8\.8, 2001:4860:4860::8888, after /)
  }
})

test('a name that is not there is a warning; a server that does not answer fails what serves', async (t) => {
  const missing = await checkDns(await guardOn(t, {}), serve)
  assert.equal(missing.level, 'warn')
  assert.match(missing.found, /^The name ring\.test does not exist or has no address \(/)
  const zone: Zone = { 'ring.test': 'silent', 'example.com': 'broken' }
  const silent = await checkDns(await guardOn(t, zone), serve)
  assert.equal(silent.level, 'fail')
  assert.match(silent.found, /^The name ring\.test .* \(192\.0\.2\.53, time-out 200 ms\)$/)
  assert.equal((await checkDns(await guardOn(t, zone), dev)).level, 'warn')
})

test('what is opened is told, and what is delicate of it', async (t) => {
  const say = async (allow: string[], purpose: 'dev' | 'serve' = 'serve') => {
    const { level, found } = await checkEgress(await guardOn(t, {}, allow), { purpose, allow })
    return `${level} ${found}`
  }
  assert.equal(await say([]), 'ok callbacks may go to public addresses only')
  assert.equal(
    await say([], 'dev'),
    'ok callbacks may go to public addresses, and as `dev` this machine only',
  )
  assert.equal(await say(['10.0.0.0/8']), 'warn RINGBACK_EGRESS_ALLOW opens 10.0.0.0/8')
  assert.equal(
    await say(['10.0.0.0/8', '169.254.0.0/16']),
    'warn RINGBACK_EGRESS_ALLOW opens 10.0.0.0/8, 169.254.0.0/16, which lets customers reach the metadata of a cloud machine, with its credentials',
  )
  assert.match(await say(['0.0.0.0/0']), /reach this machine itself and the metadata /)
})

test('a callback URL is judged with the address that would be connected to', async (t) => {
  const zone = {
    'public.test': ['8.8.4.4', '8.8.8.8'],
    'inside.test': ['10.0.0.5'],
    'both.test': ['8.8.4.4', '10.0.0.5'],
  }
  const judge = async (url: string, allow: string[] = []) => {
    const { level, found } = await judgeCallbackUrl(await guardOn(t, zone, allow), new URL(url))
    return `${level} ${found}`
  }
  const rows: [url: string, said: string, allow?: string[]][] = [
    [
      'https://public.test/hook?a=1',
      'ok https://public.test is allowed: it would be connected to at 8.8.4.4, else 8.8.8.8',
    ],
    ['http://8.8.4.4:8080/', 'ok http://8.8.4.4:8080 is allowed: it would be connected to at 8.8.4.4'],
    [
      'https://inside.test/',
      'fail The name inside.test resolves to an address that is not public (private): 10.0.0.5',
    ],
    [
      'https://both.test/',
      'fail The name both.test resolves to an address that is not public (private): 8.8.4.4, else 10.0.0.5',
    ],
    [
      'https://inside.test/',
      'ok https://inside.test is allowed: it would be connected to at 10.0.0.5',
      ['10.0.0.0/8'],
    ],
    ['http://[::1]/', 'fail The address ::1 is not public (loopback): ::1'],
    ['https://none.test/', 'fail The name none.test does not exist or has no address'],
  ]
  for (const [url, said, allow] of rows) assert.equal(await judge(url, allow), said)
})
