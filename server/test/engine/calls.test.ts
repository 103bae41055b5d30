import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import type { Task } from '../../src/domain/task.ts'
import { createCalled, pollAt, reached, reportIn, requestTo, startProvider } from '../support/calls.ts'
import { ANSWER_BYTES, startEngine, startWorld } from '../support/engine.ts'
import { createManualClock } from '../support/manual-clock.ts'

const settled = ['completed', 'failed', 'expired', 'canceled'] as const

async function setUp(t: TestContext) {
  const clock = createManualClock()
  const world = await startWorld(t, { clock })
  const engine = await startEngine(t, world)
  return {
    ...world,
    ...engine,
    clock,
    /** Moves the time on until a task has one of these statuses. */
    reach: (task: Task, ...statuses: Task['status'][]) =>
      clock.advanceUntil(reached(world, task, ...statuses)),
  }
}

const messageOf = ({ error }: { error: string | null }) =>
  (JSON.parse(error ?? '{}') as { message?: string }).message

test('a task’s request is sent as it was given, and its answer is the response', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, { '/run': [{ status: 200, body: '{ "n": 1950000000000000001 }' }] })
  const request = requestTo(`${provider.url}/run?a=b%20c`, {
    method: 'PUT',
    headers: { 'X-Key': 'k', 'content-type': 'text/plain' },
    body: 'a red kite',
  })
  const task = await createCalled(world, { request })
  const done = await world.reach(task, ...settled)
  assert.deepEqual([done.status, done.response], ['completed', '{"n":1950000000000000001}'])
  const [{ method, path, headers, body }] = provider.asked as [(typeof provider.asked)[number]]
  assert.deepEqual([method, path, body], ['PUT', '/run?a=b%20c', 'a red kite'])
  assert.deepEqual(
    [headers['x-key'], headers['content-type'], headers['user-agent']],
    ['k', 'text/plain', 'Ringback/0.0.0'],
  )
  assert.equal(reportIn(done).answer?.status, 200)
  const { rows } = await world.store.listCallAttempts(task.id, { limit: 10, after: null })
  assert.deepEqual(
    rows.map(({ delivery_id, number, outcome, status, response_body }) => [
      delivery_id,
      number,
      outcome,
      status,
      response_body,
    ]),
    [[`${task.id}.request`, 1, 'delivered', 200, '{ "n": 1950000000000000001 }']],
  )
})

test('a GET has no body', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, { '/run': [{ status: 200 }] })
  const task = await createCalled(world, { request: requestTo(`${provider.url}/run`, { method: 'GET' }) })
  await world.reach(task, ...settled)
  const [{ body, headers }] = provider.asked as [(typeof provider.asked)[number]]
  assert.deepEqual([body, headers['content-type'], headers['content-length']], ['', undefined, undefined])
})

test('what fails is called again after its backoff, and tells how often', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, {
    '/run': [{ status: 500 }, { status: 503 }, { status: 200, body: 7 }],
  })
  const began = world.clock.now()
  const task = await createCalled(world, { request: requestTo(`${provider.url}/run`) })
  const between = await world.reach(task, 'processing')
  assert.equal(between.status, 'processing')
  const done = await world.reach(task, ...settled)
  assert.deepEqual([done.status, done.response, reportIn(done).retry_count], ['completed', '7', 2])
  const { rows } = await world.store.listCallAttempts(task.id, { limit: 10, after: null })
  assert.deepEqual(
    rows.map(({ number, status }) => [number, status]),
    [
      [1, 500],
      [2, 503],
      [3, 200],
    ],
  )
  assert.ok(rows[1]!.started_at - began >= 1000 && rows[2]!.started_at - rows[1]!.started_at >= 2000)
})

