// What the API says to tasks that something is called for, without an engine: bounds, views, the vault, and inbound URLs that know
// what a body means.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { CallVerb } from '../../src/domain/task.ts'
import { startApi, type Row } from './start-api.ts'

const url = 'https://provider.test/run'
const poll = {
  url_template: 'https://provider.test/{startResult.body.id}',
  status_path: 'status',
  done_values: ['done'],
  fail_values: ['failed'],
}
const resolve = { status_path: 'status', done_values: ['done'], fail_values: ['failed'] }

test('what cannot be called is refused with the field and the remedy', async (t) => {
  const { call } = await startApi(t)
  const scenarios: [fields: object, detail: RegExp, code?: string][] = [
    [{ request: {} }, /request\.url: required/],
    [{ request: { url: 'nowhere' } }, /^request\.url: .*http/, 'invalid_callback_url'],
    [{ request: { url: 'a@b.test' } }, /^request\.url: not an http\(s\) URL/, 'invalid_callback_url'],
    [
      { request: { url: 'ftp://a.test/' } },
      /^request\.url: not an http\(s\) URL; give/,
      'invalid_callback_url',
    ],
    [{ request: { url: 'http://10.0.0.1/' } }, /^request\.url: .*not public/, 'destination_forbidden'],
    [{ request: { url, verb: 'GET' } }, /request\.verb: no such field/, 'unknown_field'],
    [{ request: { url, method: 'PATCH' } }, /request\.method: must be one of GET, POST, PUT, DELETE/],
    [{ request: { url, method: 'GET', body: 1 } }, /request\.body: a GET has none/],
    [{ request: { url, body: '\ud800' } }, /request\.body: .*surrogate/],
    [{ request: { url, headers: { a: 1 } } }, /request\.headers\.a: must be string/],
    [{ request: { url, headers: { Host: 'x' } } }, /request\.headers\.Host: is set by the server/],
    [{ request: { url, headers: { a: 'b\nc' } } }, /request\.headers\.a: .*line break/],
    [{ request: { url, headers: { a: 'tok_none' } } }, /request\.headers\.a: there is no token tok_none/],
    [{ request: { url, timeout_s: 301 } }, /request\.timeout_s: must be <= 300/],
    [{ request: { url, timeout_s: 0 } }, /request\.timeout_s: must be >= 1/],
    [{ request: { url, retries: 11 } }, /request\.retries: must be <= 10/],
    [{ request: { url, backoff: 'fixed' } }, /request\.backoff: must be one of exponential, linear/],
    [{ poll }, /^poll: needs a request/],
    [{ not_before: '2030-01-01T01:00:00Z' }, /^not_before: needs a request/],
    [{ request: { url }, not_before: 'soon' }, /not_before: must be a time/],
    [{ request: { url }, not_before: '2031-01-03T00:00:00Z' }, /not_before: is more than a year ahead/],
    [
      { request: { url }, not_before: '2030-01-01T01:00:00Z', expires_in_s: 3600 },
      /not_before: the task would have expired/,
    ],
    [{ request: { url }, poll: {} }, /^poll\.url_template, poll\.status_path, poll\.done_values, .*required/],
    [{ request: { url }, poll: { provider: 'none' } }, /poll\.provider: must be one of fal, replicate/],
    [{ request: { url }, poll: { ...poll, url_template: '{id}' } }, /poll\.url_template: has braces/],
    [
      { request: { url }, poll: { ...poll, url_template: 'ftp://x' } },
      /poll\.url_template: begins neither with http/,
    ],
    [
      { request: { url }, poll: { ...poll, url_template: 'https://a b/' } },
      /poll\.url_template: has a space/,
      'invalid_callback_url',
    ],
    [
      { request: { url }, poll: { ...poll, result_url_template: '/x' } },
      /poll\.result_url_template: begins neither/,
    ],
    [{ request: { url }, poll: { ...poll, done_values: [] } }, /poll\.done_values: is empty/],
    [
      { request: { url }, poll: { ...poll, fail_values: ['done'] } },
      /poll\.fail_values: has "done", as has poll\.done_values/,
    ],
    [{ request: { url }, poll: { ...poll, interval_s: 301 } }, /poll\.interval_s: must be <= 300/],
    [
      { request: { url }, poll: { ...poll, max_duration_s: 86_401 } },
      /poll\.max_duration_s: must be <= 86400/,
    ],
    [{ resolve: {} }, /^resolve\.status_path, resolve\.done_values, resolve\.fail_values: required/],
    [{ resolve: { provider: 'luma' } }, /resolve\.provider: must be one of fal, replicate/],
    [
      { resolve: { ...resolve, ignore_values: ['failed'] } },
      /resolve\.ignore_values: has "failed", as has resolve\.fail_values/,
    ],
  ]
  for (const [fields, detail, code = 'invalid_request'] of scenarios) {
    await t.test(String(detail), async () => {
      const { status, body, text } = await call('POST', '/v1/tasks', { json: fields })
      assert.equal(status, code === 'destination_forbidden' ? 422 : 400, text)
      assert.equal(body['code'], code, text)
      assert.match(body.detail, detail)
    })
  }
  assert.deepEqual((await call('GET', '/v1/tasks')).body.data, [])
})

