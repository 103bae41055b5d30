// Guessing keys, and using one too much.
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { adminKey, startApi } from '../http/start-api.ts'

const WRONG = { wrong_key_rate: { count: 3, window_s: 60 } }

test('an address that guesses keys is refused without a look at the store, until its minute is over', async (t) => {
  let reads = 0
  const { call, clock } = await startApi(t, WRONG, {
    wrapStore: (store) => ({
      ...store,
      findKey(hash) {
        reads++
        return store.findKey(hash)
      },
    }),
  })
  for (let i = 0; i < 3; i++)
    assert.equal((await call('GET', '/v1/tasks', { key: `wrong-${i}` })).status, 401)
  const before = reads
  for (let i = 0; i < 20; i++) {
    const { status, headers, body } = await call('GET', '/v1/tasks', { key: `wrong-again-${i}` })
    assert.deepEqual([status, headers.get('retry-after'), body.code], [429, '60', 'rate_limited'])
  }
  assert.equal(reads, before)
  clock.time += 60_000
  assert.equal((await call('GET', '/v1/tasks', { key: 'wrong' })).status, 401)
})

test('a key that has worked before goes on working beside a guesser; a new one waits a minute at most', async (t) => {
  const { call, clock, credentials } = await startApi(t, WRONG)
  assert.equal((await call('GET', '/v1/tasks')).status, 200)
  for (let i = 0; i < 5; i++) await call('GET', '/v1/tasks', { key: `wrong-${i}` })
  assert.equal((await call('GET', '/v1/tasks')).status, 200)
  const fresh = { key: credentials.operator_key }
  assert.equal((await call('GET', '/v1/tasks', fresh)).status, 429)
  clock.time += 60_000
  assert.equal((await call('GET', '/v1/tasks', fresh)).status, 200)
})

test('a revoked key is no key that has worked before', async (t) => {
  const { call, project } = await startApi(t, WRONG)
  const { data } = (await call('GET', `/v1/admin/projects/${project.id}/keys`, { key: adminKey })).body
  assert.equal((await call('GET', '/v1/tasks')).status, 200)
  for (const { id } of data) {
    await call('DELETE', `/v1/admin/projects/${project.id}/keys/${id}`, { key: adminKey })
  }
  for (let i = 0; i < 3; i++) assert.equal((await call('GET', '/v1/tasks')).status, 401)
  assert.equal((await call('GET', '/v1/tasks')).status, 429)
})

test('guesses of one address are nothing to another, and those of one IPv6 site are one', async (t) => {
  const { call } = await startApi(t, { ...WRONG, trust_proxy: ['127.0.0.1'] })
  const guess = async (address: string) =>
    (await call('GET', '/v1/tasks', { key: 'wrong', headers: { 'x-forwarded-for': address } })).status
  for (let i = 0; i < 3; i++) assert.equal(await guess(`2001:db8:1:2::${i}`), 401)
  assert.equal(await guess('2001:db8:1:2:3::4'), 429)
  assert.equal(await guess('2001:db8:1:3::1'), 401)
  assert.equal(await guess('192.0.2.1'), 401)
})

test('guesses of the admin key are counted, and the right one opens all the same', async (t) => {
  const { call } = await startApi(t, WRONG)
  const status = async (key: string) => (await call('GET', '/v1/admin/projects', { key })).status
  for (let i = 0; i < 3; i++) assert.equal(await status(`wrong-${i}`), 401)
  assert.equal(await status('wrong'), 429)
  assert.equal(await status(adminKey), 200)
})

const guesses = [
  ['/scale/v1/tasks', { authorization: `Basic ${btoa('live_wrong:')}` }, 'GET'],
  ['/asyncqueue/v1/tasks', { 'x-api-key': 'wrong' }, 'GET'],
  ['/superai/v1/jobs/x', { 'api-key': 'wrong' }, 'GET'],
  ['/stardust/rosetta-open/project/get', { 'x-stardust-key': 'wrong', 'x-ts': '1', 'x-sign': 'x' }, 'GET'],
] as const

