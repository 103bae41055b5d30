// What keys may do: every scope against every route of the API's own document, and the table that both are made from.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { keyScopes } from '../../src/domain/key.ts'
import { declareRight, rights } from '../../src/http/rights.ts'
import { adminKey, startApi, type Call } from './start-api.ts'

type Operation = { operationId: string; security?: Record<string, string[]>[] }
type OpenApi = { paths: Record<string, Record<string, Operation>> }

/** The routes of the document that take a key, by what they take. */
async function routesOf(call: Call) {
  const { paths } = JSON.parse((await call('GET', '/openapi.json')).text) as OpenApi
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { operationId, security = [] }]) =>
      security.map((taken) => ({
        id: operationId,
        method: method.toUpperCase(),
        path: path.replaceAll(/\{\w+\}/g, 'none'),
        taken,
      })),
    ),
  )
}

/** Makes a key of the API's project, and gives its text. */
const makeKey = async (call: Call, project_id: string, json: unknown): Promise<string> => {
  const made = await call('POST', `/v1/admin/projects/${project_id}/keys`, { key: adminKey, json })
  assert.equal(made.status, 201, made.text)
  return made.body.key
}

test('a key with one scope calls the routes that take it, and no others', async (t) => {
  const { call, project } = await startApi(t)
  const routes = (await routesOf(call)).filter(({ taken }) => taken['admin_key'] === undefined)
  assert.ok(routes.length > 30)
  for (const scope of keyScopes) {
    const key = await makeKey(call, project.id, { role: 'operator', scopes: [scope] })
    for (const { method, path, id, taken } of routes) {
      const { status, body, text } = await call(method, path, { key })
      if (taken['key']?.[0] === scope) {
        assert.ok(![401, 403].includes(status), `${scope} ${id}: ${text}`)
      } else {
        assert.deepEqual([status, body.code, body.scope], [403, 'insufficient_scope', taken['key']?.[0]], id)
        assert.match(body.detail, new RegExp(`the scope ${taken['key']?.[0]}: this key has ${scope};`))
      }
    }
  }
})

test('a project’s key of any scope is not the administrator’s', async (t) => {
  const { call, project } = await startApi(t)
  const key = await makeKey(call, project.id, { role: 'operator' })
  const routes = (await routesOf(call)).filter(({ taken }) => taken['admin_key'] !== undefined)
  assert.ok(routes.length > 5)
  for (const { method, path, id } of routes) assert.equal((await call(method, path, { key })).status, 401, id)
})

test('keys without scopes of their own may do what their role may', async (t) => {
  const { call, project, credentials } = await startApi(t)
  const routes = (await routesOf(call)).filter(({ taken }) => taken['admin_key'] === undefined)
  const made = await makeKey(call, project.id, {})
  const { operator_key, live_key, test_key } = credentials
  for (const { method, path, taken, id } of routes) {
    for (const key of [live_key, test_key, made]) {
      const { status, text } = await call(method, path, { key })
      // Settings hold for both modes.
      const isForLive = id === 'updateProject' && key === test_key
      assert.equal(status === 403, taken['key']?.[0] === 'operator' || isForLive, `${id}: ${text}`)
    }
    assert.notEqual((await call(method, path, { key: operator_key })).status, 403, id)
  }
})

test('a test key changes nothing that holds for live mode, too', async (t) => {
  const { call, credentials, project, store } = await startApi(t)
  const before = [await store.findProject(project.id), await store.secrets(project.id)]
  const { test_key, test_operator_key } = credentials as unknown as Record<string, string>
  for (const [method, path, key, json] of [
    ['PATCH', '/v1/project', test_key, { default_callback_url: 'https://elsewhere.test/' }],
    ['PATCH', '/v1/project', test_operator_key, { retention_days: 1 }],
    ['POST', '/v1/project/secrets/rotate', test_operator_key, { which: 'signing', grace_s: 0 }],
  ] as const) {
    const { status, body, text } = await call(method, path, { key: key ?? '', json })
    assert.deepEqual([status, body.code, body['mode']], [403, 'insufficient_scope', 'live'], text)
    assert.match(body.detail, /both modes.*live key/)
  }
  assert.deepEqual([await store.findProject(project.id), await store.secrets(project.id)], before)
})

test('the document names what each route takes, and the table has no other routes', async (t) => {
  const { call } = await startApi(t)
  const routes = await routesOf(call)
  const named = (takes: string) => (takes === 'admin key' ? { admin_key: [] } : { key: [takes] })
  assert.deepEqual(
    Object.fromEntries(routes.map(({ id, taken }) => [id, taken])),
    Object.fromEntries(Object.entries(rights).map(([id, { takes }]) => [id, named(takes)])),
  )
})

