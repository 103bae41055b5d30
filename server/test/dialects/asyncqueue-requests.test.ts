// What AsyncQueue's customers may ask for, and how they are refused: each table of the contract's section 1, with every bound.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminKey } from '../http/start-api.ts'
import { startAsyncqueue } from './asyncqueue-platform.ts'

const pollConfig = {
  urlTemplate: 'https://images.test/{startResult.body.id}',
  statusPath: 'state',
  doneValues: ['ok'],
  failValues: ['bad'],
}
const later = '2031-01-01T00:00:00.000Z'

test('a new task shows every field with its default', async (t) => {
  const { create, project } = await startAsyncqueue(t)
  const answer = await create({ targetUrl: 'http://images.test/run', delayUntil: later })
  assert.deepEqual(Object.keys(answer), ['task'])
  const { id, ...task } = answer.task
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.deepEqual(task, {
    teamId: project.id,
    status: 'delayed',
    targetUrl: 'http://images.test/run',
    method: 'POST',
    headers: {},
    body: null,
    maxWaitTime: 30,
    timeout: 30,
    delayUntil: later,
    maxRetries: 3,
    retryBackoff: 'exponential',
    priority: 5,
    onCompleteUrl: null,
    waitForSignal: false,
    provider: null,
    pollConfig: null,
    callbackId: null,
    retryCount: 0,
    result: null,
    error: null,
    createdAt: '2030-01-01T00:00:00.000Z',
    startedAt: null,
    completedAt: null,
  })
})

test('a new task shows every field as it was given', async (t) => {
  const { ask, create, read } = await startAsyncqueue(t)
  const vault = await ask<{ token: { id: string } }>(201, 'POST', '/v1/tokens', {
    name: 'key',
    value: 'Key abc',
  })
  const given = {
    targetUrl: 'https://images.test/run?hook={asyncqueue_callback_url}',
    method: 'PUT',
    headers: { 'X-Demo': '1', Authorization: vault.token.id },
    body: '{"prompt":"a {red} kite"}',
    maxWaitTime: 600,
    timeout: 0.5e2,
    delayUntil: '2030-06-01T10:00:00+02:00',
    maxRetries: 0,
    retryBackoff: 'linear',
    priority: 10,
    onCompleteUrl: 'https://app.test/done',
    waitForSignal: true,
    provider: 'luma',
    pollConfig: { interval: 1.5, doneValues: ['a', 'b'] },
    resolve: 'fal',
  }
  const { task, signalToken, callbackUrl } = await create({ ...given, unknown: { field: true } })
  const shown = {
    ...given,
    pollConfig: {
      urlTemplate: 'https://api.lumalabs.ai/dream-machine/v1/generations/{startResult.body.id}',
      statusPath: 'state',
      doneValues: ['a', 'b'],
      failValues: ['failed'],
      interval: 1.5,
      maxDuration: 600,
      resultPath: 'assets.video',
      errorPath: 'failure_reason',
      forwardAuth: true,
    },
    resolve: {
      statusPath: 'status',
      doneValues: ['OK'],
      failValues: ['ERROR'],
      ignoreValues: ['IN_QUEUE', 'IN_PROGRESS'],
      errorPath: 'error',
    },
  }
  assert.deepEqual({ ...task, ...shown }, task)
  assert.match(String(signalToken), /^[0-9a-f]{64}$/)
  assert.match(String(task.callbackId), /^[0-9a-f]{64}$/)
  assert.equal(callbackUrl, `https://ring.test/v1/callbacks/${task.callbackId}`)
  assert.deepEqual(await read(task.id), { ...task, callbackId: null })
})

test('polling by hand has defaults for what need not be given', async (t) => {
  const { create } = await startAsyncqueue(t)
  const { task } = await create({ pollConfig, delayUntil: later })
  assert.deepEqual(task['pollConfig'], {
    ...pollConfig,
    interval: 5,
    maxDuration: 600,
    resultPath: '',
    forwardAuth: true,
  })
  assert.equal(task['provider'], null)
})