test('a view tells what is called, but neither headers nor body', async (t) => {
  const { call, createTask } = await startApi(t)
  const task = await createTask({
    request: { url: `${url}?hook={resolve_url}`, headers: { 'x-key': 'a secret' }, body: { a: 'a secret' } },
    poll: { provider: 'fal', interval_s: 7 },
    resolve,
    not_before: '2030-01-01T02:00:00+01:00',
  })
  const { status, text, body } = await call('GET', `/v1/tasks/${task.id}`)
  assert.equal(status, 200)
  assert.ok(!text.includes('a secret'))
  const { request, not_before, poll: shown, resolve: meaning, status: state } = body
  assert.deepEqual(
    { request, not_before, poll: shown, resolve: meaning, state },
    {
      request: {
        url: `${url}?hook={resolve_url}`,
        method: 'POST',
        timeout_s: 30,
        retries: 3,
        backoff: 'exponential',
      },
      not_before: '2030-01-01T01:00:00.000Z',
      poll: { interval_s: 7, max_duration_s: 600 },
      resolve: { ...resolve, ignore_values: [], error_path: null },
      state: 'pending',
    },
  )
  assert.match(task.resolve_url, /\/v1\/callbacks\/[0-9a-f]{64}$/)
  assert.deepEqual((await call('GET', `/v1/tasks/${task.id}/attempts`)).body, { data: [], next_cursor: null })
})

test('an idempotency key makes one call only, and the answer is the first one', async (t) => {
  const { call } = await startApi(t)
  const headers = { 'idempotency-key': 'k' }
  const create = (json: unknown) => call('POST', '/v1/tasks', { json, headers })
  const first = await create({ request: { url } })
  const again = await create({ request: { url } })
  assert.deepEqual([first.status, again.status, again.text], [201, 201, first.text])
  assert.equal((await create({ request: { url, body: 1 } })).status, 422)
  assert.equal((await call('GET', '/v1/tasks')).body.data.length, 1)
})

