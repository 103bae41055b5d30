// Native tasks that something is called for, from `POST /v1/tasks` to their callback: a real provider at the other end, and a
// clock that the test moves.
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import type { Body, Row } from '../http/start-api.ts'
import { startPlatform } from '../support/platform.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'

type Asked = { method: string; path: string; headers: IncomingHttpHeaders; body: string; at: number }
type Answer = { status?: number; headers?: Record<string, string>; body?: unknown }

/** A native platform and a provider that answers each request as `answer` says: `count` is its number, from 1. */
async function startWithProvider(
  t: TestContext,
  answer: (asked: Asked, count: number, response: ServerResponse) => Answer | undefined,
) {
  const platform = await startPlatform(t, 'native')
  const { call, clock } = platform
  const asked: Asked[] = []
  const { url } = await using(
    t,
    startReceiver(({ method = '', url: path = '', headers }, response, body) => {
      const one = { method, path, headers, body, at: clock.now() }
      asked.push(one)
      const given = answer(one, asked.length, response)
      if (given === undefined) return
      response.writeHead(given.status ?? 200, given.headers).end(JSON.stringify(given.body ?? {}))
    }),
  )
  const create = async (json: object): Promise<Body> => {
    const { status, body, text } = await call('POST', '/v1/tasks', { json })
    assert.equal(status, 201, text)
    return body
  }
  return {
    ...platform,
    provider: url,
    asked,
    create,
    /** The task once it is settled; time goes on meanwhile, by steps of so many milliseconds. */
    settled: async ({ id }: { id: string }, step_ms?: number) =>
      (await clock.advanceUntil(call('GET', `/v1/tasks/${id}?wait=20`), step_ms)).body,
    /** Lets time go on until the task is in a status on its way, and throws when it is settled instead. */
    until: async ({ id }: { id: string }, wanted: string): Promise<void> => {
      const seen = async (): Promise<void> => {
        const { status, completed_at } = (await call('GET', `/v1/tasks/${id}`)).body
        if (status === wanted) return
        assert.equal(completed_at, null, `it is ${String(status)}, and never was ${wanted}`)
        await seen()
      }
      await clock.advanceUntil(seen())
    },
    attemptsOf: async ({ id }: { id: string }) =>
      (await call('GET', `/v1/tasks/${id}/attempts?limit=100`)).body.data.map(
        ({ step, number, status }: Row) => [step, number, status],
      ),
  }
}

test('a request is made once, and its answer is the response and reaches the customer', async (t) => {
  const { asked, attempted, attemptsOf, create, provider, received, receiver_url, settled } =
    await startWithProvider(t, () => ({ body: { label: 'cat' } }))
  const task = await create({
    callback_url: receiver_url,
    request: { url: `${provider}/label?x=1`, headers: { 'X-Key': 'k' }, body: { image: 'cat.png', n: 1 } },
  })
  assert.equal(task['status'], 'pending')
  const { status, response } = await settled(task)
  assert.deepEqual([status, response], ['completed', { label: 'cat' }])
  const [{ method, path, headers, body } = assert.fail()] = asked
  assert.deepEqual([method, path, body], ['POST', '/label?x=1', '{"image":"cat.png","n":1}'])
  assert.deepEqual([headers['content-type'], headers['x-key']], ['application/json', 'k'])
  await attempted(1)
  assert.equal(received[0]?.body['type'], 'task.completed')
  assert.ok(
    !received[0].text.includes('X-Key') && !received[0].text.includes('cat.png'),
    'no headers, no body',
  )
  assert.deepEqual([asked.length, await attemptsOf(task)], [1, [['request', 1, 200]]])
})