test('a callback id is made only for a task that tells it: in its URL, its body or a header', async (t) => {
  const { create, target_url } = await startAsyncqueue(t)
  const placeholder = '{asyncqueue_callback_url}'
  const told = async (json: Record<string, unknown>) =>
    (await create({ delayUntil: later, ...json })).callbackUrl
  assert.equal(await told({}), undefined)
  assert.equal(await told({ waitForSignal: true }), undefined)
  for (const json of [
    { targetUrl: `${target_url}?u=${placeholder}` },
    { body: `"${placeholder}"` },
    { headers: { 'x-hook': placeholder } },
  ]) {
    assert.match(String(await told(json)), /\/v1\/callbacks\/[0-9a-f]{64}$/, JSON.stringify(json))
  }
})

const long = (length: number) => 'x'.repeat(length)

test('the ends of every range are taken', async (t) => {
  const { create } = await startAsyncqueue(t)
  for (const json of [
    { maxWaitTime: 1, timeout: 1, maxRetries: 0, priority: 1 },
    { maxWaitTime: 604_800, timeout: 300, maxRetries: 10, priority: 10 },
    { body: `"\n${long(1024 * 1024 - 2)}` },
    { pollConfig: { ...pollConfig, interval: 1, maxDuration: 1, failValues: [] } },
    { pollConfig: { ...pollConfig, interval: 300, maxDuration: 86_400 } },
    { method: null, headers: null, body: null, delayUntil: null, pollConfig: null, resolve: null },
    { provider: 'fal' },
  ]) {
    await create({ delayUntil: later, ...json })
  }
})

