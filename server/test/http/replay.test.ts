// Replays over HTTP. No engine runs here, so a job stands where the API has put it until a test makes a step.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi, type Call } from './start-api.ts'

const REPLAY = '/v1/deliveries/replay'

/** Creates a task, completes it, and gives its delivery up. */
async function givenUp(call: Call, callback_url = 'https://receiver.test/hook') {
  const { id } = (await call('POST', '/v1/tasks', { json: { callback_url } })).body
  await call('POST', `/v1/tasks/${id}/complete`, { json: { response: 1 } })
  const [delivery] = (await call('GET', `/v1/tasks/${id}/deliveries`)).body.data
  return (await call('POST', `/v1/deliveries/${delivery!.id}/cancel`)).body
}

test('a bad replay is refused with a problem that names the field', async (t) => {
  const { call, clock } = await startApi(t)
  const scenarios: [unknown, string, RegExp][] = [
    [{ status: 'failed' }, 'unknown_field', /status/],
    [{ state: 'pending' }, 'invalid_request', /^state: must be one of delivered, failed, canceled$/],
    [{ from: '2030-01-01' }, 'invalid_request', /^from: must be a time like /],
    [{ to: 'now' }, 'invalid_request', /^to: must be a time like /],
    [{ from: '2016-12-31T23:59:60Z' }, 'invalid_request', /^from: is no time that there is/],
    [
      { from: '2030-01-02T00:00:00Z', to: '2030-01-01T00:00:00Z' },
      'invalid_request',
      /^from: is later than to/,
    ],
    [{ destination: 'ftp://receiver.test' }, 'invalid_request', /^destination: must be .* origin/],
    [{ destination: 7 }, 'invalid_request', /^destination: must be string/],
    [{ dry_run: 'yes' }, 'invalid_request', /^dry_run: must be boolean/],
  ]
  for (const [json, code, detail] of scenarios) {
    const { status, body } = await call('POST', REPLAY, { json })
    assert.deepEqual([status, body.code], [400, code], JSON.stringify(body))
    assert.match(body.detail, detail)
  }
  const never = await call('GET', '/v1/replays/none')
  assert.deepEqual([never.status, never.body.code], [404, 'not_found'])
  const started = await call('POST', REPLAY)
  clock.time += 31 * 86_400_000
  assert.equal((await call('GET', `/v1/replays/${started.body.id}`)).status, 200)
  const pruned = await call('GET', '/v1/replays/0190a000-0000-7000-8000-000000000000')
  assert.deepEqual([pruned.status, pruned.body.code], [410, 'pruned'])
})

test('a dry run counts what matches and writes nothing', async (t) => {
  const { call, clock, store } = await startApi(t)
  for (const url of ['https://one.test/a', 'https://one.test:443/b', 'https://two.test/']) {
    await givenUp(call, url)
    clock.time += 1000
  }
  const start = Date.UTC(2030, 0, 1)
  const at = (ms: number) => new Date(start + ms).toISOString()
  const { destination_id } = (await call('GET', '/v1/deliveries?destination=https://two.test')).body.data[0]!
  const counts: [number, object][] = [
    [0, {}],
    [3, { state: 'canceled' }],
    [2, { state: 'canceled', destination: 'https://one.test' }],
    [1, { state: 'canceled', destination: destination_id }],
    [0, { state: 'canceled', destination: 'mail.test' }],
    [0, { state: 'canceled', destination: '0'.repeat(32) }],
    [2, { state: 'canceled', from: at(1000) }],
    [1, { state: 'canceled', from: at(1000), to: at(2000) }],
    [0, { state: 'canceled', from: at(1000), to: at(1000) }],
    [0, { state: 'canceled', from: at(60_000) }],
    [3, { state: 'canceled', to: at(86_400_000) }],
  ]
  for (const [count, json] of counts) {
    const { status, body } = await call('POST', REPLAY, { json: { ...json, dry_run: true } })
    assert.deepEqual([status, body], [200, { id: null, state: 'dry_run', count }], JSON.stringify(json))
  }
  assert.equal(await store.stepReplay(50), undefined)
})

test('a replay is a job that tells how far it is, and gives every match a fresh delivery', async (t) => {
  const { call, clock, credentials, store } = await startApi(t)
  const old = await givenUp(call)
  clock.time += 1000
  const { status, body } = await call('POST', REPLAY, {
    json: { state: 'canceled', from: '2030-01-01T00:00:00Z', to: '2031-01-01T00:00:00Z' },
  })
  assert.equal(status, 202)
  assert.deepEqual({ ...body, id: '' }, { id: '', state: 'running', count: 1 })
  const now = new Date(clock.time).toISOString()
  const shown = async () => (await call('GET', `/v1/replays/${body.id}`)).body
  assert.deepEqual(await shown(), {
    id: body.id,
    state: 'running',
    // Never later than now, so that what it makes does not match it.
    filter: { state: 'canceled', destination_id: null, from: '2030-01-01T00:00:00.000Z', to: now },
    count: 1,
    replayed: 0,
    skipped: 0,
    created_at: now,
    updated_at: now,
    finished_at: null,
  })
  const elsewhere = await call('GET', `/v1/replays/${body.id}`, { key: credentials.test_key })
  assert.equal(elsewhere.status, 404)
  clock.time += 1000
  await store.stepReplay(50)
  const done = await shown()
  assert.deepEqual([done.state, done.replayed, done.skipped], ['done', 1, 0])
  assert.equal(done.finished_at, new Date(clock.time).toISOString())
  const [fresh, ...others] = (await call('GET', `/v1/tasks/${old['task_id'] as string}/deliveries`)).body.data
  assert.deepEqual(
    [fresh!['state'], fresh!['resend'], fresh!['event_id'], fresh!['url'], fresh!['attempt_count']],
    ['pending', true, old['event_id'], old['url'], 0],
  )
  assert.deepEqual(
    others.map(({ id }) => id),
    [old.id],
  )
})

test('a replay that nothing matches is done at once', async (t) => {
  const { call, store } = await startApi(t)
  const { status, body } = await call('POST', REPLAY, { json: { destination: 'https://nowhere.test' } })
  assert.deepEqual([status, body.state, body.count], [202, 'done', 0])
  const shown = (await call('GET', `/v1/replays/${body.id}`)).body
  assert.deepEqual([shown.state, shown.finished_at], ['done', shown.created_at])
  assert.equal(await store.stepReplay(50), undefined)
})

test('an idempotency key makes one replay, however often it is asked for', async (t) => {
  const { call, clock, store } = await startApi(t)
  await givenUp(call)
  clock.time += 1000
  const headers = { 'idempotency-key': 'again' }
  const ask = (json: object) => call('POST', REPLAY, { json, headers })
  const dry = await ask({ state: 'canceled', dry_run: true })
  assert.deepEqual([dry.status, dry.body.count], [200, 1], 'a dry run takes no key')
  const answers = await Promise.all(Array.from({ length: 3 }, () => ask({ state: 'canceled' })))
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1)
  const replayed = answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')
  assert.equal(replayed.length, 2)
  assert.equal((await ask({})).body.code, 'idempotency_key_reused')
  assert.equal((await store.stepReplay(50))?.replayed, 1)
  assert.equal(await store.stepReplay(50), undefined, 'there is one job only')
})
