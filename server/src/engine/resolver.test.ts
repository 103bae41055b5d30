import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startDnsServer, type Zone } from '../../test/support/dns-server.ts'
import { createResolver, type ResolverOptions } from './resolver.ts'

const noHosts = { find: async () => undefined }

async function setUp(t: TestContext, zone: Zone, options: ResolverOptions = {}, ttl_s = 30) {
  const dns = await startDnsServer(zone, ttl_s)
  const clock = { time: 0 }
  const resolver = createResolver({
    servers: [dns.address],
    hosts: noHosts,
    now: () => clock.time,
    ...options,
  })
  t.after(async () => {
    resolver.close()
    await dns[Symbol.asyncDispose]()
  })
  return { dns, clock, resolver }
}

test('both families are asked for and come back in turn, IPv4 first', async (t) => {
  const { resolver, dns } = await setUp(t, {
    'a.test': ['2001:db8::1', '192.0.2.1', '192.0.2.2', '192.0.2.3'],
  })
  assert.deepEqual(await resolver.resolve('A.test.'), {
    addresses: ['192.0.2.1', '2001:db8::1', '192.0.2.2', '192.0.2.3'],
  })
  assert.deepEqual(dns.questions.toSorted(), ['A a.test', 'AAAA a.test'])
})

test('callers who ask for one name at the same time share one query', async (t) => {
  const { resolver, dns } = await setUp(t, { 'a.test': ['192.0.2.1'] })
  await Promise.all(Array.from({ length: 20 }, () => resolver.resolve('a.test')))
  assert.equal(dns.questions.length, 2)
})

for (const { ttl_s, kept_ms } of [
  { ttl_s: 0, kept_ms: 5000 },
  { ttl_s: 30, kept_ms: 30_000 },
  { ttl_s: 86_400, kept_ms: 60_000 },
]) {
  test(`an answer with a TTL of ${ttl_s} s is kept for ${kept_ms} ms`, async (t) => {
    const { resolver, dns, clock } = await setUp(t, { 'a.test': ['192.0.2.1'] }, {}, ttl_s)
    await resolver.resolve('a.test')
    dns.zone = { 'a.test': ['192.0.2.2'] }
    clock.time = kept_ms - 1
    assert.deepEqual(await resolver.resolve('a.test'), { addresses: ['192.0.2.1'] })
    clock.time = kept_ms
    assert.deepEqual(await resolver.resolve('a.test'), { addresses: ['192.0.2.2'] })
  })
}

test('a name that does not exist is a failure, remembered for two seconds', async (t) => {
  const { resolver, dns, clock } = await setUp(t, { 'empty.test': [] })
  assert.deepEqual(await resolver.resolve('a.test'), {
    failure: 'The name a.test does not exist or has no address.',
    missing: true,
  })
  assert.deepEqual(await resolver.resolve('empty.test'), {
    failure: 'The name empty.test does not exist or has no address.',
    missing: true,
  })
  dns.zone = { 'a.test': ['192.0.2.1'] }
  clock.time = 1999
  assert.ok('failure' in (await resolver.resolve('a.test')))
  clock.time = 2000
  assert.deepEqual(await resolver.resolve('a.test'), { addresses: ['192.0.2.1'] })
})

test('a broken name server is told apart from a missing name', async (t) => {
  const { resolver } = await setUp(t, { 'a.test': 'broken' })
  assert.deepEqual(await resolver.resolve('a.test'), {
    failure: 'The name a.test could not be resolved (ESERVFAIL).',
    missing: false,
  })
})

test('a name server that never answers costs its own callers the time-out and nobody else anything', async (t) => {
  const { resolver } = await setUp(t, { 'a.test': 'silent', 'b.test': ['192.0.2.1'] }, { timeout_ms: 1000 })
  const ends: string[] = []
  const hanging = resolver.resolve('a.test').then((resolution) => {
    ends.push('a')
    return resolution
  })
  assert.deepEqual(await resolver.resolve('b.test'), { addresses: ['192.0.2.1'] })
  ends.push('b')
  assert.ok('failure' in (await hanging))
  assert.deepEqual(ends, ['b', 'a'])
})