const refusals: [error: RegExp, json: Record<string, unknown>][] = [
  [/^targetUrl is required$/, { targetUrl: undefined }],
  [/^targetUrl is required$/, { targetUrl: '' }],
  [/^targetUrl must be a string$/, { targetUrl: 7 }],
  [/^targetUrl: not an http\(s\) URL/, { targetUrl: '/run' }],
  [/^targetUrl: not an http\(s\) URL/, { targetUrl: 'ftp://images.test/' }],
  [/^targetUrl: not an http\(s\) URL/, { targetUrl: 'joe@example.com' }],
  [/^targetUrl: longer than 2048/, { targetUrl: `https://images.test/${long(2048)}` }],
  [/^targetUrl: The address 10\.0\.0\.1 is not public/, { targetUrl: 'http://10.0.0.1/' }],
  [/^method must be one of GET, POST, PUT, DELETE$/, { method: 'PATCH' }],
  [/^method must be one of/, { method: 'get' }],
  [/^headers must be an object$/, { headers: [] }],
  [/^headers\.x must be a string$/, { headers: { x: 1 } }],
  [/^headers: "a b" is no name/, { headers: { 'a b': '1' } }],
  [/^headers: "" is no name/, { headers: { '': '1' } }],
  [/^headers\.x: has a character/, { headers: { x: 'a\r\nb: c' } }],
  [/^headers\.x: has a character/, { headers: { x: '☃' } }],
  [/^headers: has more than 16384 characters/, { headers: { x: long(16_384) } }],
  [/^headers\.x: there is no token tok_1/, { headers: { x: 'tok_1' } }],
  ...[
    'Host',
    'content-length',
    'Connection',
    'transfer-encoding',
    'keep-alive',
    'Upgrade',
    'TE',
    'trailer',
    'Expect',
    'Proxy-Authorization',
  ].map((name): [RegExp, Record<string, unknown>] => [
    new RegExp(`^headers\\.${name}: is set by the server itself`),
    { headers: { [name]: 'x' } },
  ]),
  [/^body must be a string$/, { body: { a: 1 } }],
  [/^body must have 1048576 characters/, { body: long(1024 * 1024 + 1) }],
  [/^body must have 1048576 bytes/, { body: 'é'.repeat(600_000) }],
  [/^body has half a surrogate/, { body: '\ud800' }],
  [/^maxWaitTime must be a number from 1 to 604800$/, { maxWaitTime: 0.5 }],
  [/^maxWaitTime must be/, { maxWaitTime: 604_801 }],
  [/^maxWaitTime must be/, { maxWaitTime: '60' }],
  [/^timeout must be a number from 1 to 300$/, { timeout: 0 }],
  [/^timeout must be/, { timeout: 301 }],
  [/^delayUntil must be a time/, { delayUntil: 'tomorrow' }],
  [/^delayUntil must be a time/, { delayUntil: '2031-01-01T00:00:00' }],
  [/^delayUntil must be a time/, { delayUntil: '2031-13-01T00:00:00Z' }],
  [/^delayUntil must be a string/, { delayUntil: 1_900_000_000 }],
  [/^maxRetries must be a whole number from 0 to 10$/, { maxRetries: 11 }],
  [/^maxRetries must be/, { maxRetries: -1 }],
  [/^maxRetries must be/, { maxRetries: 1.5 }],
  [/^retryBackoff must be one of exponential, linear$/, { retryBackoff: 'fixed' }],
  [/^priority must be a whole number from 1 to 10$/, { priority: 0 }],
  [/^priority must be/, { priority: 11 }],
  [/^onCompleteUrl: not an http\(s\) URL/, { onCompleteUrl: 'app' }],
  [/^onCompleteUrl: not an http\(s\) URL/, { onCompleteUrl: 'joe@example.com' }],
  [/The address 10\.0\.0\.1 is not public/, { onCompleteUrl: 'http://10.0.0.1/' }],
  [/^waitForSignal must be true or false$/, { waitForSignal: 'yes' }],
  [
    /^provider must be one of fal, replicate, runwayml, luma, elevenlabs-dubbing, stability-video$/,
    { provider: 'x' },
  ],
  [/^pollConfig must be an object$/, { pollConfig: 'fal' }],
  ...['urlTemplate', 'statusPath', 'doneValues', 'failValues'].map(
    (field): [RegExp, Record<string, unknown>] => [
      new RegExp(`^pollConfig\\.${field} is required$`),
      { pollConfig: { ...pollConfig, [field]: undefined } },
    ],
  ),
  [/^pollConfig\.urlTemplate begins neither/, { pollConfig: { ...pollConfig, urlTemplate: 'images.test' } }],
  [
    /^pollConfig\.urlTemplate has braces/,
    { pollConfig: { ...pollConfig, urlTemplate: 'https://a.test/{id}' } },
  ],
  [
    /^pollConfig\.resultUrlTemplate has/,
    { pollConfig: { ...pollConfig, resultUrlTemplate: 'https://a.test/{id}' } },
  ],
  [
    /^pollConfig\.doneValues must be an array of 1 to 100 strings$/,
    { pollConfig: { ...pollConfig, doneValues: [] } },
  ],
  [/^pollConfig\.failValues must be/, { pollConfig: { ...pollConfig, failValues: [1] } }],
  [/^pollConfig\.interval must be a number from 1 to 300$/, { pollConfig: { ...pollConfig, interval: 0 } }],
  [/^pollConfig\.interval must be/, { pollConfig: { ...pollConfig, interval: 301 } }],
  [/^pollConfig\.maxDuration must be/, { pollConfig: { ...pollConfig, maxDuration: 86_401 } }],
  [/^pollConfig\.resultPath must be a string$/, { pollConfig: { ...pollConfig, resultPath: 1 } }],
  [/^pollConfig\.forwardAuth must be true or false$/, { pollConfig: { ...pollConfig, forwardAuth: 1 } }],
  [/^resolve must be an object, or one of fal, replicate$/, { resolve: 'luma' }],
  [/^resolve must be an object, or one of fal, replicate$/, { resolve: 'x' }],
  [/^resolve\.statusPath is required$/, { resolve: {} }],
]

