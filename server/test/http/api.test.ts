import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { encodeCursor } from '../../src/domain/page.ts'
import { Credentials } from '../../src/http/schemas/project.ts'
import { adminKey, startApi, type Row } from './start-api.ts'

test('a bad request is answered with a problem that names what is wrong', async (t) => {
  const { call, createTask } = await startApi(t)
  const { id } = await createTask()
  type Scenario = [string, Parameters<typeof call>, number, string, RegExp]
  const scenarios: Scenario[] = [
    ['no key', ['GET', '/v1/tasks', { key: null }], 401, 'unauthorized', /authorization: Bearer/],
    ['a foreign key', ['GET', '/v1/tasks', { key: 'rb_live_x' }], 401, 'unauthorized', /does not exist/],
    ['a project key for the administrator', ['GET', '/v1/admin/projects'], 401, 'unauthorized', /ADMIN_KEY/],
    ['an unknown path', ['GET', '/v1/nothing'], 404, 'not_found', /nothing/i],
    [
      'an unknown path with a broken body',
      ['POST', '/v1/nothing', { raw: '{' }],
      404,
      'not_found',
      /nothing/i,
    ],
    ['an unknown task', ['GET', '/v1/tasks/x'], 404, 'not_found', /task x/],
    ['a wrong method', ['DELETE', '/v1/tasks'], 405, 'method_not_allowed', /GET/],
    ['null for a body', ['POST', '/v1/tasks', { raw: 'null' }], 400, 'invalid_request', /null/],
    [
      'a compressed body',
      ['POST', '/v1/tasks', { raw: '{}', headers: { 'content-encoding': 'br' } }],
      415,
      'unsupported_media_type',
      /content-encoding: br/,
    ],
    [
      'a bad default URL',
      ['PATCH', '/v1/project', { json: { default_callback_url: 'nowhere' } }],
      400,
      'invalid_callback_url',
      /^default_callback_url: /,
    ],
    ['an id of any length', ['GET', `/v1/tasks/${'x'.repeat(1000)}`], 404, 'not_found', /task x/],
    ['a cursor cut short', ['GET', '/v1/tasks?cursor=MDE5M2Y'], 400, 'invalid_request', /cursor/],
    ['broken JSON', ['POST', '/v1/tasks', { raw: '{' }], 400, 'invalid_json', /JSON/],
    ['an unknown field', ['POST', '/v1/tasks', { json: { parms: 1 } }], 400, 'unknown_field', /parms/],
    [
      'an unknown nested field',
      ['POST', `/v1/tasks/${id}/fail`, { json: { error: { message: 'm', x: 1 } } }],
      400,
      'unknown_field',
      /error\.x/,
    ],
    ['an unknown filter', ['GET', '/v1/tasks?state=waiting'], 400, 'unknown_field', /state/],
    [
      'a number as text',
      ['POST', '/v1/tasks', { json: { expires_in_s: '5' } }],
      400,
      'invalid_request',
      /expires_in_s: must be integer/,
    ],
    [
      'too long a text',
      ['POST', '/v1/tasks', { json: { type: 'x'.repeat(101) } }],
      400,
      'invalid_request',
      /type: .*100/,
    ],
    [
      'metadata that is no object',
      ['POST', '/v1/tasks', { json: { metadata: [] } }],
      400,
      'invalid_request',
      /metadata: must be object/,
    ],
    ['an array as body', ['POST', '/v1/tasks', { json: [] }], 400, 'invalid_request', /body: must be object/],
    [
      'a missing field',
      ['POST', `/v1/tasks/${id}/complete`, { json: {} }],
      400,
      'invalid_request',
      /response: required/,
    ],
    ['a missing body', ['POST', `/v1/tasks/${id}/complete`], 400, 'invalid_request', /response: required/],
    [
      'a word that is none',
      ['POST', `/v1/tasks/${id}/audit`, { json: { verdict: 'ok' } }],
      400,
      'invalid_request',
      /approved, rejected, fixed/,
    ],
    [
      'half a surrogate pair',
      ['POST', `/v1/tasks/${id}/fail`, { raw: '{"error":{"message":"a\\ud800"}}' }],
      400,
      'invalid_request',
      /error\.message: .*surrogate/,
    ],
    ['NUL in a text', ['POST', '/v1/tasks', { raw: '{"type":"a\\u0000"}' }], 400, 'invalid_request', /NUL/],
    ['NUL in a path', ['GET', '/v1/tasks/a%00b'], 400, 'invalid_request', /NUL/],
    ['a broken path', ['GET', '/v1/tasks/%E0%A4%A'], 400, 'invalid_request', /percent/],
    ['a foreign cursor', ['GET', '/v1/tasks?cursor=%21'], 400, 'invalid_request', /cursor/],
    ...['events', 'attempts'].flatMap((list): Scenario[] =>
      [id, '9'.repeat(30)].map((key) => [
        `a cursor that is none of its ${list}`,
        ['GET', `/v1/tasks/${id}/${list}?cursor=${encodeCursor(key)}`],
        400,
        'invalid_request',
        /cursor/,
      ]),
    ),
    [
      'a limit that is no number',
      ['GET', '/v1/tasks?limit=ten'],
      400,
      'invalid_request',
      /limit: must be integer/,
    ],
    ['a wait of more than a minute', ['GET', `/v1/tasks/${id}?wait=61`], 400, 'invalid_request', /wait/],
    [
      'a time that is none',
      ['GET', '/v1/tasks?created_after=monday'],
      400,
      'invalid_request',
      /created_after: must be a time/,
    ],
    [
      'another content type',
      ['POST', '/v1/tasks', { raw: 'a=b', headers: { 'content-type': 'text/plain' } }],
      415,
      'unsupported_media_type',
      /application\/json/,
    ],
    [
      'too large a body',
      ['POST', '/v1/tasks', { json: { params: 'x'.repeat(10_001) } }],
      413,
      'body_too_large',
      /10000/,
    ],
    [
      'a callback URL that is none',
      ['POST', '/v1/tasks', { json: { callback_url: 'ftp://a.test' } }],
      400,
      'invalid_callback_url',
      /ftp/,
    ],
    [
      'a forbidden destination',
      ['POST', '/v1/tasks', { json: { callback_url: 'http://10.0.0.1/' } }],
      422,
      'destination_forbidden',
      /not public/,
    ],
    [
      'an e-mail address without e-mail',
      ['POST', '/v1/tasks', { json: { callback_url: 'a@b.test' } }],
      422,
      'mail_not_configured',
      /no e-mail until its operator sets RINGBACK_SMTP_URL/,
    ],
    ['a resend before any event', ['POST', `/v1/tasks/${id}/resend`], 409, 'nothing_to_resend', /event/],
  ]
  for (const [name, request, status, code, detail] of scenarios) {
    await t.test(name, async () => {
      const answer = await call(...request)
      assert.equal(answer.status, status, answer.text)
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.equal(answer.body.code, code)
      assert.equal(answer.body.status, status)
      assert.match(answer.body.detail, detail)
    })
  }
  assert.equal((await call('DELETE', '/v1/tasks')).headers.get('allow'), 'POST, GET, HEAD')
})

