import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { startDnsServer, type Zone } from '../../test/support/dns-server.ts'
import { createEgress, type Egress } from './egress.ts'
import { createResolver } from './resolver.ts'

const noHosts = { find: async () => undefined }

async function setUp(
  t: TestContext,
  { zone = {}, allow = [], timeout_ms }: { zone?: Zone; allow?: string[]; timeout_ms?: number } = {},
) {
  const dns = await startDnsServer(zone)
  const clock = { time: 0 }
  const resolver = createResolver({
    servers: [dns.address],
    hosts: noHosts,
    now: () => clock.time,
    ...(timeout_ms === undefined ? {} : { timeout_ms }),
  })
  t.after(async () => {
    resolver.close()
    await dns[Symbol.asyncDispose]()
  })
  return { dns, clock, egress: createEgress({ allow, resolver }) }
}

/** Connects as the HTTP client would; the peer's address, or the failure. */
function tryConnect(egress: Egress, hostname: string, port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  egress.connect({ hostname, protocol: 'http:', port: String(port) }, (opened) => {
    if (opened instanceof Error) return resolve(opened.message)
    resolve(`${opened.socket.remoteAddress}`)
    opened.socket.destroy()
  })
  return promise
}

async function listen(t: TestContext, address = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  t.after(() => server.close())
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

const loopbackSpellings = [
  'http://127.0.0.1/',
  'http://127.0.0.1:8080/x',
  'https://127.0.0.1/',
  'http://user:pass@127.0.0.1/',
  'http://127.0.0.1./',
  'http://127.1/',
  'http://127.0.1/',
  'http://127.255.255.254/',
  'http://2130706433/',
  'http://017700000001/',
  'http://0x7f000001/',
  'http://0X7F.1/',
  'http://0x7f.0x0.0x0.0x1/',
  'http://0177.0.0.1/',
  'http://0177.0.0.01/',
  'http://127.0.0.0x1/',
  'http://127.0x1/',
  'http://1２7.0.0.1/',
  'http://①②⑦.⓪.⓪.①/',
  'http://127。0。0。1/',
  'http://%31%32%37.0.0.1/',
  'http://[::1]/',
  'http://[::1]:8080/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[0000:0000::0001]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[0:0:0:0:0:ffff:127.0.0.1]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::127.0.0.1]/',
  'http://[2002:7f00:1::]/',
  'http://localhost/',
  'http://LOCALHOST/',
  'http://localhost./',
  'http://a.b.localhost/',
  'http:\\\\127.0.0.1/',
]

test('every spelling of loopback is refused', async (t) => {
  const { egress } = await setUp(t)
  for (const spelling of loopbackSpellings) {
    const verdict = await egress.checkUrl(new URL(spelling))
    assert.equal(verdict.ok, false, spelling)
  }
})

test('schemes other than http and https are refused', async (t) => {
  const { egress } = await setUp(t)
  for (const url of [
    'ftp://8.8.8.8/',
    'file:///etc/passwd',
    'gopher://8.8.8.8/',
    'ws://8.8.8.8/',
    'data:,x',
  ]) {
    assert.deepEqual(await egress.checkUrl(new URL(url)), {
      ok: false,
      reason: `Scheme ${new URL(url).protocol} is not http or https.`,
    })
  }
})

test('a name is judged by all its addresses, and one that does not resolve passes at create', async (t) => {
  const { egress } = await setUp(t, {
    zone: {
      'public.test': ['93.184.216.34', '2606:4700::1111'],
      'metadata.test': ['169.254.169.254'],
      'mixed.test': ['93.184.216.34', '10.0.0.1'],
      'mixed6.test': ['93.184.216.34', 'fd00::1'],
      'broken.test': 'broken',
    },
  })
  const reasonOf = async (name: string) => {
    const verdict = await egress.checkUrl(new URL(`https://${name}/`))
    return verdict.ok ? 'ok' : verdict.reason
  }
  assert.equal(await reasonOf('public.test'), 'ok')
  assert.equal(await reasonOf('missing.test'), 'ok')
  assert.equal(await reasonOf('broken.test'), 'ok')
  assert.equal(
    await reasonOf('metadata.test'),
    'The name metadata.test resolves to an address that is not public (link-local).',
  )
  assert.match(await reasonOf('mixed.test'), /\(private\)/)
  assert.match(await reasonOf('mixed6.test'), /\(unique-local\)/)
  assert.equal(await reasonOf('10.0.0.1'), 'The address 10.0.0.1 is not public (private).')
})

test('a name that DNS does not answer passes at create, long before the look-up ends', async (t) => {
  const { egress } = await setUp(t, { zone: { 'a.test': 'silent' }, timeout_ms: 3_600_000 })
  assert.deepEqual(await egress.checkUrl(new URL('https://a.test/')), { ok: true })
})

test('the allow-list opens loopback by address, for literals and names alike, at create and at connect', async (t) => {
  const port = await listen(t)
  const { egress } = await setUp(t, { zone: { 'a.test': ['127.0.0.1'] }, allow: ['127.0.0.0/8'] })
  for (const host of ['127.0.0.1', 'a.test', '[::ffff:127.0.0.1]']) {
    assert.deepEqual(await egress.checkUrl(new URL(`http://${host}/`)), { ok: true }, host)
  }
  assert.equal(await tryConnect(egress, '127.0.0.1', port), '127.0.0.1')
  assert.equal(await tryConnect(egress, 'a.test', port), '127.0.0.1')
})

test('what is refused at create is refused at connect, and nothing is connected', async (t) => {
  const port = await listen(t)
  const { egress } = await setUp(t, {
    zone: { 'a.test': ['127.0.0.1'], 'b.test': ['93.184.216.34', '127.0.0.1'] },
  })
  for (const host of ['127.0.0.1', '::1', '::ffff:127.0.0.1', 'a.test', 'b.test', 'localhost']) {
    assert.match(await tryConnect(egress, host, port), /not public \(loopback\)/, host)
  }
})

test('a name that is public at create and loopback at connect is refused', async (t) => {
  const port = await listen(t)
  const { egress, dns, clock } = await setUp(t, { zone: { 'a.test': ['93.184.216.34'] } })
  assert.deepEqual(await egress.checkUrl(new URL('http://a.test/')), { ok: true })
  dns.zone = { 'a.test': ['127.0.0.1'] }
  clock.time = 30_000
  assert.match(await tryConnect(egress, 'a.test', port), /not public \(loopback\)/)
})

test('the connection goes to the address that was judged, by one look-up of the name', async (t) => {
  const port = await listen(t, '127.0.0.2')
  const { egress, dns } = await setUp(t, { zone: { 'a.test': ['127.0.0.2'] }, allow: ['127.0.0.2'] })
  assert.equal(await tryConnect(egress, 'a.test', port), '127.0.0.2')
  assert.equal(dns.questions.length, 2)
})

test('the next address is tried when one refuses, three at most', async (t) => {
  const port = await listen(t, '127.0.0.9')
  const { egress } = await setUp(t, {
    zone: {
      'third.test': ['127.0.0.2', '127.0.0.3', '127.0.0.9'],
      'fourth.test': ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.9'],
    },
    allow: ['127.0.0.0/8'],
  })
  assert.equal(await tryConnect(egress, 'third.test', port), '127.0.0.9')
  assert.match(await tryConnect(egress, 'fourth.test', port), /ECONNREFUSED/)
})

test('a bad allow-list entry stops the start and is named', async () => {
  const resolver = createResolver({ hosts: noHosts })
  assert.throws(() => createEgress({ allow: ['everything'], resolver }), /"everything"/)
})