test('numbers of the body and of the answer keep their spelling, and text is sent and kept as it stands', async (t) => {
  const { asked, call, provider, settled } = await startWithProvider(t, ({ path }, _, response) => {
    response.end(path === '/text' ? 'plain' : '{"big": 1950000000000000001, "f": 1.0}')
    return undefined
  })
  const create = async (raw: string) => (await call('POST', '/v1/tasks', { raw })).body
  const json = await create(`{"request":{"url":"${provider}/json","body":{ "n": 1.0, "e":1E400 }}}`)
  await settled(json)
  assert.equal(asked[0]?.body, '{"n":1.0,"e":1E400}')
  assert.match(
    (await call('GET', `/v1/tasks/${json.id}`)).text,
    /"response":\{"big":1950000000000000001,"f":1\.0\}/,
  )
  const text = await create(
    `{"request":{"url":"${provider}/text","method":"PUT","headers":{"content-type":"text/plain"},"body":"a=1\\nb"}}`,
  )
  assert.equal((await settled(text))['response'], 'plain')
  assert.deepEqual(
    [asked[1]?.method, asked[1]?.body, asked[1]?.headers['content-type']],
    ['PUT', 'a=1\nb', 'text/plain'],
  )
})

test('a request that tells the inbound URL waits for it after a good answer', async (t) => {
  const { asked, call, create, provider, received, receiver_url, attempted, settled, until } =
    await startWithProvider(t, () => ({ status: 202, body: { id: 'j1' } }))
  const task = await create({
    callback_url: receiver_url,
    request: {
      url: `${provider}/run?hook={resolve_url}`,
      headers: { 'x-hook': '{resolve_url}' },
      body: { hook: '{resolve_url}' },
    },
    resolve: { provider: 'replicate' },
  })
  await until(task, 'waiting')
  const [{ path, headers, body } = assert.fail()] = asked
  assert.equal(path, `/run?hook=${task.resolve_url}`)
  assert.equal(headers['x-hook'], task.resolve_url)
  assert.deepEqual(JSON.parse(body), { hook: task.resolve_url })
  const post = (json: unknown) => call('POST', new URL(task.resolve_url).pathname, { key: null, json })
  assert.equal((await post({ status: 'processing', logs: '10 %' })).status, 200)
  assert.equal((await post({ status: 'succeeded', output: [1] })).status, 200)
  const { status, response } = await settled(task)
  assert.deepEqual([status, response], ['completed', { status: 'succeeded', output: [1] }])
  await attempted(1)
  assert.deepEqual([asked.length, received.length], [1, 1])
})

test('a provider’s template polls until it is done, and reads the result where it lies', async (t) => {
  const { asked, attemptsOf, create, provider, settled } = await startWithProvider(t, ({ path }, count) => {
    if (path === '/run')
      return { body: { status_url: `${provider}/status/7`, response_url: `${provider}/result/7` } }
    if (path === '/status/7') return { body: { status: count < 4 ? 'IN_PROGRESS' : 'COMPLETED' } }
    return { body: { images: ['cat.png'] } }
  })
  const task = await create({
    request: { url: `${provider}/run`, headers: { authorization: 'Key k' } },
    poll: { provider: 'fal' },
  })
  assert.deepEqual(task['poll'], { interval_s: 3, max_duration_s: 600 })
  const { status, response } = await settled(task)
  assert.deepEqual([status, response], ['completed', { images: ['cat.png'] }])
  assert.deepEqual(await attemptsOf(task), [
    ['request', 1, 200],
    ['poll', 2, 200],
    ['poll', 3, 200],
    ['poll', 4, 200],
    ['result', 5, 200],
  ])
  assert.ok(asked.every(({ headers }) => headers.authorization === 'Key k'))
  assert.deepEqual(
    asked.slice(1).map(({ method }) => method),
    ['GET', 'GET', 'GET', 'GET'],
  )
  assert.ok(asked[2]!.at - asked[1]!.at >= 3000)
})