test('a task has the documented fields and is waiting when it is born', async (t) => {
  const { call } = await startApi(t)
  const { status, text, body } = await call('POST', '/v1/tasks', {
    raw: '{"type":"ocr", "params": {"n": 1950000000000000001, "f": 1.0, "e":1E400}, "metadata":{"a":"b c"}, "unique_id":"u1", "expires_in_s":60}',
  })
  assert.equal(status, 201)
  assert.match(text, /"params":\{"n":1950000000000000001,"f":1\.0,"e":1E400\},/)
  const { id, callback_id, resolve_url, ...rest } = body
  assert.match(callback_id, /^[0-9a-f]{64}$/)
  assert.equal(resolve_url, `https://ring.test/v1/callbacks/${callback_id}`)
  assert.deepEqual(
    { ...rest, params: null },
    {
      external_id: null,
      type: 'ocr',
      status: 'waiting',
      audit_status: null,
      mode: 'live',
      params: null,
      response: null,
      error: null,
      metadata: { a: 'b c' },
      unique_id: 'u1',
      callback_url: null,
      callback_succeeded: null,
      callback_succeeded_at: null,
      created_at: '2030-01-01T00:00:00.000Z',
      updated_at: '2030-01-01T00:00:00.000Z',
      completed_at: null,
      expires_at: '2030-01-01T00:01:00.000Z',
      request: null,
      not_before: null,
      poll: null,
      resolve: null,
      version: 1,
    },
  )
  const again = await call('GET', `/v1/tasks/${id}`)
  assert.equal(again.body.callback_id, undefined)
  assert.match(again.text, /1E400/)

  const taken = await call('POST', '/v1/tasks', { json: { unique_id: 'u1' } })
  assert.deepEqual([taken.status, taken.body.code, taken.body.task_id], [409, 'unique_id_taken', id])
})