test('tokens are made, listed and revoked, each for its own project and mode, and never shown', async (t) => {
  const { call, credentials, createTask } = await startApi(t)
  const headers = { 'idempotency-key': 'k' }
  const json = { name: 'fal', value: 'Key a b' }
  const create = () => call('POST', '/v1/tokens', { json, headers })
  const [made, ...again] = await Promise.all([create(), create(), create()])
  assert.equal(made.status, 201, made.text)
  for (const { text } of again) assert.equal(text, made.text)
  const { id, ...rest } = made.body
  assert.match(id, /^tok_[0-9a-f]{32}$/)
  assert.deepEqual(rest, { name: 'fal', created_at: '2030-01-01T00:00:00.000Z' })

  const operator = await call('GET', '/v1/tokens', { key: credentials.operator_key })
  assert.deepEqual(operator.body, { data: [made.body], next_cursor: null })
  assert.ok(!operator.text.includes('Key a b'))
  const key = credentials.test_key
  assert.deepEqual((await call('GET', '/v1/tokens', { key })).body.data, [])
  assert.equal((await call('DELETE', `/v1/tokens/${id}`, { key })).status, 404)
  const request = { url, headers: { authorization: id } }
  const foreign = await call('POST', '/v1/tasks', { key, json: { request } })
  assert.match(foreign.body.detail, /^request\.headers\.authorization: there is no token/)
  assert.equal((await createTask({ request }))['status'], 'pending')

  const revoked = await call('DELETE', `/v1/tokens/${id}`)
  assert.deepEqual(
    [revoked.status, revoked.body],
    [200, { ...made.body, revoked_at: '2030-01-01T00:00:00.000Z' }],
  )
  assert.deepEqual((await call('GET', '/v1/tokens')).body.data, [])
  assert.equal((await call('DELETE', `/v1/tokens/${id}`)).status, 200, 'it stays revoked')
  assert.equal((await call('POST', '/v1/tasks', { json: { request } })).status, 400)
  assert.equal((await call('DELETE', '/v1/tokens/tok_none')).status, 404)
})

test('the project of any dialect has a vault', async (t) => {
  const { call, credentials } = await startApi(t, {}, { dialect: 'scale' })
  const json = { name: 'fal', value: 'Key a b' }
  assert.equal((await call('POST', '/v1/tokens', { json, key: credentials.operator_key })).status, 201)
  const refused = await call('POST', '/v1/tasks', {
    json: { request: { url } },
    key: credentials.operator_key,
  })
  assert.match(refused.body.detail, /created by its customers, under \/scale/)
})

test('a value that no header can carry is no token', async (t) => {
  const { call } = await startApi(t, { body_limit: 100_000 })
  const refused: [object, RegExp][] = [
    [{ name: 'a', value: 'a\nb' }, /^value: has a character/],
    [{ name: 'a', value: '' }, /^value: /],
    [{ name: 'a', value: 'x'.repeat(16_385) }, /^value: .*16384/],
    [{ name: 'x'.repeat(101), value: 'a' }, /^name: .*100/],
    [{ name: 'a' }, /^value: required/],
  ]
  for (const [json, detail] of refused) {
    const { status, body } = await call('POST', '/v1/tokens', { json })
    assert.equal(status, 400)
    assert.match(body.detail, detail)
  }
})

/** The verdicts on what reached a task's inbound URL, in order. */
const verdictsOf = async ({ call }: Awaited<ReturnType<typeof startApi>>, id: string) =>
  (await call('GET', `/v1/tasks/${id}/arrivals`)).body.data.map(({ verdict }: Row) => verdict)