test('a task whose retries are used up fails with the last answer, once', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, { '/run': [{ status: 500 }] })
  const task = await createCalled(world, {
    request: requestTo(`${provider.url}/run`, { retries: 2, backoff: 'linear' }),
  })
  const failed = await world.reach(task, ...settled)
  assert.deepEqual(
    [failed.status, messageOf(failed)],
    ['failed', 'Server error: HTTP 500 - Internal Server Error'],
  )
  assert.deepEqual([provider.asked.length, reportIn(failed).retry_count, failed.event_count], [3, 2, 1])
})

test('a call is not made before its time, nor at all once its task is canceled', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, { '/run': [{ status: 200 }] })
  const request = requestTo(`${provider.url}/run`)
  const not_before = world.clock.now() + 3_600_000
  const [task, canceled] = [
    await createCalled(world, { request, not_before }),
    await createCalled(world, { request, not_before }),
  ]
  await world.apply(canceled, 'cancel')
  world.clock.advanceTo(not_before - 1)
  assert.equal((await world.store.findTask(task, task.id))?.status, 'pending')
  await world.reach(task, ...settled)
  assert.equal(provider.asked.length, 1)
})

test('a suspended task is not called for until it is resumed', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, { '/run': [{ status: 500 }, { status: 200 }] })
  const task = await createCalled(world, { request: requestTo(`${provider.url}/run`) })
  const retrying = await world.reach(task, 'pending').then(async () => {
    await world.clock.advanceUntil(provider.requests(1))
    return world.reach(task, 'pending')
  })
  const halted = await world.apply(retrying, 'suspend')
  world.clock.advance(60_000)
  assert.equal(provider.asked.length, 1)
  await world.apply(halted, 'resume')
  const done = await world.reach(task, ...settled)
  assert.deepEqual([done.status, provider.asked.length], ['completed', 2])
})

test('the answer of a call under way counts though its task was suspended meanwhile', async (t) => {
  const world = await setUp(t)
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<() => void>()
  const provider = await startProvider(t, {
    '/run': [(response) => isAsked(() => response.writeHead(503).end()), { status: 200 }],
  })
  const task = await createCalled(world, { request: requestTo(`${provider.url}/run`) })
  const answer = await world.clock.advanceUntil(asked)
  const halted = await world.apply((await world.store.findTask(task, task.id))!, 'suspend')
  const moved = Promise.withResolvers<void>()
  const stop = world.store.onTransition(({ version }) => void (version > halted.version && moved.resolve()))
  answer()
  await world.clock.advanceUntil(moved.promise)
  stop()
  const still = (await world.store.findTask(task, task.id))!
  assert.deepEqual([still.status, still.resume_status], ['suspended', 'pending'])
  world.clock.advance(60_000)
  await world.apply(still, 'resume')
  const done = await world.reach(task, ...settled)
  assert.deepEqual([done.status, provider.asked.length], ['completed', 2])
})

test('a task that somebody takes into their own hands is not called for any more', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, { '/run': [{ status: 500 }, { status: 200 }] })
  const task = await createCalled(world, { request: requestTo(`${provider.url}/run`) })
  await world.clock.advanceUntil(provider.requests(1))
  const retrying = await world.reach(task, 'pending')
  await world.apply(retrying, 'start')
  world.clock.advance(60_000)
  assert.equal((await world.store.findTask(task, task.id))?.status, 'processing')
  assert.equal(provider.asked.length, 1)
})

test('a restarted task is called for again, with an inbound URL of its own', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, { '/run': [{ status: 400 }, { status: 202 }] })
  const callback_id = 'a'.repeat(64)
  const task = await createCalled(
    world,
    { request: requestTo(`${provider.url}/run`, { body: '{"hook":"{resolve_url}"}' }), waits: true },
    { callback_id },
  )
  const failed = await world.reach(task, ...settled)
  assert.equal(failed.status, 'failed')
  await world.apply(failed, 'restart')
  const waiting = await world.reach(task, 'waiting')
  const urls = provider.asked.map(({ body }) => (JSON.parse(body) as { hook: string }).hook)
  assert.equal(urls[0], `http://ringback.test/v1/callbacks/${callback_id}`)
  assert.match(urls[1] ?? '', /^http:\/\/ringback\.test\/v1\/callbacks\/[0-9a-f]{64}$/)
  assert.notEqual(urls[0], urls[1])
  assert.notEqual(waiting.callback_hash, task.callback_hash)
})