test('a server that sends e-mail takes addresses, with mailto: or without, for tasks and as a default', async (t) => {
  const { call } = await startApi(t, { mail: true })
  for (const callback_url of ['joe@mail.test', 'mailto:joe@mail.test']) {
    const { status, body } = await call('POST', '/v1/tasks', { json: { callback_url } })
    assert.deepEqual([status, body['callback_url']], [201, callback_url])
    assert.equal(
      (await call('PATCH', '/v1/project', { json: { default_callback_url: callback_url } })).status,
      200,
    )
  }
  for (const callback_url of [
    'joe@mail.test\r\nBcc: eve@mail.test',
    'mailto:joe%0aeve@mail.test',
    'a@b@mail.test',
  ]) {
    const { status, body } = await call('POST', '/v1/tasks', { json: { callback_url } })
    assert.deepEqual([status, body['code']], [400, 'invalid_callback_url'])
  }
})

test('the key decides what exists', async (t) => {
  const { call, credentials, createTask } = await startApi(t)
  const { id } = await createTask()
  for (const key of [credentials.test_key, credentials.test_operator_key]) {
    assert.equal((await call('GET', `/v1/tasks/${id}`, { key })).status, 404)
  }
  assert.equal((await call('GET', `/v1/tasks/${id}`, { key: credentials.operator_key })).status, 200)
})

test('an idempotency key gives the first answer again, and refuses another body', async (t) => {
  const { call } = await startApi(t)
  const headers = { 'idempotency-key': 'k1' }
  const create = (json: unknown) => call('POST', '/v1/tasks', { json, headers })
  const all = await Promise.all([create({ type: 'a' }), create({ type: 'a' }), create({ type: 'a' })])
  assert.equal(new Set(all.map(({ text }) => text)).size, 1)
  assert.deepEqual(all.filter(({ headers }) => headers.get('idempotent-replayed') === 'true').length, 2)
  assert.ok(all.every(({ status }) => status === 201))
  const other = await create({ type: 'b' })
  assert.deepEqual([other.status, other.body.code], [422, 'idempotency_key_reused'])
  assert.equal((await call('GET', '/v1/tasks')).body.data.length, 1)
})