for (const mount of ['', '/asyncqueue']) {
  const post = (
    { call }: Awaited<ReturnType<typeof startApi>>,
    { callback_id }: { callback_id: string },
    json: unknown,
  ) => call('POST', `${mount}/v1/callbacks/${callback_id}`, { key: null, json })

  test(`fal’s callbacks complete or fail a task by what they report, at ${mount}/v1/callbacks`, async (t) => {
    const api = await startApi(t)
    const good = await api.createTask({ resolve: { provider: 'fal' } })
    assert.equal(good['status'], 'waiting')
    const ok = { request_id: 'r', status: 'OK', payload: { images: [] } }
    const done = await post(api, good, ok)
    assert.equal(done.status, 200)
    assert.deepEqual((await api.call('GET', `/v1/tasks/${good.id}`)).body['response'], ok)

    const bad = await api.createTask({
      resolve: { provider: 'fal' },
      callback_url: 'https://receiver.test/',
    })
    const raw = '{"status": "ERROR", "error": "no GPU", "n": 1.0}'
    const failed = await api.call('POST', `${mount}/v1/callbacks/${bad.callback_id}`, { raw })
    assert.equal(failed.status, 200)
    assert.deepEqual(failed.body['task'], {
      id: bad.id,
      status: 'failed',
      result: null,
      createdAt: '2030-01-01T00:00:00.000Z',
      completedAt: '2030-01-01T00:00:00.000Z',
    })
    const { text } = await api.call('GET', `/v1/tasks/${bad.id}`)
    assert.match(
      text,
      /"error":\{"message":"no GPU","details":\{"status":"ERROR","error":"no GPU","n":1\.0\}\}/,
    )
    const events = (await api.call('GET', `/v1/tasks/${bad.id}/events`)).body.data
    assert.deepEqual(
      events.map(({ type }: Row) => type),
      ['task.failed'],
    )
    assert.equal((await post(api, bad, ok)).status, 404, 'the id is used')
    assert.deepEqual(await verdictsOf(api, bad.id), ['resolved', 'repeated'])
  })

  test(`Replicate’s progress leaves the id usable, at ${mount}/v1/callbacks`, async (t) => {
    const api = await startApi(t)
    const task = await api.createTask({ resolve: { provider: 'replicate' } })
    for (const status of ['starting', 'processing', 'processing']) {
      const answer = await post(api, task, { id: 'p', status, output: null })
      assert.equal(answer.status, 200)
      assert.deepEqual(answer.body['task'], {
        id: task.id,
        status: 'waiting',
        result: null,
        createdAt: '2030-01-01T00:00:00.000Z',
        completedAt: null,
      })
    }
    assert.equal((await post(api, task, { status: 'canceled' })).status, 200)
    const { status, error } = (await api.call('GET', `/v1/tasks/${task.id}`)).body
    assert.deepEqual(
      [status, error],
      [
        'failed',
        { message: 'The provider reported the status "canceled".', details: { status: 'canceled' } },
      ],
    )
    assert.deepEqual(await verdictsOf(api, task.id), ['progress', 'progress', 'progress', 'resolved'])
  })

  test(`a body that says nothing is refused and leaves the id usable, at ${mount}/v1/callbacks`, async (t) => {
    const api = await startApi(t)
    const task = await api.createTask({ resolve })
    for (const [body, why] of [
      [{ status: 'huh' }, /"huh" at "status" \(resolve\.status_path\)/],
      [{ state: 'done' }, /no status at "status" \(resolve\.status_path\)/],
      ['done', /no status/],
    ] as const) {
      const { status, body: answer } = await post(api, task, body)
      assert.equal(status, 422)
      assert.match(answer.error, why)
    }
    assert.deepEqual(await verdictsOf(api, task.id), ['invalid', 'invalid', 'invalid'])
    const [unclear] = (await api.call('GET', `/v1/tasks/${task.id}/arrivals`)).body.data
    const applied = await api.call('POST', `/v1/arrivals/${unclear!.id}/apply`)
    assert.deepEqual([applied.body['status'], applied.body['response']], ['completed', { status: 'huh' }])
  })
}

/** An API with a task whose request is under way. */
async function startProcessing(t: TestContext) {
  let asked = Promise.withResolvers<void>()
  const recorded = Promise.withResolvers<void>()
  const api = await startApi(
    t,
    {},
    {
      wrapStore: (store) => ({
        ...store,
        async findTask(scope, id) {
          const found = await store.findTask(scope, id)
          if (found?.status === 'processing') asked.resolve()
          return found
        },
        recordArrival: (arrival) => store.recordArrival(arrival).then(recorded.resolve),
      }),
    },
  )
  const { deps, createTask, project, store, call } = api
  const task = await createTask({ request: { url, body: '{resolve_url}' }, resolve: { provider: 'fal' } })
  const row = async () => (await store.findTask({ project_id: project.id, mode: 'live' }, task.id))!
  const move = async (verb: CallVerb) => {
    const { kind } = await deps.verbs.tryApply(await row(), verb, {})
    assert.equal(kind, 'done')
  }
  await move('begin')
  return {
    ...api,
    task,
    move,
    /** Posts to the inbound URL; `held` resolves once that waits for its answer. */
    hold: (json: unknown, signal: AbortSignal | null = null) => {
      asked = Promise.withResolvers()
      const answer = fetch(`http://127.0.0.1:${api.port}/v1/callbacks/${task.callback_id}`, {
        method: 'POST',
        body: JSON.stringify(json),
        signal,
      }).then(async (response) => ({ status: response.status, body: await response.json() }))
      return { answer, held: asked.promise }
    },
    /** Resolves when a refused request is in the ledger. */
    recorded: recorded.promise,
    verdicts: async () =>
      (await call('GET', `/v1/tasks/${task.id}/arrivals`)).body.data.map(({ verdict }: Row) => verdict),
  }
}