test('who has little patience does not wait for a name server that never answers', async (t) => {
  const hour_ms = 3_600_000
  const { resolver, clock, dns } = await setUp(t, { 'a.test': 'silent' }, { timeout_ms: 60_000 })
  const tooSlow = { failure: 'The name a.test did not resolve within 10 ms.', missing: false }
  assert.deepEqual(await resolver.resolve('a.test', 10), tooSlow)
  // The query goes on: whoever joins it when it is as old as his patience is long is not held up at all.
  clock.time = hour_ms
  assert.ok('failure' in (await resolver.resolve('a.test', hour_ms)))
  assert.equal(dns.questions.length, 2)
})

test('who has little patience gets what comes in time, or is known already', async (t) => {
  const { resolver } = await setUp(t, { 'a.test': ['192.0.2.1'] })
  for (const patience_ms of [60_000, 0])
    assert.deepEqual(await resolver.resolve('a.test', patience_ms), { addresses: ['192.0.2.1'] })
})

test('the cache holds no more names than it may; the oldest is asked for anew', async (t) => {
  const zone = { 'a.test': ['192.0.2.1'], 'b.test': ['192.0.2.2'], 'c.test': ['192.0.2.3'] }
  const { resolver, dns } = await setUp(t, zone, { max_entries: 2 })
  for (const name of ['a.test', 'b.test', 'c.test', 'c.test', 'b.test']) await resolver.resolve(name)
  assert.equal(dns.questions.length, 6)
  await resolver.resolve('a.test')
  assert.equal(dns.questions.length, 8)
})

test('localhost names are loopback, and the hosts file goes before DNS', async (t) => {
  const hosts = { find: async (name: string) => (name === 'a.test' ? ['192.0.2.9'] : undefined) }
  const { resolver, dns } = await setUp(
    t,
    { 'a.test': ['192.0.2.1'], 'x.localhost': ['192.0.2.1'] },
    { hosts },
  )
  assert.deepEqual(await resolver.resolve('a.test'), { addresses: ['192.0.2.9'] })
  for (const name of ['localhost', 'LOCALHOST.', 'x.localhost']) {
    assert.deepEqual(await resolver.resolve(name), { addresses: ['127.0.0.1', '::1'] })
  }
  assert.deepEqual(dns.questions, [])
})

test('a name server that never answers for one family delays the other only a moment', async (t) => {
  const zone: Zone = { 'a.test': ['192.0.2.1'], 'AAAA a.test': 'silent' }
  const { resolver } = await setUp(t, zone, { timeout_ms: 60_000 })
  assert.deepEqual(await resolver.resolve('a.test'), { addresses: ['192.0.2.1'] })
})

test('close gives up the look-ups under way, and later ones fail at once', async (t) => {
  const { resolver, dns } = await setUp(t, { 'a.test': 'silent' }, { timeout_ms: 60_000 })
  const questioned = dns.nextQuestion()
  const hanging = resolver.resolve('a.test')
  await questioned
  resolver.close()
  assert.ok('failure' in (await hanging))
  assert.ok('failure' in (await resolver.resolve('b.test')))
})

test('of an answer with thousands of addresses 32 of each family are kept', async (t) => {
  const many = Array.from({ length: 4000 }, (_, i) => `192.0.${i >> 8}.${i & 255}`)
  const more = Array.from({ length: 2000 }, (_, i) => `2606:4700::${i.toString(16)}`)
  const { resolver } = await setUp(t, { 'many.test': [...many, ...more] })
  const resolution = await resolver.resolve('many.test')
  assert.ok('addresses' in resolution)
  assert.equal(resolution.addresses.length, 64)
  assert.deepEqual(resolution.addresses.slice(0, 2), ['192.0.0.0', '2606:4700::'])
})

test('names that stand for each other in a circle have no address, and are asked for once', async (t) => {
  const zone: Zone = {
    'a.test': { cname: 'b.test' },
    'b.test': { cname: 'a.test' },
    'me.test': { cname: 'me.test' },
  }
  const { resolver, dns } = await setUp(t, zone)
  for (const name of ['a.test', 'me.test']) {
    assert.deepEqual(await resolver.resolve(name), {
      failure: `The name ${name} does not exist or has no address.`,
      missing: true,
    })
  }
  assert.equal(dns.questions.length, 4)
})