test('verbs move a task, write its events, and say what is possible when they do not apply', async (t) => {
  const { call, createTask } = await startApi(t)
  const { id } = await createTask({ callback_url: 'https://receiver.test/hook' })
  const verb = (name: string, json?: unknown) => call('POST', `/v1/tasks/${id}/${name}`, { json })
  assert.equal((await verb('start')).body.status, 'processing')
  assert.equal((await verb('suspend', { reason: 'pause' })).body.status, 'suspended')
  assert.equal((await verb('resume')).body.status, 'processing')
  const awaited = await verb('await', { expires_in_s: 10 })
  assert.equal(awaited.body.expires_at, '2030-01-01T00:00:10.000Z')
  assert.match(awaited.body.resolve_url, /\/v1\/callbacks\/[0-9a-f]{64}$/)
  assert.deepEqual((await verb('complete', { response: { a: 1 } })).body.response, { a: 1 })
  const refused = await verb('complete', { response: 1 })
  assert.deepEqual(
    [refused.status, refused.body.code, refused.body.current],
    [409, 'invalid_transition', 'completed'],
  )
  assert.match(refused.body.detail, /edit, audit, recall/)
  assert.equal((await verb('audit', { verdict: 'approved', response: 1 })).status, 400)
  assert.deepEqual((await verb('audit', { verdict: 'fixed', comments: 'c', response: 2 })).body.response, 2)
  assert.equal((await verb('recall')).body.status, 'pending')
  assert.deepEqual((await verb('fail', { error: { message: 'no' }, during: 'setup' })).body.error, {
    message: 'no',
  })
  assert.equal((await verb('restart')).body.status, 'pending')

  const events = await call('GET', `/v1/tasks/${id}/events?limit=2`)
  assert.deepEqual(
    events.body.data.map((event: Row) => [event.sequence, event.type, event.detail]),
    [
      [1, 'task.suspended', { reason: 'pause' }],
      [2, 'task.completed', null],
    ],
  )
  const rest = await call('GET', `/v1/tasks/${id}/events?cursor=${events.body.next_cursor}`)
  assert.deepEqual(
    rest.body.data.map((event: Row) => event.type),
    ['task.audit.fixed', 'task.recalled', 'task.errored'],
  )
  assert.equal(rest.body.next_cursor, null)
  const deliveries = await call('GET', `/v1/tasks/${id}/deliveries`)
  assert.deepEqual(
    deliveries.body.data.map(({ sequence, state }: Row) => [sequence, state]),
    [
      [5, 'held'],
      [4, 'held'],
      [3, 'held'],
      [2, 'held'],
      [1, 'pending'],
    ],
  )
})

test('a task whose time has come is expired by whoever notices first', async (t) => {
  const { call, clock, createTask } = await startApi(t)
  const { id } = await createTask({ expires_in_s: 5, callback_url: 'https://receiver.test/' })
  clock.time += 5000
  const late = await call('POST', `/v1/tasks/${id}/complete`, { json: { response: 1 } })
  assert.deepEqual([late.status, late.body.current], [409, 'expired'])
  const { data } = (await call('GET', `/v1/tasks/${id}/events`)).body
  assert.deepEqual(
    data.map(({ type }: Row) => type),
    ['task.expired'],
  )
})

test('lists page newest first and filter', async (t) => {
  const { call, createTask } = await startApi(t)
  const ids: string[] = []
  for (const type of ['a', 'b', 'a']) ids.unshift((await createTask({ type })).id)
  const first = await call('GET', '/v1/tasks?limit=2')
  assert.deepEqual(
    first.body.data.map(({ id }: Row) => id),
    ids.slice(0, 2),
  )
  const second = await call('GET', `/v1/tasks?limit=2&cursor=${first.body.next_cursor}`)
  assert.deepEqual([second.body.data.map(({ id }: Row) => id), second.body.next_cursor], [ids.slice(2), null])
  for (const list of ['events', 'attempts']) {
    const foreign = await call('GET', `/v1/tasks/${ids[0]}/${list}?cursor=${first.body.next_cursor}`)
    assert.deepEqual([foreign.status, foreign.body.code], [400, 'invalid_request'], list)
  }
  assert.equal((await call('GET', '/v1/tasks?type=a&status=waiting')).body.data.length, 2)
  assert.equal((await call('GET', '/v1/tasks?created_after=2031-01-01T00:00:00Z')).body.data.length, 0)
})