test('fields of a poll override the template, and a fail value fails the task with its error', async (t) => {
  const { asked, create, provider, settled } = await startWithProvider(t, ({ path }) =>
    path === '/run' ? { body: { id: 'a/b' } } : { body: { status: 'failed', error: { text: 'no GPU' } } },
  )
  const task = await create({
    request: { url: `${provider}/run`, headers: { authorization: 'Key k' } },
    poll: {
      provider: 'replicate',
      url_template: `${provider}/jobs/{startResult.body.id}`,
      interval_s: 1,
      error_path: 'error.text',
      forward_auth: false,
    },
  })
  const { status, error } = await settled(task)
  assert.deepEqual([status, error], ['failed', { message: 'no GPU' }])
  assert.equal(asked[1]?.path, '/jobs/a%2Fb')
  assert.equal(asked[1].headers.authorization, undefined)
})

test('a callback that comes while the provider is polled completes the task, and polling ends', async (t) => {
  const { asked, call, clock, create, provider, settled, until } = await startWithProvider(t, () => ({
    body: { id: 'j', status: 'working' },
  }))
  const task = await create({
    request: { url: provider, body: '{resolve_url}' },
    poll: {
      url_template: `${provider}/{startResult.body.id}`,
      status_path: 'status',
      done_values: ['done'],
      fail_values: [],
    },
  })
  await until(task, 'polling')
  assert.equal((await call('POST', `/v1/callbacks/${task.callback_id}`, { json: 7 })).status, 200)
  assert.equal((await settled(task))['response'], 7)
  const polls = asked.length
  clock.advance(3_600_000)
  assert.equal((await call('GET', `/v1/tasks/${task.id}`)).body['status'], 'completed')
  assert.equal(asked.length, polls)
})

test('a task that is polled for too long expires', async (t) => {
  const { create, provider, settled } = await startWithProvider(t, () => ({ body: { status: 'working' } }))
  const task = await create({
    request: { url: provider },
    poll: { provider: 'luma', url_template: provider, interval_s: 1, max_duration_s: 3 },
  })
  assert.equal((await settled(task))['status'], 'expired')
})

test('a 5xx is tried again after a growing wait, and then counts the answer', async (t) => {
  const { asked, attemptsOf, create, provider, settled } = await startWithProvider(t, (_, count) => ({
    status: count < 4 ? 503 : 200,
    body: { count },
  }))
  const task = await create({ request: { url: provider } })
  // Small steps, or a slow disk's commits would take more of the clock's time than a wait may be late.
  assert.deepEqual((await settled(task, 2))['response'], { count: 4 })
  assert.deepEqual(
    await attemptsOf(task),
    [503, 503, 503, 200].map((status, index) => ['request', index + 1, status]),
  )
  const waits = asked.slice(1).map(({ at }, index) => at - asked[index]!.at)
  for (const [index, least] of [1000, 2000, 4000].entries())
    assert.ok(waits[index]! >= least && waits[index]! < least + 900, String(waits))
})

test('a task whose retries are used up fails with the last fault', async (t) => {
  const { asked, create, provider, settled } = await startWithProvider(t, () => ({ status: 500 }))
  const { status, error } = await settled(
    await create({ request: { url: provider, retries: 1, backoff: 'linear' } }),
  )
  assert.deepEqual(
    [status, error, asked.length],
    ['failed', { message: 'Server error: HTTP 500 - Internal Server Error' }, 2],
  )
})

test('a 429 is tried again no sooner than it asks for', async (t) => {
  const { asked, create, provider, settled } = await startWithProvider(t, (_, count) =>
    count === 1 ? { status: 429, headers: { 'retry-after': '7' } } : { body: 'ok' },
  )
  assert.equal((await settled(await create({ request: { url: provider } })))['response'], 'ok')
  assert.ok(asked[1]!.at - asked[0]!.at >= 7000)
})

test('a 4xx fails the task at once', async (t) => {
  const { asked, create, provider, settled } = await startWithProvider(t, () => ({ status: 422 }))
  const { status, error } = await settled(await create({ request: { url: provider } }))
  assert.deepEqual(
    [status, error, asked.length],
    ['failed', { message: 'Client error: HTTP 422 - Unprocessable Entity' }, 1],
  )
})