/** The table of docs/operating.md, in its words: the first line that fits a route says what it takes. */
const documented: [method: RegExp, path: RegExp, takes: string][] = [
  [/./, /^\/v1\/admin\//, 'admin key'],
  [/./, /^\/v1\/project\/secrets/, 'operator'],
  [/./, /^\/v1\/(project|tokens)/, 'admin'],
  [/./, /resend$|^\/v1\/(deliveries|replays|destinations)/, 'deliveries'],
  [/GET/, /^\/v1\/tasks/, 'tasks:read'],
  [/POST/, /^\/v1\/(tasks|arrivals)/, 'tasks:write'],
]

test('the scopes open what the documentation says', async (t) => {
  const { call } = await startApi(t)
  for (const { id, method, path } of await routesOf(call)) {
    const line = documented.find(([methods, paths]) => methods.test(method) && paths.test(path))
    assert.equal(rights[id]!.takes, line?.[2], `${method} ${path}`)
  }
})

test('HEAD takes what GET takes', async (t) => {
  const { call, project } = await startApi(t)
  const key = await makeKey(call, project.id, { scopes: ['deliveries'] })
  const head = async (path: string) => (await call('HEAD', path, { key })).status
  assert.deepEqual([await head('/v1/tasks'), await head('/v1/deliveries')], [403, 200])
})

test('what changes something other than tasks is written down as an act', async (t) => {
  const { call } = await startApi(t)
  for (const { id, method } of await routesOf(call)) {
    const { takes, act } = rights[id]!
    if (method !== 'GET' && takes !== 'tasks:write') assert.ok(act, id)
  }
})

test('a route that says nothing of what it takes fails at the start', () => {
  const app = fastify()
  app.addHook('onRoute', declareRight)
  const handler = async () => ''
  assert.throws(
    () => app.get('/v1/new', { schema: { operationId: 'getNew' }, handler }),
    /GET \/v1\/new \(getNew\)/,
  )
  assert.throws(() => app.get('/v1/new', handler), /has no line/)
  assert.throws(() => app.get('/v1/new', { schema: { operationId: 'toString' }, handler }), /has no line/)
  app.get('/v1/tasks', { schema: { operationId: 'listTasks' }, handler })
})

test('what is wrong about a key is said with the remedy, and none is made', async (t) => {
  const { call, project, store } = await startApi(t)
  const scale = await call('POST', '/v1/admin/projects', {
    key: adminKey,
    json: { name: 'labels', dialect: 'scale' },
  })
  const foreign = scale.body.project.id
  const scenarios: [string, unknown, string, RegExp, string?][] = [
    ['a scope that is none', { scopes: ['tasks'] }, 'invalid_request', /scopes.*tasks:read/],
    ['no scope at all', { scopes: [] }, 'invalid_request', /^scopes: are none; name/],
    [
      'a scope twice',
      { scopes: ['admin', 'admin'] },
      'invalid_request',
      /^scopes: admin .* twice; name each once/,
    ],
    [
      'a scope very often',
      { scopes: Array(500).fill('tasks:read') },
      'invalid_request',
      /^scopes: .*5 items/,
    ],
    [
      'a customer’s key for operators',
      { scopes: ['operator'] },
      'invalid_request',
      /cannot have operator; .*role operator/,
    ],
    [
      'scopes where they do not hold',
      { scopes: ['tasks:read'] },
      'invalid_request',
      /dialect scale is for \/scale.*leave them out/,
      foreign,
    ],
    [
      'an end that has passed',
      { expires_at: '2030-01-01T00:00:00Z' },
      'invalid_request',
      /^expires_at: has passed already; give a later/,
    ],
    ['an end that is no time', { expires_at: 'tomorrow' }, 'invalid_request', /^expires_at: /],
    ['a leap second', { expires_at: '2031-12-31T23:59:60Z' }, 'invalid_request', /^expires_at: /],
    ['no time at all', { expires_in_s: 0 }, 'invalid_request', /^expires_in_s: /],
    ['eleven years', { expires_in_s: 346_896_000 }, 'invalid_request', /^expires_in_s: .*315360000/],
    [
      'both ends',
      { expires_at: '2031-01-01T00:00:00Z', expires_in_s: 1 },
      'invalid_request',
      /^expires_in_s: .*one of them/,
    ],
    ['an empty name', { name: '' }, 'invalid_request', /^name: /],
    ['an unknown field', { scope: 'admin' }, 'unknown_field', /scope/],
    [
      'many unknown fields',
      Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, 1])),
      'unknown_field',
      /^k0, k1, k2, k3, k4, k5, k6, k7: no such field in this body; remove it/,
    ],
  ]
  const keys = () => store.listKeys(project.id, { limit: 100, after: null })
  const before = (await keys()).rows.length
  for (const [name, json, code, detail, at = project.id] of scenarios) {
    await t.test(name, async () => {
      const { status, body, text } = await call('POST', `/v1/admin/projects/${at}/keys`, {
        key: adminKey,
        json,
      })
      assert.deepEqual([status, body.code], [400, code], text)
      assert.match(body.detail, detail)
    })
  }
  assert.equal((await keys()).rows.length, before)
  await makeKey(call, foreign, { role: 'operator', scopes: ['tasks:read'] })
})