test('?wait answers when the task settles', async (t) => {
  const { call, createTask, store } = await startApi(t)
  const { id } = await createTask()
  const looked = Promise.withResolvers<void>()
  const find = store.findTask.bind(store)
  let looks = 0
  store.findTask = async (...args) => {
    const found = await find(...args)
    if (++looks === 2) looked.resolve()
    return found
  }
  const waiting = call('GET', `/v1/tasks/${id}?wait=60`)
  await looked.promise
  await call('POST', `/v1/tasks/${id}/complete`, { json: { response: 'done' } })
  assert.deepEqual((await waiting).body.response, 'done')
  assert.equal((await call('GET', `/v1/tasks/${id}?wait=60`)).body.status, 'completed')
})

test('?wait answers with the task as it is when the time is over', async (t) => {
  const { call, createTask } = await startApi(t)
  const { id } = await createTask()
  assert.equal((await call('GET', `/v1/tasks/${id}?wait=1`)).body.status, 'waiting')
})

test('a resend sends the last event again, or brings its unsettled delivery forward', async (t) => {
  const { call, createTask, store } = await startApi(t)
  const { id } = await createTask({ callback_url: 'https://receiver.test/' })
  await call('POST', `/v1/tasks/${id}/complete`, { json: { response: 1 } })
  const [first] = (await call('GET', '/v1/deliveries?destination=https://receiver.test')).body.data
  const same = await call('POST', `/v1/tasks/${id}/resend`)
  assert.deepEqual([same.status, same.body.id, same.body.resend], [202, first!.id, false])

  const canceled = await call('POST', `/v1/deliveries/${first!.id}/cancel`)
  assert.deepEqual(
    [canceled.status, canceled.body.state, canceled.body.reason],
    [200, 'canceled', 'canceled'],
  )
  const twice = await call('POST', `/v1/deliveries/${first!.id}/cancel`)
  assert.deepEqual(
    [twice.status, twice.body.code, twice.body.current],
    [409, 'invalid_transition', 'canceled'],
  )

  const headers = { 'idempotency-key': 'again' }
  const fresh = await call('POST', `/v1/deliveries/${first!.id}/resend`, { headers })
  assert.equal(fresh.status, 202)
  assert.deepEqual(
    [fresh.body.resend, fresh.body.event_id, fresh.body.state],
    [true, first!.event_id, 'pending'],
  )
  const replayed = await call('POST', `/v1/deliveries/${first!.id}/resend`, { headers })
  assert.deepEqual([replayed.text, replayed.headers.get('idempotent-replayed')], [fresh.text, 'true'])
  const { body } = await call('GET', `/v1/deliveries/${fresh.body.id}`)
  assert.deepEqual([body.attempts, body.plan.length, body.plan[0]], [[], 21, '2030-01-01T00:00:00.000Z'])
  assert.equal(
    (
      await store.listDeliveries(
        { project_id: (await call('GET', '/v1/project')).body.id, mode: 'live' },
        {},
        { limit: 10, after: null },
      )
    ).rows.length,
    2,
  )
})

test('what retention has deleted is said to be deleted, not never to have been', async (t) => {
  const { call, createTask, store, clock } = await startApi(t)
  await call('PATCH', '/v1/project', { json: { retention_days: 2 } })
  const { id } = await createTask({ callback_url: 'https://receiver.test/' })
  await call('POST', `/v1/tasks/${id}/complete`, { json: { response: 1 } })
  const [delivery] = (await call('GET', `/v1/tasks/${id}/deliveries`)).body.data
  await call('POST', `/v1/deliveries/${delivery!.id}/cancel`)
  const resends = [`/v1/tasks/${id}/resend`, `/v1/deliveries/${delivery!.id}/resend`]
  const day = 86_400_000
  for (const [later, status] of [
    [day, 202],
    [2 * day, 410],
  ] as const) {
    clock.time += later
    const unsettled = await store.listDeliveries(
      { project_id: (await call('GET', '/v1/project')).body.id, mode: 'live' },
      { state: 'pending' },
      { limit: 10, after: null },
    )
    for (const row of unsettled.rows) await store.cancelDelivery(row)
    await store.prune('', 100)
    for (const path of resends) {
      const { status: found, body } = await call('POST', path)
      assert.deepEqual([found, body.code], [status, status === 410 ? 'pruned' : undefined], path)
    }
  }
  const never = await call('POST', '/v1/deliveries/no-such-id/resend')
  assert.equal(never.body.code, 'not_found')
})