test('each field that is wrong is refused in one sentence', async (t) => {
  const { request, ask, target_url } = await startAsyncqueue(t)
  for (const [error, json] of refusals) {
    const { status, body } = await request('POST', '/v1/tasks', { targetUrl: target_url, ...json })
    assert.deepEqual([status, Object.keys(body)], [400, ['error']], String(error))
    assert.match(body.error, error)
  }
  const { pagination } = await ask<{ pagination: { total: number } }>(200, 'GET', '/v1/tasks')
  assert.equal(pagination.total, 0)
})

test('errors are one text, whatever is wrong', async (t) => {
  const { credentials, send, request } = await startAsyncqueue(t)
  const key = { 'x-api-key': credentials.live_key }
  const cases: [
    status: number,
    error: RegExp,
    method: string,
    path: string,
    init: Parameters<typeof send>[2],
  ][] = [
    [401, /^API key required$/, 'GET', '/v1/tasks', {}],
    [401, /^Invalid or revoked API key$/, 'GET', '/v1/tasks', { headers: { 'x-api-key': 'async_x' } }],
    [
      401,
      /^Invalid or revoked API key$/,
      'GET',
      '/v1/tasks',
      { headers: { 'x-api-key': credentials.operator_key } },
    ],
    [400, /^Invalid JSON body$/, 'POST', '/v1/tasks', { headers: key, raw: '{' }],
    [400, /^The body must be a JSON object$/, 'POST', '/v1/tasks', { headers: key, raw: '[]' }],
    [400, /^targetUrl is required$/, 'POST', '/v1/tasks', { headers: key }],
    [413, /^The body is too large$/, 'POST', '/v1/tokens', { headers: key, raw: `"${long(20_000)}"` }],
    [404, /^Task not found$/, 'GET', '/v1/tasks/7', { headers: key }],
    [404, /^Task not found$/, 'POST', '/v1/tasks/7/cancel', { headers: key }],
    [404, /^Token not found$/, 'DELETE', '/v1/tokens/tok_7', { headers: key }],
    [404, /^Nothing is served/, 'GET', '/v2/tasks', { headers: key }],
    [405, /^PUT is not for/, 'PUT', '/v1/tasks', { headers: key }],
    [400, /^wait must be a number$/, 'GET', '/v1/tasks/7?wait=soon', { headers: key }],
    [400, /^limit must be a number$/, 'GET', '/v1/tasks?limit=all', { headers: key }],
    [400, /^offset must be a number$/, 'GET', '/v1/tasks?offset=1e3', { headers: key }],
    [
      400,
      /^status must be one of delayed, pending, processing/,
      'GET',
      '/v1/tasks?status=done',
      { headers: key },
    ],
  ]
  for (const [status, error, method, path, init] of cases) {
    const answer = await send(method, `/asyncqueue${path}`, init)
    assert.deepEqual(
      [answer.status, Object.keys(answer.body)],
      [status, ['error']],
      `${path}: ${answer.text}`,
    )
    assert.match(answer.body.error, error)
  }
  assert.equal((await request('GET', '/v1/tasks')).status, 200)
  const own = await send('GET', '/asyncqueue/v1/tasks', { headers: key })
  assert.equal(own.status, 200)
})