test('the inbound URL stands in URL, headers and body, and nowhere in the database', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, { '/run': [{ status: 202 }] })
  const callback_id = 'b'.repeat(64)
  const request = requestTo(`${provider.url}/run?hook={resolve_url}`, {
    headers: { 'x-hook': '<{resolve_url}>' },
    body: '{"hook":"{resolve_url}","again":"{resolve_url}"}',
  })
  const task = await createCalled(world, { request, waits: true, wait_ms: 3000 }, { callback_id })
  const waiting = await world.reach(task, 'waiting')
  const hook = `http://ringback.test/v1/callbacks/${callback_id}`
  const [{ path, headers, body }] = provider.asked as [(typeof provider.asked)[number]]
  assert.equal(path, `/run?hook=${hook}`)
  assert.equal(headers['x-hook'], `<${hook}>`)
  assert.equal(body, `{"hook":"${hook}","again":"${hook}"}`)
  assert.equal(waiting.expires_at, waiting.updated_at + 3000)
  assert.equal(JSON.stringify(waiting).includes(callback_id), false)
  const expired = await world.reach(task, ...settled)
  assert.equal(expired.status, 'expired')
})

test('a job is polled with the request’s headers until it is done', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, {
    '/run': [{ status: 201, body: { id: 'j1' } }],
    '/jobs/j1': [
      { status: 200, body: { status: 'running' } },
      { status: 502 },
      { status: 200, body: { status: 'done', output: [1] } },
    ],
  })
  const request = requestTo(`${provider.url}/run`, {
    headers: { authorization: 'Key k', 'content-language': 'en' },
  })
  const task = await createCalled(world, { request, poll: pollAt(provider.url) })
  const polling = await world.reach(task, 'polling')
  assert.equal(polling.expires_at, polling.updated_at + 600_000)
  const done = await world.reach(task, ...settled)
  assert.deepEqual([done.status, done.response, provider.count('/jobs/j1')], ['completed', '[1]', 3])
  const poll = provider.asked.at(-1)!
  assert.deepEqual(
    [
      poll.method,
      poll.body,
      poll.headers.authorization,
      poll.headers['content-language'],
      poll.headers['content-type'],
    ],
    ['GET', '', 'Key k', undefined, undefined],
  )
})

test('a result with a URL of its own is fetched there', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, {
    '/run': [(response) => response.end(JSON.stringify({ s: `${provider.url}/s`, r: `${provider.url}/r` }))],
    '/s': [{ status: 200, body: { status: 'done' } }],
    '/r': [{ status: 200, body: { images: ['x'] } }],
  })
  const poll = pollAt(provider.url, {
    url_template: '{startResult.body.s}',
    result_url_template: '{startResult.body.r}',
    result_path: 'images',
  })
  const task = await createCalled(world, { request: requestTo(`${provider.url}/run`), poll })
  const done = await world.reach(task, ...settled)
  assert.deepEqual([done.status, done.response], ['completed', '["x"]'])
  const { rows } = await world.store.listCallAttempts(task.id, { limit: 10, after: null })
  assert.deepEqual(
    rows.map(({ delivery_id }) => delivery_id.split('.').at(-1)),
    ['request', 'poll', 'result'],
  )
})