test('a project shows and changes its settings', async (t) => {
  const { call, createTask } = await startApi(t)
  const { status, body } = await call('PATCH', '/v1/project', {
    json: { default_callback_url: 'https://receiver.test/all', retry: { retries: 3 }, expires_in_s: 9 },
  })
  assert.equal(status, 200)
  assert.deepEqual([body.retry, body.expires_in_s], [{ retries: 3, window_s: 86_400 }, 9])
  const task = await createTask()
  assert.deepEqual(
    [task.callback_url, task.expires_at],
    ['https://receiver.test/all', '2030-01-01T00:00:09.000Z'],
  )
  assert.equal(
    (await call('PATCH', '/v1/project', { json: { default_callback_url: 'http://10.0.0.1' } })).status,
    422,
  )
  const cleared = await call('PATCH', '/v1/project', { json: { default_callback_url: null } })
  assert.equal(cleared.body.default_callback_url, null)
})

test('an administrator who repeats a creating request with its idempotency key gets the first answer, keys and all', async (t) => {
  const { call } = await startApi(t)
  const key = adminKey
  const post = (path: string, json: unknown, name: string) =>
    call('POST', path, { key, json, headers: { 'idempotency-key': name } })
  const create = () => post('/v1/admin/projects', { name: 'p' }, 'one')
  const [first, ...others] = await Promise.all([create(), create(), create()])
  assert.equal(first.status, 201)
  for (const other of others) assert.equal(other.text, first.text)
  assert.equal((await create()).headers.get('idempotent-replayed'), 'true')
  const projects = (await call('GET', '/v1/admin/projects', { key })).body.data
  assert.equal(projects.filter(({ name }) => name === 'p').length, 1)
  assert.equal((await post('/v1/admin/projects', { name: 'q' }, 'one')).body.code, 'idempotency_key_reused')

  const keys = `/v1/admin/projects/${first.body.project.id}/keys`
  const [made, again] = [await post(keys, {}, 'two'), await post(keys, {}, 'two')]
  assert.deepEqual([made.status, again.text], [201, made.text])
  assert.equal((await call('GET', keys, { key })).body.data.length, 5)
})

test('an administrator makes projects and keys, and revokes them at once', async (t) => {
  const { call } = await startApi(t)
  const key = adminKey
  const made = await call('POST', '/v1/admin/projects', { key, json: { name: 'p' } })
  assert.equal(made.status, 201)
  const { project, credentials } = made.body
  assert.match(credentials.live_key, /^rb_live_\w{32,}$/)
  assert.match(credentials.operator_key, /^rb_op_live_\w{32,}$/)
  assert.match(credentials.signing_secret, /^whsec_/)
  assert.equal(
    (await call('POST', '/v1/admin/projects', { key, json: { name: 'p', dialect: 'x' } })).status,
    400,
  )
  assert.equal((await call('GET', '/v1/admin/projects', { key })).body.data.length, 2)

  const added = await call('POST', `/v1/admin/projects/${project.id}/keys`, { key, json: { mode: 'test' } })
  assert.equal(added.status, 201)
  assert.equal((await call('GET', '/v1/project', { key: added.body.key })).body.id, project.id)
  assert.equal((await call('GET', `/v1/admin/projects/${project.id}/keys`, { key })).body.data.length, 5)
  const path = `/v1/admin/projects/${project.id}/keys/${added.body.id}`
  assert.equal((await call('DELETE', path, { key })).status, 204)
  assert.equal((await call('DELETE', path, { key })).status, 404)
  assert.equal((await call('GET', '/v1/project', { key: added.body.key })).status, 401)
})