for (const [path, headers, method] of guesses) {
  test(`keys guessed at ${path} are counted, and refused in the dialect’s own form`, async (t) => {
    const { call } = await startApi(t, WRONG)
    const guess = () => call(method, path, { key: null, headers })
    const first = await guess()
    assert.ok(first.status === 401 || first.status === 402, first.text)
    for (let i = 0; i < 2; i++) await guess()
    const { status, text, headers: answered } = await guess()
    assert.deepEqual([status, answered.get('retry-after')], [429, '60'])
    assert.deepEqual(Object.keys(JSON.parse(text)), Object.keys(JSON.parse(first.text)))
  })
}

test('a signature that is wrong counts as a wrong key', async (t) => {
  const { call, credentials, clock } = await startApi(t, WRONG, { dialect: 'stardust' })
  const { access_key_id } = credentials as unknown as { access_key_id: string }
  const headers = { 'x-stardust-key': access_key_id, 'x-ts': String(clock.time), 'x-sign': '0'.repeat(32) }
  const guess = () => call('GET', '/stardust/rosetta-open/project/get', { key: null, headers })
  for (let i = 0; i < 3; i++) assert.notEqual((await guess()).status, 429)
  assert.equal((await guess()).status, 429)
})

test('whoever knows a customer’s AccessKey id alone does not lock him out', async (t) => {
  const { call, credentials, clock } = await startApi(t, WRONG, { dialect: 'stardust' })
  const { access_key_id: id, access_key_secret: secret } = credentials as unknown as Record<string, string>
  const ask = (sign: string) => {
    const headers = { 'x-stardust-key': id!, 'x-ts': String(clock.time), 'x-sign': sign }
    return call('GET', '/stardust/rosetta-open/project/get', { key: null, headers })
  }
  const right = hash('md5', `${clock.time}&${secret}&${id}`)
  const { status } = await ask(right)
  assert.ok(![401, 403, 429].includes(status), String(status))
  for (let i = 0; i < 10; i++) await ask('0'.repeat(32))
  assert.equal((await ask(right)).status, status)
})

test('a key has so many requests, is told how many are left, and then has to wait', async (t) => {
  const { call, clock, credentials } = await startApi(t, { api_rate: { count: 2, window_s: 10 } })
  const told = async (path: string, key?: string) => {
    const { status, headers } = await call('GET', path, key === undefined ? {} : { key })
    return [status, headers.get('ratelimit-policy'), headers.get('ratelimit'), headers.get('retry-after')]
  }
  const policy = '"key";q=2;w=10'
  assert.deepEqual(await told('/v1/tasks'), [200, policy, '"key";r=1;t=10', null])
  clock.time += 4000
  assert.deepEqual(await told('/v1/tasks/none'), [404, policy, '"key";r=0;t=6', null])
  assert.deepEqual(await told('/v1/tasks'), [429, policy, '"key";r=0;t=6', '6'])
  assert.deepEqual(await told('/v1/tasks', credentials.operator_key), [200, policy, '"key";r=1;t=10', null])
  assert.deepEqual(await told('/healthz'), [200, null, null, null])
  clock.time += 6000
  assert.deepEqual(await told('/v1/tasks'), [200, policy, '"key";r=1;t=10', null])
})

test('the limit of a key holds at a dialect, in its own form', async (t) => {
  const { call, credentials } = await startApi(
    t,
    { api_rate: { count: 1, window_s: 10 } },
    { dialect: 'scale' },
  )
  const headers = { authorization: `Basic ${btoa(`${credentials.live_key}:`)}` }
  const list = () => call('GET', '/scale/v1/tasks', { key: null, headers })
  assert.equal((await list()).status, 200)
  const { status, body, headers: answered } = await list()
  assert.deepEqual([status, body['status_code'], answered.get('retry-after')], [429, 429, '10'])
})