test('credentials go to no other host than the request’s, by poll or by redirect', async (t) => {
  const world = await setUp(t)
  const other = await startProvider(t, {
    '/jobs/1': [{ status: 200, body: { status: 'done', output: 1 } }],
    '/moved': [{ status: 200, body: { id: 1 } }],
  })
  const provider = await startProvider(t, {
    '/run': [{ status: 307, headers: { location: `${other.url}/moved` } }],
  })
  const request = requestTo(`${provider.url}/run`, {
    headers: { authorization: 'Key k', 'X-Api-Key': 'k', accept: 'a/b' },
  })
  const task = await createCalled(world, { request, poll: pollAt(other.url) })
  const done = await world.reach(task, ...settled)
  assert.equal(done.status, 'completed')
  const [moved, polled] = other.asked as [(typeof other.asked)[number], (typeof other.asked)[number]]
  assert.deepEqual([moved.method, moved.body, moved.headers.accept], ['POST', request.body, 'a/b'])
  for (const { headers } of [moved, polled])
    assert.deepEqual([headers.authorization, headers['x-api-key']], [undefined, undefined])
})

test('redirects are followed five times, and 303 by a GET', async (t) => {
  const world = await setUp(t)
  const hop = (n: number) => ({ status: 302, headers: { location: `/h${n}` } })
  const provider = await startProvider(t, {
    '/run': [{ status: 303, headers: { location: '/seen' } }],
    '/seen': [{ status: 200, body: 'ok' }],
    '/loop': [hop(1)],
    '/h1': [hop(2)],
    '/h2': [hop(1)],
  })
  const seen = await createCalled(world, { request: requestTo(`${provider.url}/run`) })
  assert.equal((await world.reach(seen, ...settled)).status, 'completed')
  assert.deepEqual(provider.asked.map(({ method, body }) => [method, body]).at(-1), ['GET', ''])
  const before = provider.asked.length
  const lost = await createCalled(world, { request: requestTo(`${provider.url}/loop`, { retries: 0 }) })
  const failed = await world.reach(lost, ...settled)
  assert.deepEqual([failed.status, messageOf(failed)], ['failed', 'The URL redirects more than 5 times.'])
  assert.equal(provider.asked.length - before, 6)
})