test('a bug is answered without a word about it, and logged with its cause', async (t) => {
  const { call, log } = await startApi(
    t,
    {},
    {
      wrapStore: (store) => ({
        ...store,
        listTasks: async () => Promise.reject(new Error('a secret cause')),
      }),
    },
  )
  const { status, body, text } = await call('GET', '/v1/tasks')
  assert.deepEqual([status, body.code], [500, 'internal_error'])
  assert.doesNotMatch(text, /secret cause/)
  assert.match(String(log.lines[0]?.err), /a secret cause/)
})

type Operation = {
  operationId: string
  responses: Record<string, { content: Record<string, { schema: { $ref: string } }> }>
}
type Document = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}

test('the document describes every route in OpenAPI 3.1', async (t) => {
  const { call } = await startApi(t)
  const { body } = await call('GET', '/openapi.json', { key: null })
  assert.equal(body.openapi, '3.1.0')
  const { paths, components } = body as unknown as Document
  assert.equal(paths['/v1/tasks']?.post?.operationId, 'createTask')
  assert.equal(
    paths['/v1/tasks/{id}']?.get?.responses['200']?.content['application/json']?.schema.$ref,
    '#/components/schemas/Task',
  )
  assert.ok(components.schemas.Problem)
  assert.equal((await call('GET', '/docs/', { key: null })).status, 200)
})

test('health and metrics need no key', async (t) => {
  const { call } = await startApi(t)
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    assert.equal((await call('GET', path, { key: null })).status, 200, path)
  }
})

test('a surface serves its own routes only', async (t) => {
  const inbound = await startApi(t, { surface: 'inbound' })
  assert.equal((await inbound.call('GET', '/v1/tasks')).status, 404)
  assert.equal((await inbound.call('GET', '/healthz')).status, 200)
  assert.equal(
    (await inbound.call('POST', '/v1/callbacks/x', { json: 1 })).body.error,
    'Invalid or expired callback ID',
  )
  const api = await startApi(t, { surface: 'api' })
  assert.equal((await api.call('POST', '/v1/callbacks/x', { json: 1 })).body.code, 'not_found')
})

test('a drain answers those who wait, refuses new requests, and then closes', async (t) => {
  const entered = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const { api, call, createTask, port } = await startApi(
    t,
    {},
    {
      wrapStore: (store) => ({
        ...store,
        async listTasks(...args) {
          entered.resolve()
          await release.promise
          return store.listTasks(...args)
        },
      }),
    },
  )
  const { id } = await createTask()
  const waiting = call('GET', `/v1/tasks/${id}?wait=60`)
  const slow = call('GET', '/v1/tasks')
  await entered.promise
  const drained = api.drain()
  assert.equal((await waiting).body.status, 'waiting')
  const refused = await call('GET', '/v1/tasks')
  assert.deepEqual([refused.status, refused.body.code], [503, 'shutting_down'])
  assert.equal(refused.headers.get('retry-after'), '1')
  assert.equal(refused.headers.get('connection'), 'close')
  assert.equal((await call('GET', '/readyz')).status, 503)
  assert.equal((await call('GET', '/healthz')).status, 200)
  release.resolve()
  assert.equal((await slow).body.data.length, 1)
  await drained
  const socket = connect(port, '127.0.0.1')
  const [error] = await once(socket, 'error')
  assert.equal(error.code, 'ECONNREFUSED')
})

test('the document tells of every credential of every dialect', async (t) => {
  const { call } = await startApi(t)
  for (const dialect of ['native', 'scale', 'stardust', 'superai', 'asyncqueue']) {
    const json = { name: dialect, dialect }
    const { status, body } = await call('POST', '/v1/admin/projects', { key: adminKey, json })
    assert.equal(status, 201)
    const untold = Object.keys(body.credentials).filter(
      (name) => !Object.hasOwn(Credentials.properties, name),
    )
    assert.deepEqual(untold, [], dialect)
  }
})
