import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { createClient, everyItem, RingbackError } from './index.ts'
import type { Client } from './index.ts'

type Seen = { method: string; url: string; headers: http.IncomingHttpHeaders; body: string }
type Answer = { status?: number; headers?: Record<string, string>; body?: string }

// A real server that records each request and gives the next answer (200 `{}` when there is none left).
async function start(t: TestContext, ...answers: Answer[]) {
  const seen: Seen[] = []
  const baseUrl = await serve(t, (req, res) => {
    const record = async () => {
      seen.push({ method: req.method!, url: req.url!, headers: req.headers, body: await text(req) })
      const { status = 200, headers = {}, body = '{}' } = answers.shift() ?? {}
      res.writeHead(status, headers).end(body)
    }
    void record()
  })
  return { seen, baseUrl, client: createClient({ baseUrl, key: 'rb_test_key' }) }
}

async function serve(t: TestContext, listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const page = (data: unknown[], next_cursor: string | null): Answer => ({
  body: JSON.stringify({ data, next_cursor }),
})

const error = { message: 'no' }
const routes: [call: (client: Client) => Promise<unknown>, request: string, body?: unknown][] = [
  [(c) => c.tasks.create({ params: { n: 1 } }), 'POST /v1/tasks', { params: { n: 1 } }],
  [(c) => c.tasks.create(), 'POST /v1/tasks', {}],
  [(c) => c.tasks.get('t_1'), 'GET /v1/tasks/t_1'],
  [(c) => c.tasks.get('t_1', { wait: 20 }), 'GET /v1/tasks/t_1?wait=20'],
  [(c) => c.tasks.get('a/b?c=d#e f'), 'GET /v1/tasks/a%2Fb%3Fc%3Dd%23e%20f'],
  [(c) => c.tasks.list(), 'GET /v1/tasks'],
  [
    (c) =>
      c.tasks.list({ status: 'failed', callback_succeeded: false, unique_id: 'a&b', limit: 5, cursor: 'x' }),
    'GET /v1/tasks?status=failed&callback_succeeded=false&unique_id=a%26b&limit=5&cursor=x',
  ],
  [(c) => c.tasks.start('t_1'), 'POST /v1/tasks/t_1/start'],
  [(c) => c.tasks.await('t_1'), 'POST /v1/tasks/t_1/await'],
  [(c) => c.tasks.await('t_1', { expires_in_s: 9 }), 'POST /v1/tasks/t_1/await', { expires_in_s: 9 }],
  [(c) => c.tasks.complete('t_1', { response: null }), 'POST /v1/tasks/t_1/complete', { response: null }],
  [
    (c) => c.tasks.fail('t_1', { error, during: 'setup' }),
    'POST /v1/tasks/t_1/fail',
    { error, during: 'setup' },
  ],
  [(c) => c.tasks.cancel('t_1'), 'POST /v1/tasks/t_1/cancel'],
  [(c) => c.tasks.cancel('t_1', { reason: 'r' }), 'POST /v1/tasks/t_1/cancel', { reason: 'r' }],
  [(c) => c.tasks.expire('t_1'), 'POST /v1/tasks/t_1/expire'],
  [(c) => c.tasks.suspend('t_1', { reason: 'r' }), 'POST /v1/tasks/t_1/suspend', { reason: 'r' }],
  [(c) => c.tasks.resume('t_1'), 'POST /v1/tasks/t_1/resume'],
  [(c) => c.tasks.edit('t_1', { response: 2 }), 'POST /v1/tasks/t_1/edit', { response: 2 }],
  [(c) => c.tasks.audit('t_1', { verdict: 'approved' }), 'POST /v1/tasks/t_1/audit', { verdict: 'approved' }],
  [(c) => c.tasks.recall('t_1', { reason: 'r' }), 'POST /v1/tasks/t_1/recall', { reason: 'r' }],
  [(c) => c.tasks.restart('t_1'), 'POST /v1/tasks/t_1/restart'],
  [(c) => c.tasks.resend('t_1'), 'POST /v1/tasks/t_1/resend'],
  [(c) => c.tasks.events('t_1', { limit: 2 }), 'GET /v1/tasks/t_1/events?limit=2'],
  [(c) => c.tasks.deliveries('t_1'), 'GET /v1/tasks/t_1/deliveries'],
  [(c) => c.tasks.arrivals('t_1', { cursor: 'x' }), 'GET /v1/tasks/t_1/arrivals?cursor=x'],
  [(c) => c.tasks.attempts('t_1', { limit: 2 }), 'GET /v1/tasks/t_1/attempts?limit=2'],
  [
    (c) => c.deliveries.list({ task_id: 't_1', state: 'failed', destination: 'https://a.test' }),
    'GET /v1/deliveries?task_id=t_1&state=failed&destination=https%3A%2F%2Fa.test',
  ],
  [(c) => c.deliveries.get('d_1'), 'GET /v1/deliveries/d_1'],
  [(c) => c.deliveries.resend('d_1'), 'POST /v1/deliveries/d_1/resend'],
  [(c) => c.deliveries.cancel('d_1'), 'POST /v1/deliveries/d_1/cancel'],
  [(c) => c.deliveries.replay({ state: 'failed' }), 'POST /v1/deliveries/replay', { state: 'failed' }],
  [(c) => c.replays.get('r_1'), 'GET /v1/replays/r_1'],
  [(c) => c.destinations.list({ limit: 5 }), 'GET /v1/destinations?limit=5'],
  [(c) => c.destinations.pause('o_1'), 'POST /v1/destinations/o_1/pause'],
  [(c) => c.destinations.resume('o_1'), 'POST /v1/destinations/o_1/resume'],
  [(c) => c.arrivals.apply('a_1'), 'POST /v1/arrivals/a_1/apply'],
  [(c) => c.tokens.create({ name: 'n', value: 'v' }), 'POST /v1/tokens', { name: 'n', value: 'v' }],
  [(c) => c.tokens.list({ limit: 2 }), 'GET /v1/tokens?limit=2'],
  [(c) => c.tokens.revoke('tok_1'), 'DELETE /v1/tokens/tok_1'],
  [(c) => c.project.get(), 'GET /v1/project'],
  [(c) => c.project.update({ expires_in_s: null }), 'PATCH /v1/project', { expires_in_s: null }],
  [(c) => c.project.secrets(), 'GET /v1/project/secrets'],
  [
    (c) => c.project.rotateSecret({ which: 'signing', grace_s: 60 }),
    'POST /v1/project/secrets/rotate',
    { which: 'signing', grace_s: 60 },
  ],
  [(c) => c.admin.createProject({ name: 'p' }), 'POST /v1/admin/projects', { name: 'p' }],
  [(c) => c.admin.listProjects(), 'GET /v1/admin/projects'],
  [(c) => c.admin.listAudits({ act: 'key.create' }), 'GET /v1/admin/audits?act=key.create'],
  [(c) => c.admin.createKey('p_1', { mode: 'test' }), 'POST /v1/admin/projects/p_1/keys', { mode: 'test' }],
  [(c) => c.admin.listKeys('p_1'), 'GET /v1/admin/projects/p_1/keys'],
  [(c) => c.admin.resealSecrets(), 'POST /v1/admin/secrets/reseal'],
  [(c) => c.admin.revokeKey('p_1', 'k_1'), 'DELETE /v1/admin/projects/p_1/keys/k_1'],
]

test('each route is called with its method, path, query and body, and with the key', async (t) => {
  const { client, seen } = await start(t)
  for (const [call, request, body] of routes) {
    await call(client)
    const got = seen.pop()!
    assert.equal(`${got.method} ${got.url}`, request)
    assert.equal(got.headers.authorization, 'Bearer rb_test_key')
    assert.equal(got.headers['content-type'], body === undefined ? undefined : 'application/json', request)
    assert.deepEqual(got.body === '' ? undefined : JSON.parse(got.body), body, request)
  }
})

test('every function of the client has its row in the table of routes', () => {
  const { inbound: _tested, ...groups } = createClient({ baseUrl: 'http://localhost' })
  const names = Object.entries(groups).flatMap(([group, calls]) =>
    Object.keys(calls).map((name) => `${group}.${name}`),
  )
  const called = routes.map(([call]) => /^\(c\) =>\s*c\.(\w+\.\w+)/.exec(call.toString())?.[1])
  assert.deepEqual(new Set(called), new Set(names))
})

test('an answer is given back parsed, and an empty one as undefined', async (t) => {
  const { client } = await start(
    t,
    { status: 201, body: '{"id":"t_1","status":"waiting"}' },
    { status: 204, body: '' },
  )
  const task = await client.tasks.create()
  assert.deepEqual([task.id, task.status], ['t_1', 'waiting'])
  assert.equal(await client.admin.revokeKey('p_1', 'k_1'), undefined)
})

test('an idempotency key goes along as a header', async (t) => {
  const { client, seen } = await start(t)
  await client.tasks.create({}, { idempotencyKey: 'order-7' })
  await client.tasks.create({})
  assert.deepEqual(
    seen.map(({ headers }) => headers['idempotency-key']),
    ['order-7', undefined],
  )
})

test('a base URL with a path and a slash at its end keeps its path', async (t) => {
  const { baseUrl, seen } = await start(t)
  await createClient({ baseUrl: `${baseUrl}/ringback/`, key: 'k' }).project.get()
  assert.equal(seen[0]!.url, '/ringback/v1/project')
})

test('an id that would change the path is refused before anything is sent', async (t) => {
  const { client, seen } = await start(t)
  for (const id of ['', '.', '..']) assert.throws(() => client.tasks.cancel(id), TypeError)
  assert.equal(seen.length, 0)
})

test('a problem of the API is thrown with its fields and its whole body', async (t) => {
  const problem = {
    type: 'https://ringback.test/problems/unique_id_taken',
    title: 'The unique_id is in use',
    status: 409,
    detail: 'unique_id: another task has it',
    code: 'unique_id_taken',
    task_id: 't_9',
  }
  const { client } = await start(t, {
    status: 409,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify(problem),
  })
  const thrown = await client.tasks.create({ unique_id: 'a' }).catch((error: unknown) => error)
  assert.ok(thrown instanceof RingbackError)
  const { type, title, status, detail, code, body, message, retryAfterS } = thrown
  assert.deepEqual(
    { type, title, status, detail, code },
    {
      type: problem.type,
      title: problem.title,
      status: 409,
      detail: problem.detail,
      code: 'unique_id_taken',
    },
  )
  assert.deepEqual(body, problem)
  assert.equal(message, problem.detail)
  assert.equal(retryAfterS, null)
})

test('an answer that is no problem document is thrown with its status and without a code', async (t) => {
  const { client } = await start(
    t,
    { status: 502, body: '<h1>Bad gateway</h1>' },
    { status: 503, body: '', headers: { 'retry-after': '7' } },
    { status: 200, body: '<h1>Welcome</h1>' },
    { status: 404, body: '{"error":"Invalid or expired callback ID"}' },
  )
  const next = () => client.project.get()
  await assert.rejects(next, { name: 'RingbackError', status: 502, code: null, body: '<h1>Bad gateway</h1>' })
  await assert.rejects(next, { status: 503, code: null, retryAfterS: 7 })
  await assert.rejects(next, { name: 'RingbackError', status: 200, code: null })
  await assert.rejects(next, { status: 404, code: null, message: 'Invalid or expired callback ID' })
})

test('a redirect is an error, so that no POST is turned into a GET', async (t) => {
  const { client, seen } = await start(t, { status: 302, headers: { location: '/elsewhere' }, body: '' })
  await assert.rejects(client.tasks.create(), { name: 'RingbackError', status: 302 })
  assert.equal(seen.length, 1)
})

test('network trouble passes through as fetch threw it', async (t) => {
  const { baseUrl } = await start(t)
  const failure = new TypeError('fetch failed')
  const client = createClient({ baseUrl, key: 'k', fetch: () => Promise.reject(failure) })
  await assert.rejects(client.project.get(), (thrown) => thrown === failure)
})

test('a signal ends a call that is waiting', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const baseUrl = await serve(t, () => arrived.resolve())
  const controller = new AbortController()
  const waiting = createClient({ baseUrl, key: 'k' }).tasks.get('t_1', {
    wait: 60,
    signal: controller.signal,
  })
  await arrived.promise
  controller.abort()
  await assert.rejects(waiting, { name: 'AbortError' })
})

test('an inbound URL is resolved by its URL or its bare id, with any JSON value and without the key', async (t) => {
  const { client, baseUrl, seen } = await start(t)
  const id = 'ab'.repeat(32)
  await client.inbound.resolve(id, null)
  await client.inbound.resolve(`${baseUrl}/prefix/v1/callbacks/${id}`, [1])
  assert.deepEqual(
    seen.map(({ method, url, body, headers }) => [method, url, body, headers.authorization]),
    [
      ['POST', `/v1/callbacks/${id}`, 'null', undefined],
      ['POST', `/prefix/v1/callbacks/${id}`, '[1]', undefined],
    ],
  )
})

test('a list is walked through all its pages', async (t) => {
  const { client, seen } = await start(t, page([{ id: 'a' }, { id: 'b' }], 'c1'), page([{ id: 'c' }], null))
  const ids: string[] = []
  for await (const task of everyItem((query) => client.tasks.list({ status: 'failed', ...query })))
    ids.push(task.id)
  assert.deepEqual(ids, ['a', 'b', 'c'])
  assert.deepEqual(
    seen.map(({ url }) => url),
    ['/v1/tasks?status=failed', '/v1/tasks?status=failed&cursor=c1'],
  )
})