const early = { error: 'Task is not in waiting/polling state (current: processing)' }

test('a callback is held while the request is under way, and resolves the task after it', async (t) => {
  const { hold, move, verdicts } = await startProcessing(t)
  const { answer, held } = hold({ status: 'OK' })
  await held
  await move('listen')
  assert.equal((await answer).status, 200)
  assert.deepEqual(await verdicts(), ['resolved'])
})

test('a callback that was held is refused with the state the task went to', async (t) => {
  const { hold, move, verdicts } = await startProcessing(t)
  const { answer, held } = hold({ status: 'OK' })
  await held
  await move('retry')
  assert.deepEqual(await answer, {
    status: 409,
    body: { error: 'Task is not in waiting/polling state (current: pending)' },
  })
  assert.deepEqual(await verdicts(), ['early'])
})

test('a callback is held for ten seconds at most', async (t) => {
  const { createTask, hold, verdicts } = await startProcessing(t)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { answer, held } = hold({ status: 'OK' })
  let answered = false
  void answer.then(() => (answered = true))
  await held
  t.mock.timers.tick(9999)
  // An answer that came too soon would have been written down before the last of these.
  for (let written = 0; written < 3; written++) await createTask()
  assert.deepEqual(await verdicts(), [])
  assert.equal(answered, false)
  t.mock.timers.tick(1)
  assert.deepEqual(await answer, { status: 409, body: early })
  assert.deepEqual(await verdicts(), ['early'])
})

test('what is held is answered when the server stops', async (t) => {
  const { api, hold } = await startProcessing(t)
  const { answer, held } = hold({ status: 'OK' })
  await held
  await api.drain()
  assert.deepEqual(await answer, { status: 409, body: early })
})

test('the body of whoever does not wait for the answer is in the ledger, to be applied by hand', async (t) => {
  const { call, hold, recorded, task } = await startProcessing(t)
  const leaving = new AbortController()
  const { answer, held } = hold({ status: 'OK' }, leaving.signal)
  await held
  leaving.abort()
  await assert.rejects(answer, { name: 'AbortError' })
  await recorded
  const [arrival] = (await call('GET', `/v1/tasks/${task.id}/arrivals`)).body.data
  assert.deepEqual([arrival?.['verdict'], arrival?.['body']], ['early', '{"status":"OK"}'])
  assert.equal((await call('POST', `/v1/arrivals/${arrival!.id}/apply`)).body['status'], 'completed')
})

test('an id that is no good any more is not held', async (t) => {
  const { call, hold, move, task } = await startProcessing(t)
  await call('POST', `/v1/tasks/${task.id}/cancel`)
  await call('POST', `/v1/tasks/${task.id}/restart`)
  await move('begin')
  const { answer, held } = hold({ status: 'OK' })
  const first = await Promise.race([answer, held])
  assert.equal(first?.status, 404, 'the restart made a new one')
})

test('a task that somebody works on is not waited for', async (t) => {
  const { call, createTask } = await startApi(t)
  const { id, callback_id } = await createTask({})
  await call('POST', `/v1/tasks/${id}/start`)
  assert.deepEqual((await call('POST', `/v1/callbacks/${callback_id}`, { json: 1 })).body, early)
})