test('a list is newest first, in pages, by state', async (t) => {
  const { ask, create, done } = await startAsyncqueue(t)
  type List = {
    tasks: { id: string; status: string }[]
    pagination: { total: number; limit: number; offset: number; hasMore: boolean }
  }
  const list = (query: string) => ask<List>(200, 'GET', `/v1/tasks${query}`)
  const ids: string[] = []
  for (let i = 0; i < 3; i++) ids.unshift((await create({ delayUntil: later })).task.id)
  const whole = await list('')
  assert.deepEqual(
    whole.tasks.map(({ id }) => id),
    ids,
  )
  assert.deepEqual(whole.pagination, { total: 3, limit: 20, offset: 0, hasMore: false })
  const middle = await list('?limit=1&offset=1')
  assert.deepEqual(
    middle.tasks.map(({ id }) => id),
    [ids[1]],
  )
  assert.deepEqual(middle.pagination, { total: 3, limit: 1, offset: 1, hasMore: true })
  assert.equal((await list('?limit=0')).pagination.limit, 1)
  assert.equal((await list('?limit=1000&offset=-5')).pagination.limit, 100)

  await ask(200, 'POST', `/v1/tasks/${ids[0]}/cancel`)
  const { task } = await create()
  await done(task.id)
  const counts = Object.fromEntries(
    await Promise.all(
      ['delayed', 'pending', 'cancelled', 'completed', 'failed'].map(async (status) => {
        const { tasks, pagination } = await list(`?status=${status}`)
        assert.ok(tasks.every((task) => task.status === status))
        return [status, pagination.total] as const
      }),
    ),
  )
  assert.deepEqual(counts, { delayed: 2, pending: 0, cancelled: 1, completed: 1, failed: 0 })
})

test('the vault takes values, shows none, and forgets what is revoked', async (t) => {
  const { ask, create, called, calls, clock, done, request } = await startAsyncqueue(t)
  type Token = { token: { id: string; name: string } }
  for (const [error, json] of [
    [/^name is required$/, { value: 'v' }],
    [/^name must have 100 characters/, { name: long(101), value: 'v' }],
    [/^value is required$/, { name: 'n' }],
    [/^value has a character/, { name: 'n', value: 'a\nb' }],
  ] as const) {
    const { status, body } = await request('POST', '/v1/tokens', json)
    assert.equal(status, 400)
    assert.match(body.error, error)
  }
  const { token } = await ask<Token>(201, 'POST', '/v1/tokens', { name: long(100), value: 'Bearer abc' })
  assert.deepEqual(token, { id: token.id, name: long(100), createdAt: '2030-01-01T00:00:00.000Z' })
  assert.match(token.id, /^tok_/)
  const other = await ask<Token>(201, 'POST', '/v1/tokens', { name: 'second', value: 'x' })
  const listed = await ask<{ tokens: unknown[] }>(200, 'GET', '/v1/tokens')
  assert.deepEqual(listed.tokens, [other.token, token])

  const headers = { Authorization: token.id }
  const first = await create({ headers })
  assert.equal((await called(1)).headers.authorization, 'Bearer abc')
  assert.deepEqual((await done(first.task.id)).headers, headers)

  const delayed = await create({ headers, delayUntil: '2030-01-01T00:10:00Z' })
  const revoked = await ask<Token>(200, 'DELETE', `/v1/tokens/${token.id}`)
  assert.deepEqual(Object.keys(revoked.token), ['id', 'name', 'revokedAt'])
  assert.deepEqual((await ask<{ tokens: unknown[] }>(200, 'GET', '/v1/tokens')).tokens, [other.token])
  assert.equal((await request('POST', '/v1/tasks', { targetUrl: 'http://a.test/', headers })).status, 400)
  clock.advance(600_000)
  const failed = await done(delayed.task.id)
  assert.deepEqual([failed.status, failed.retryCount, calls.length], ['failed', 0, 1])
  assert.match(String(failed.error), new RegExp(token.id))
})