const bad: [what: string, body: unknown, error: RegExp][] = [
  ['a loopback address', { s: 'http://[::1]:9999/s' }, /is not public/],
  ['a metadata address', { s: 'http://169.254.169.254/latest' }, /is not public/],
  ['no URL', { s: 'not a url' }, /leads to "not a url"/],
  ['a file', { s: 'file:///etc/passwd' }, /leads to "file:/],
  ['nothing', {}, /has nothing at "s"/],
]
for (const [what, body, error] of bad) {
  test(`a provider whose answer leads a poll to ${what} fails the task`, async (t) => {
    const world = await setUp(t)
    const provider = await startProvider(t, { '/run': [{ status: 200, body }] })
    const poll = pollAt(provider.url, { url_template: '{startResult.body.s}' })
    const task = await createCalled(world, { request: requestTo(`${provider.url}/run`), poll })
    const failed = await world.reach(task, ...settled)
    assert.equal(failed.status, 'failed')
    assert.match(messageOf(failed) ?? '', error)
  })
}

test('an answer without an end costs its bound and no more, and fails the task at once', async (t) => {
  const world = await setUp(t)
  let written = 0
  const provider = await startProvider(t, {
    '/run': [
      (response) => {
        const piece = 'x'.repeat(64 * 1024)
        const more = () => {
          while (written < 200 * 1024 * 1024 && response.writable) {
            written += piece.length
            if (!response.write(piece)) return
          }
          response.end()
        }
        response.on('drain', more)
        more()
      },
    ],
  })
  const task = await createCalled(world, { request: requestTo(`${provider.url}/run`) })
  const failed = await world.reach(task, ...settled)
  assert.deepEqual(
    [failed.status, messageOf(failed)],
    ['failed', `The answer is longer than ${ANSWER_BYTES} bytes.`],
  )
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes were taken`)
  assert.equal(provider.asked.length, 1)
})

test('more large answers at once than are read at a time come one behind the other, and all are whole', async (t) => {
  const world = await setUp(t)
  const body = JSON.stringify('x'.repeat(ANSWER_BYTES - 2))
  const waiting: ServerResponse[] = []
  const provider = await startProvider(t, { '/run': [(response) => void waiting.push(response)] })
  const request = requestTo(`${provider.url}/run`, { timeout_ms: 60_000 })
  const tasks = await Promise.all(Array.from({ length: 30 }, () => createCalled(world, { request })))
  await provider.requests(30)
  // All but the last byte, so that each has what it takes until the others have asked for as much.
  for (const response of waiting) response.write(body.slice(0, -1))
  for (const response of waiting) response.end(body.slice(-1))
  for (const task of tasks) {
    const { status, response } = await world.reach(task, ...settled)
    assert.deepEqual([status, response === body], ['completed', true])
  }
  assert.equal(provider.asked.length, 30)
})

test('a status path into nowhere polls until the time is over, and the task expires', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, {
    '/run': [{ status: 200, body: { id: 1 } }],
    '/jobs/1': [{ status: 200, body: { state: 'done' } }],
  })
  const poll = pollAt(provider.url, { max_duration_ms: 2900 })
  const task = await createCalled(world, { request: requestTo(`${provider.url}/run`), poll })
  // In small steps: what the machine takes for the calls must not be a poll's worth of time.
  const expired = await world.clock.advanceUntil(reached(world, task, ...settled), 2)
  assert.deepEqual([expired.status, provider.count('/jobs/1')], ['expired', 2])
})

test('a token is put into its header when the call is made, and a revoked one fails without a call', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, { '/run': [{ status: 200 }] })
  const scope = { project_id: world.project.id, mode: 'live' as const }
  const token = { ...scope, id: 'tok_1', name: 'n', created_at: 0, revoked_at: null }
  await world.store.createToken({ ...token, value: 'Key planted-secret' })
  const request = requestTo(`${provider.url}/run`, { headers: { Authorization: 'tok_1' } })
  const first = await createCalled(world, { request })
  await world.reach(first, ...settled)
  assert.equal(provider.asked[0]?.headers.authorization, 'Key planted-secret')
  await world.store.revokeToken(scope, 'tok_1', world.clock.now())
  const second = await createCalled(world, { request })
  const failed = await world.reach(second, ...settled)
  assert.deepEqual(
    [failed.status, messageOf(failed)],
    ['failed', 'The token tok_1 of the header Authorization is revoked.'],
  )
  assert.equal(provider.asked.length, 1)
  const { rows } = await world.store.listCallAttempts(first.id, { limit: 10, after: null })
  assert.equal(JSON.stringify([rows, world.log.lines, failed]).includes('planted-secret'), false)
})

test('a call of higher priority goes before those that only wait for a slot', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock, settings: { limits: { in_flight: 1, per_second: null } } })
  await startEngine(t, world)
  const { promise: begun, resolve: isBegun } = Promise.withResolvers<() => void>()
  const provider = await startProvider(t, {
    '/run': [(response) => isBegun(() => response.end()), { status: 200 }],
  })
  const make = (name: string, priority: number) =>
    createCalled(world, { request: requestTo(`${provider.url}/run`, { priority, body: name }) })
  await make('first', 1)
  const end = await clock.advanceUntil(begun)
  const tasks = []
  for (const name of ['second', 'third', 'fourth']) tasks.push(await make(name, 1))
  tasks.push(await make('urgent', 10))
  end()
  await clock.advanceUntil(Promise.all(tasks.map((task) => reached(world, task, ...settled))))
  assert.deepEqual(
    provider.asked.map(({ body }) => body),
    ['first', 'urgent', 'second', 'third', 'fourth'],
  )
})

test('a call whose task was settled while it was made is told of all the same', async (t) => {
  const world = await setUp(t)
  const { promise: begun, resolve: isBegun } = Promise.withResolvers<() => void>()
  const provider = await startProvider(t, { '/run': [(response) => isBegun(() => response.end('late'))] })
  const task = await createCalled(world, { request: requestTo(`${provider.url}/run`) })
  const end = await world.clock.advanceUntil(begun)
  await world.apply((await world.store.findTask(task, task.id))!, 'cancel')
  end()
  const attempts = async () => (await world.store.listCallAttempts(task.id, { limit: 10, after: null })).rows
  const told = async () => {
    while ((await attempts()).length === 0) await new Promise(setImmediate)
  }
  await world.clock.advanceUntil(told())
  assert.deepEqual(
    (await attempts()).map(({ number, status, response_body }) => [number, status, response_body]),
    [[1, 200, 'late']],
  )
  assert.equal((await world.store.findTask(task, task.id))?.status, 'canceled')
})

test('a token that is revoked is not missed by polls that do not carry it', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, {
    '/run': [{ status: 200, body: { id: 1 } }],
    '/jobs/1': [{ status: 200, body: { status: 'done', output: 1 } }],
  })
  const scope = { project_id: world.project.id, mode: 'live' as const }
  await world.store.createToken({
    ...scope,
    id: 'tok_2',
    name: 'n',
    created_at: 0,
    revoked_at: null,
    value: 'v',
  })
  const request = requestTo(`${provider.url}/run`, { headers: { 'x-key': 'tok_2' } })
  const poll = pollAt(provider.url, { forward_auth: false })
  const task = await createCalled(world, { request, poll })
  await world.reach(task, 'polling')
  await world.store.revokeToken(scope, 'tok_2', world.clock.now())
  assert.equal((await world.reach(task, ...settled)).status, 'completed')
})

test('an id that is no text fails its task at once', async (t) => {
  const world = await setUp(t)
  const provider = await startProvider(t, { '/run': [{ status: 200, body: '{"id":"\\ud800"}' }] })
  const task = await createCalled(world, {
    request: requestTo(`${provider.url}/run`),
    poll: pollAt(provider.url),
  })
  const failed = await world.reach(task, ...settled)
  assert.match(messageOf(failed) ?? '', /"id" in the answer cannot be a part of a URL/)
  assert.equal(provider.asked.length, 1)
})

test('calls of higher priority go first, and one that has waited long goes before them', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock, settings: { limits: { in_flight: 1, per_second: null } } })
  const provider = await startProvider(t, { '/run': [{ status: 200 }] })
  const make = (name: string, priority: number) =>
    createCalled(world, { request: requestTo(`${provider.url}/run`, { priority, body: name }) })
  await make('old and low', 1)
  clock.advance(10 * 60_000)
  const tasks = [await make('low', 2), await make('middle', 5), await make('high', 10)]
  await startEngine(t, world)
  await clock.advanceUntil(Promise.all(tasks.map((task) => reached(world, task, ...settled))))
  assert.deepEqual(
    provider.asked.map(({ body }) => body),
    ['old and low', 'high', 'middle', 'low'],
  )
})

test('large answers that come at one moment are read in turns of the event loop, one in each', async (t) => {
  const world = await startWorld(t)
  let turn = 0
  const count = () => {
    turn++
    immediate = setImmediate(count)
  }
  let immediate = setImmediate(count)
  t.after(() => clearImmediate(immediate))
  const turns: number[] = []
  const move: typeof world.calls.move = (task, verb, ...rest) => {
    if (verb === 'complete') turns.push(turn)
    return world.calls.move(task, verb, ...rest)
  }
  await startEngine(t, { ...world, calls: { ...world.calls, move } })
  const asked: ServerResponse[] = []
  const provider = await startProvider(t, {
    '/run': [
      (response) => {
        if (asked.push(response) === 10) for (const one of asked) one.end(JSON.stringify('x'.repeat(100_000)))
      },
    ],
  })
  const created = Array.from({ length: 10 }, () =>
    createCalled(world, { request: requestTo(`${provider.url}/run`) }),
  )
  const tasks = await Promise.all(created)
  await Promise.all(tasks.map((task) => reached(world, task, 'completed')))
  assert.equal(new Set(turns).size, 10, turns.join(' '))
})