test('nothing is called before its time', async (t) => {
  const { asked, call, clock, create, provider, settled } = await startWithProvider(t, () => ({}))
  const begin = clock.now() + 3_600_000
  const task = await create({ request: { url: provider }, not_before: new Date(begin).toISOString() })
  assert.equal(task['not_before'], new Date(begin).toISOString())
  clock.advanceTo(begin - 1)
  assert.equal((await call('GET', `/v1/tasks/${task.id}`)).body['status'], 'pending')
  assert.equal(asked.length, 0)
  assert.equal((await settled(task))['status'], 'completed')
  assert.ok(asked[0]!.at >= begin)
})

test('a redirect is followed, and credentials stay with their origin', async (t) => {
  const other = await using(
    t,
    startReceiver(({ method, headers }, response, body) => {
      response.end(JSON.stringify({ method, body, key: headers['x-key'] ?? null }))
    }),
  )
  const { create, provider, settled } = await startWithProvider(t, () => ({
    status: 307,
    headers: { location: other.url },
  }))
  const task = await create({ request: { url: provider, headers: { 'x-key': 'k' }, body: { a: 1 } } })
  assert.deepEqual((await settled(task))['response'], { method: 'POST', body: '{"a":1}', key: null })
})

test('a token’s value is sent, and one that is revoked meanwhile fails the task without a call', async (t) => {
  const { asked, call, clock, create, provider, settled } = await startWithProvider(t, () => ({}))
  const token = (await call('POST', '/v1/tokens', { json: { name: 'p', value: 'Key secret' } })).body
  const request = { url: provider, headers: { Authorization: token.id } }
  await settled(await create({ request }))
  assert.equal(asked[0]?.headers.authorization, 'Key secret')
  const later = await create({ request, not_before: new Date(clock.now() + 5000).toISOString() })
  assert.equal((await call('DELETE', `/v1/tokens/${token.id}`)).status, 200)
  const { status, error } = await settled(later)
  assert.equal(status, 'failed')
  assert.deepEqual(error, { message: `The token ${token.id} of the header Authorization is revoked.` })
  assert.equal(asked.length, 1)
})

test('a canceled task calls nothing, a suspended one rests, and a restarted one begins again', async (t) => {
  const { asked, call, clock, create, provider, settled } = await startWithProvider(t, () => ({ body: 1 }))
  const soon = () => new Date(clock.now() + 1000).toISOString()
  const canceled = await create({ request: { url: provider }, not_before: soon() })
  await call('POST', `/v1/tasks/${canceled.id}/cancel`)
  const halted = await create({ request: { url: provider }, not_before: soon() })
  await call('POST', `/v1/tasks/${halted.id}/suspend`)
  clock.advance(10_000)
  await settled(await create({ request: { url: provider } }))
  assert.equal(asked.length, 1)
  await call('POST', `/v1/tasks/${halted.id}/resume`)
  assert.equal((await settled(halted))['status'], 'completed')
  await call('POST', `/v1/tasks/${canceled.id}/restart`)
  assert.equal((await settled(canceled))['status'], 'completed')
  assert.equal(asked.length, 3)
})

test('a callback that is faster than the answer to its request is held, and then resolves the task', async (t) => {
  const callback = Promise.withResolvers<{ status: number }>()
  const { call, clock, create, provider, settled } = await startWithProvider(t, ({ body }, _, response) => {
    // The answer to the request comes once the callback is under way, and is held.
    callback.resolve(call('POST', new URL(body).pathname, { key: null, json: { label: 'cat' } }))
    setImmediate(() => response.end('{}'))
    return undefined
  })
  const task = await create({ request: { url: provider, body: '{resolve_url}' } })
  assert.equal((await clock.advanceUntil(callback.promise)).status, 200)
  assert.deepEqual((await settled(task))['response'], { label: 'cat' })
  const { data } = (await call('GET', `/v1/tasks/${task.id}/arrivals`)).body
  assert.deepEqual(
    data.map(({ verdict }: Row) => verdict),
    ['resolved'],
  )
})