test('keys are made and revoked with the operator key of their team', async (t) => {
  const { credentials, project, send } = await startAsyncqueue(t)
  const operator = { authorization: `Bearer ${credentials.operator_key}` }
  const post = (path: string, json?: unknown, headers: Record<string, string> = operator) =>
    send('POST', `/asyncqueue${path}`, { headers, json })
  type ApiKey = { id: string; name: string | null; key: string; createdAt: string; revokedAt: string }
  const foreign = await post('/teams/other/apikeys', { name: 'ci' })
  assert.deepEqual([foreign.status, foreign.body], [403, { error: 'Access denied' }])
  const path = `/teams/${project.id}/apikeys`
  const own = { authorization: `Bearer ${credentials.live_key}` }
  assert.equal((await post(path, { name: 'ci' }, own)).body.error, 'Invalid or revoked API key')
  assert.equal((await post(path, {})).body.error, 'name is required')

  const made = await post(path, { name: 'ci' })
  assert.equal(made.status, 201)
  const { apiKey } = made.body as unknown as { apiKey: ApiKey }
  assert.deepEqual(apiKey, { ...apiKey, name: 'ci', createdAt: '2030-01-01T00:00:00.000Z' })
  assert.match(apiKey.key, /^async_[0-9a-f]{48}$/)
  const withKey = () => send('GET', '/asyncqueue/v1/tasks', { headers: { 'x-api-key': apiKey.key } })
  assert.equal((await withKey()).status, 200)

  const revoked = await post(`/apikeys/${apiKey.id}/revoke`)
  const { key: _, ...kept } = apiKey
  assert.deepEqual(revoked.body['apiKey'], { ...kept, revokedAt: '2030-01-01T00:00:00.000Z' })
  assert.deepEqual(
    [(await withKey()).status, (await withKey()).body.error],
    [401, 'Invalid or revoked API key'],
  )
  const again = await post(`/apikeys/${apiKey.id}/revoke`)
  assert.deepEqual([again.status, again.body.error], [404, 'API key not found'])
})

test('an operator key without the scope makes no keys, and what a key with an end makes ends with it', async (t) => {
  const { clock, project, send } = await startAsyncqueue(t)
  const makeOperator = async (json: object) => {
    const headers = { authorization: `Bearer ${adminKey}` }
    const made = await send('POST', `/v1/admin/projects/${project.id}/keys`, {
      headers,
      json: { role: 'operator', ...json },
    })
    return { authorization: `Bearer ${made.body.key}` }
  }
  const path = `/asyncqueue/teams/${project.id}/apikeys`
  const narrow = await makeOperator({ scopes: ['tasks:read'] })
  const refused = await send('POST', path, { headers: narrow, json: { name: 'ci' } })
  assert.equal(refused.status, 403, JSON.stringify(refused.body))

  const short = await makeOperator({ scopes: ['operator'], expires_in_s: 60 })
  const made = await send('POST', path, { headers: short, json: { name: 'ci' } })
  const { apiKey } = made.body as unknown as { apiKey: { key: string } }
  const withKey = () => send('GET', '/asyncqueue/v1/tasks', { headers: { 'x-api-key': apiKey.key } })
  assert.equal((await withKey()).status, 200)
  clock.advance(60_000)
  assert.equal((await withKey()).status, 401)
})

test('providers are told to everybody', async (t) => {
  const { send } = await startAsyncqueue(t)
  const { status, body } = await send('GET', '/asyncqueue/v1/providers')
  assert.equal(status, 200)
  const providers = body['providers'] as { id: string; name: string; pollConfig: Record<string, unknown> }[]
  assert.deepEqual(
    providers.map(({ id, name, pollConfig }) => [
      id,
      name,
      pollConfig['interval'],
      pollConfig['maxDuration'],
    ]),
    [
      ['fal', 'fal.ai', 3, 600],
      ['replicate', 'Replicate', 5, 600],
      ['runwayml', 'RunwayML', 5, 600],
      ['luma', 'Luma AI', 5, 600],
      ['elevenlabs-dubbing', 'ElevenLabs Dubbing', 10, 1800],
      ['stability-video', providers.at(-1)?.name, 10, 600],
    ],
  )
  assert.ok(providers.every(({ pollConfig }) => pollConfig['forwardAuth'] === true))
})
