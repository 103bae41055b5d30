// The life of a key: what it is made with, when it ends, and when it was last used, by a clock that the test moves.
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { adminKey, startApi } from './start-api.ts'

const UNKNOWN = 'This key does not exist, was revoked or has expired'

test('a key is listed with its name, its scopes, its end and its last use', async (t) => {
  const { call, clock, project, keyUses } = await startApi(t)
  const path = `/v1/admin/projects/${project.id}/keys`
  const json = { name: 'worker', scopes: ['tasks:read', 'tasks:write'], expires_in_s: 60 }
  const made = await call('POST', path, { key: adminKey, json })
  assert.equal(made.status, 201, made.text)
  const { key, id, hint, ...shown } = made.body
  assert.deepEqual(shown, {
    mode: 'live',
    role: 'customer',
    name: 'worker',
    scopes: ['tasks:read', 'tasks:write'],
    created_at: '2030-01-01T00:00:00.000Z',
    expires_at: '2030-01-01T00:01:00.000Z',
    last_used_at: null,
  })
  const listed = async () =>
    (await call('GET', path, { key: adminKey })).body.data.find((row) => row.id === id)
  assert.deepEqual(await listed(), { id, hint, ...shown })

  clock.time += 1500
  await call('GET', '/v1/tasks', { key })
  clock.time += 1000
  assert.equal((await call('GET', '/v1/project', { key })).status, 403)
  assert.equal((await listed())?.last_used_at, null, 'nothing is written by a request')
  await keyUses.flush()
  assert.equal((await listed())?.last_used_at, '2030-01-01T00:00:01.500Z', 'what was refused is no use')
})

test('a key without scopes is listed with those of its role', async (t) => {
  const { call, project } = await startApi(t)
  const { data } = (await call('GET', `/v1/admin/projects/${project.id}/keys`, { key: adminKey })).body
  const scopes = ['tasks:read', 'tasks:write', 'deliveries', 'admin']
  assert.deepEqual(
    data.map((key) => [key.role, key.name, key.scopes, key.expires_at]),
    [
      ['customer', null, scopes, null],
      ['customer', null, scopes, null],
      ['operator', null, [...scopes, 'operator'], null],
      ['operator', null, [...scopes, 'operator'], null],
    ],
  )
})

test('a key that has expired is answered like one that never was, to the millisecond', async (t) => {
  const { call, clock, project } = await startApi(t)
  const expires_at = '2030-01-01T00:00:10.000Z'
  const made = await call('POST', `/v1/admin/projects/${project.id}/keys`, {
    key: adminKey,
    json: { expires_at },
  })
  const { key } = made.body
  clock.time = Date.parse(expires_at) - 1
  assert.equal((await call('GET', '/v1/tasks', { key })).status, 200)
  clock.time++
  const [expired, unknown] = [
    await call('GET', '/v1/tasks', { key }),
    await call('GET', '/v1/tasks', { key: 'x' }),
  ]
  assert.deepEqual([expired.status, expired.body.code, expired.body.detail], [401, 'unauthorized', UNKNOWN])
  assert.equal(expired.text, unknown.text)
})

/** A request of a dialect's customer whose answer is that of who may come in, or a 401. */
const knocks: Record<
  string,
  (
    key: string,
    secret: string,
    now: number,
  ) => [method: string, path: string, headers: Record<string, string>]
> = {
  asyncqueue: (key) => ['GET', '/asyncqueue/v1/tasks', { 'x-api-key': key }],
  scale: (key) => ['GET', '/scale/v1/tasks', { authorization: `Basic ${btoa(`${key}:`)}` }],
  superai: (key) => ['GET', '/superai/v1/jobs/none', { 'api-key': key }],
  stardust: (key, secret, now) => [
    'GET',
    '/stardust/rosetta-open/project/get?projectId=1',
    { 'x-stardust-key': key, 'x-ts': String(now), 'x-sign': hash('md5', `${now}&${secret}&${key}`) },
  ],
}

for (const [dialect, knock] of Object.entries(knocks)) {
  test(`a key of ${dialect} that has expired is answered like a revoked one, and its uses are noted until then`, async (t) => {
    const { call, clock, keyUses, project, credentials, directory, store } = await startApi(
      t,
      {},
      { dialect },
    )
    const path = `/v1/admin/projects/${project.id}/keys`
    const make = async (json: unknown) => (await call('POST', path, { key: adminKey, json })).body
    const [short, revoked] = [await make({ expires_in_s: 5 }), await make({})]
    await store.revokeKey(project.id, revoked.id)
    directory.forget()
    const answer = async (key: string) => {
      const [method, url, headers] = knock(key, credentials.signing_secret, clock.time)
      const { status, text } = await call(method, url, { key: null, headers })
      // Stardust tells the real time, and a new id each time.
      return { status, text: text.replaceAll(/"(date|requestId)":"[^"]*"/g, '') }
    }
    const used_at = clock.time
    const refused = await answer(revoked.key)
    assert.notDeepEqual(await answer(short.key), refused)
    clock.time += 5000
    assert.deepEqual(await answer(short.key), refused)
    await keyUses.flush()
    const { rows } = await store.listKeys(project.id, { limit: 10, after: null })
    assert.equal(rows.find(({ id }) => id === short.id)?.last_used_at, used_at)
  })
}
