// Who changed what: every route that says it is an act leaves exactly one row when it changes something, none when it is refused or
// changes nothing, and never a secret.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rights } from '../../src/http/rights.ts'
import { adminKey, startApi, type Answer } from './start-api.ts'

const LIST = '/v1/admin/audits'
const PLANTED = 'planted-secret'
const RECEIVER = `https://user:${PLANTED}@receiver.test/${PLANTED}?token=${PLANTED}`

type Given = NonNullable<Parameters<Awaited<ReturnType<typeof startApi>>['call']>[2]>
type Step = [id: string, method: string, path: string, given?: Given]

/** An API whose project has a task with a failed callback, an arrival, and whatever else acts need. */
async function startFilled(t: Parameters<typeof startApi>[0]) {
  const api = await startApi(t)
  const { call, store, createTask, credentials, project } = api
  const task = await createTask({ callback_url: RECEIVER })
  await call('POST', `/v1/tasks/${task.id}/complete`, { json: { response: 1 } })
  const [delivery] = (await call('GET', '/v1/deliveries')).body.data
  const second = await createTask({ callback_url: RECEIVER })
  await call('POST', `/v1/tasks/${second.id}/complete`, { json: { response: 1 } })
  const waiting = await createTask()
  const arrival = { id: 'arrival', task_id: waiting.id, received_at: 1, remote_address: null, headers: '{}' }
  await store.recordArrival({ ...arrival, body: `"${PLANTED}"`, verdict: 'early' })
  const admin = (path: string, json?: unknown): [string, Given] => [path, { key: adminKey, json }]
  const operator = { key: credentials.operator_key }
  const keys = `/v1/admin/projects/${project.id}/keys`
  const key = await call('POST', ...admin(keys, { name: 'gone' }))
  const token = await call('POST', '/v1/tokens', { json: { name: 'fal', value: PLANTED } })
  const destination = String(delivery!.destination_id)
  const before = new Set((await store.listAudits({}, { limit: 100, after: null })).rows.map(({ id }) => id))

  /** Everything that is an act, in an order in which each changes something. */
  const acts: Step[] = [
    [
      'createProject',
      'POST',
      ...admin('/v1/admin/projects', { name: 'new', default_callback_url: RECEIVER }),
    ],
    ['createKey', 'POST', ...admin(keys, { role: 'operator', scopes: ['deliveries'], expires_in_s: 60 })],
    ['revokeKey', 'DELETE', ...admin(`${keys}/${key.body.id}`)],
    [
      'updateProject',
      'PATCH',
      '/v1/project',
      { json: { default_callback_url: RECEIVER, retry: { retries: 3 } } },
    ],
    ['createToken', 'POST', '/v1/tokens', { json: { name: 'other', value: PLANTED } }],
    ['revokeToken', 'DELETE', `/v1/tokens/${token.body.id}`],
    ['listSecrets', 'GET', '/v1/project/secrets', operator],
    ['rotateSecret', 'POST', '/v1/project/secrets/rotate', { ...operator, json: { which: 'signing' } }],
    ['pauseDestination', 'POST', `/v1/destinations/${destination}/pause`],
    ['resumeDestination', 'POST', `/v1/destinations/${destination}/resume`],
    ['cancelDelivery', 'POST', `/v1/deliveries/${delivery!.id}/cancel`],
    ['resendDelivery', 'POST', `/v1/deliveries/${delivery!.id}/resend`],
    ['resendTask', 'POST', `/v1/tasks/${second.id}/resend`],
    ['replayDeliveries', 'POST', '/v1/deliveries/replay', { json: { destination: 'https://receiver.test' } }],
    ['applyArrival', 'POST', '/v1/arrivals/arrival/apply'],
  ]
  const fresh = async () => {
    const { rows } = await store.listAudits({}, { limit: 100, after: null })
    return rows.filter(({ id }) => !before.has(id)).toReversed()
  }
  const make = ([id, method, path, given]: Step): Promise<Answer> =>
    call(method, path, { ...given, headers: { 'idempotency-key': id } })
  return { ...api, acts, fresh, make, destination, keys, admin, operator, delivery: delivery!, task }
}

test('every act leaves one row that says who did what to what, and no secret', async (t) => {
  const { acts, make, fresh, project, credentials, deps, clock, keys, admin, call } = await startFilled(t)
  // There is nothing to seal anew here; sealing.test.ts has it.
  assert.deepEqual(
    new Set(['resealSecrets', ...acts.map(([id]) => id)]),
    new Set(Object.entries(rights).flatMap(([id, { act }]) => (act === undefined ? [] : id))),
  )
  const created: string[] = []
  for (const [index, act] of acts.entries()) {
    clock.time += 1000
    const answer = await make(act)
    assert.ok(answer.status < 300, `${act[0]}: ${answer.text}`)
    created.push(answer.text)
    const rows = await fresh()
    assert.equal(rows.length, index + 1, act[0])
    const row = rows.at(-1)!
    const byAdmin = rights[act[0]]!.takes === 'admin key'
    assert.equal(row.act, rights[act[0]]!.act)
    assert.equal(row.created_at, clock.time)
    assert.equal(row.address, '127.0.0.1')
    assert.equal(row.actor, byAdmin ? 'admin' : 'key')
    assert.equal(row.key_id === null, byAdmin)
    if (act[0] !== 'createProject') assert.equal(row.project_id, project.id)
    if (act[0] !== 'listSecrets') assert.ok(row.object, act[0])
  }
  const rows = await fresh()
  const told = JSON.stringify(rows)
  const shown = created.flatMap((text) =>
    Array.from(text.matchAll(/"((rb_|whsec_)[^"]{20,})"/g), ([, secret]) => secret!),
  )
  assert.ok(shown.length > 8, 'secrets were shown')
  for (const secret of [PLANTED, adminKey, ...Object.values(credentials), ...shown]) {
    assert.ok(!told.includes(secret), secret)
  }
  const details = Object.fromEntries(rows.map(({ act, detail }) => [act, JSON.parse(detail) as unknown]))
  assert.deepEqual(details['project.update'], {
    default_callback_url: 'https://receiver.test:443',
    retry: { retries: 3 },
  })
  assert.deepEqual(details['key.revoke'], { role: 'customer', name: 'gone' })
  assert.deepEqual(details['key.create'], {
    role: 'operator',
    name: null,
    scopes: ['deliveries'],
    expires_at: '2030-01-01T00:01:02.000Z',
  })

  for (const act of acts.filter(
    ([, method, path]) => method === 'POST' && !/pause|resume|cancel|apply/.test(path),
  )) {
    assert.equal((await make(act)).headers.get('idempotent-replayed'), 'true', act[0])
  }
  assert.equal((await fresh()).length, rows.length, 'what is only answered again is no act')
  assert.equal((await deps.store.listKeys(project.id, { limit: 100, after: null })).rows.length, 5)
  assert.equal((await call('GET', ...admin(keys))).status, 200)
})

test('what is refused, or changes nothing, leaves no row', async (t) => {
  const { call, fresh, acts, admin, keys, operator, destination, delivery, project } = await startFilled(t)
  for (const [id, method, path, { key: _, ...given } = {}] of acts) {
    const { status } = await call(method, path, { ...given, key: 'rb_live_unknown' })
    assert.equal(status, 401, id)
  }
  const scopes = ['tasks:read']
  const reader = await call('POST', ...admin(keys, { scopes }))
  for (const [id, method, path, { key, ...given } = {}] of acts) {
    if (key === adminKey) continue
    assert.equal((await call(method, path, { ...given, key: reader.body.key })).status, 403, id)
  }
  const refused: [string, string, Given?][] = [
    ['POST', ...admin('/v1/admin/projects', { name: 'new', dialect: 'none' })],
    ['POST', ...admin(keys, { scopes: ['operator'] })],
    ['POST', ...admin('/v1/admin/projects/none/keys', {})],
    ['DELETE', ...admin(`${keys}/none`)],
    ['PATCH', '/v1/project', { json: { default_callback_url: 'nowhere' } }],
    ['PATCH', '/v1/project', { json: { timeout_ms: -1 } }],
    ['POST', '/v1/tokens', { json: { name: 'x', value: 'a\nb' } }],
    ['DELETE', '/v1/tokens/none'],
    ['POST', '/v1/project/secrets/rotate', { ...operator, json: { which: 'none' } }],
    ['POST', '/v1/destinations/none/pause'],
    ['POST', '/v1/deliveries/none/cancel'],
    ['POST', '/v1/tasks/none/resend'],
    ['POST', '/v1/arrivals/none/apply'],
  ]
  for (const [method, path, given] of refused) {
    const { status } = await call(method, path, given)
    assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status}`)
  }
  for (const [method, path, given] of [
    ['POST', `/v1/destinations/${destination}/resume`],
    ['POST', '/v1/deliveries/replay', { json: { dry_run: true } }],
    ['POST', ...admin('/v1/admin/secrets/reseal')],
    ['GET', ...admin(keys)],
    ['GET', ...admin(LIST)],
  ] as [string, string, Given?][]) {
    assert.equal((await call(method, path, given)).status, 200, path)
  }
  const left = await fresh()
  assert.deepEqual(
    left.map(({ act, project_id }) => [act, project_id]),
    [['key.create', project.id]],
    'the reader',
  )

  // A second time each of these finds it done already.
  await call('POST', `/v1/deliveries/${delivery.id}/cancel`)
  assert.equal((await call('POST', `/v1/deliveries/${delivery.id}/cancel`)).status, 409)
  const token = await call('POST', '/v1/tokens', { json: { name: 'once', value: PLANTED } })
  for (let i = 0; i < 2; i++) assert.equal((await call('DELETE', `/v1/tokens/${token.body.id}`)).status, 200)
  await call('POST', '/v1/arrivals/arrival/apply')
  assert.equal((await call('POST', '/v1/arrivals/arrival/apply')).status, 409)
  assert.deepEqual(
    (await fresh()).slice(1).map(({ act }) => act),
    ['delivery.cancel', 'token.create', 'token.revoke', 'arrival.apply'],
  )
})

test('acts are listed newest first, by project, act and time, page by page', async (t) => {
  const { call, clock, project } = await startApi(t)
  for (let i = 0; i < 5; i++) {
    clock.time += 1000
    await call('PATCH', '/v1/project', { json: { timeout_ms: 1000 + i } })
    await call('POST', `/v1/admin/projects/${i % 2 === 0 ? project.id : 'none'}/keys`, {
      key: adminKey,
      json: {},
    })
  }
  const list = async (query: string) => (await call('GET', `${LIST}?${query}`, { key: adminKey })).body
  const acts = async (query: string) =>
    (await list(query)).data.map(({ act, created_at }) => [act, created_at])
  const at = (s: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, s)).toISOString()
  assert.deepEqual(
    await acts('act=key.create'),
    [5, 3, 1].map((s) => ['key.create', at(s)]),
  )
  assert.deepEqual(await acts(`since=${at(2)}&until=${at(4)}`), [
    ['key.create', at(3)],
    ['project.update', at(3)],
    ['project.update', at(2)],
  ])
  assert.equal((await list(`project=${project.id}`)).data.length, 8)
  assert.deepEqual((await list('project=another')).data, [])

  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page = await list(`limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`)
    seen.push(...page.data.map(({ id }) => id))
    cursor = page.next_cursor
  }
  assert.deepEqual(seen, seen.toSorted().toReversed())
  assert.equal(new Set(seen).size, 8)

  for (const [query, detail] of [
    ['act=key.delete', /^act: .*key\.create/],
    ['since=yesterday', /^since: /],
    ['until=2030-12-31T23:59:60Z', /^until: /],
    ['limit=101', /^limit: /],
    ['cursor=x', /^cursor: /],
    ['who=me', /who/],
  ] as const) {
    const { status, body } = await call('GET', `${LIST}?${query}`, { key: adminKey })
    assert.equal(status, 400, query)
    assert.match(body.detail, detail)
  }
})

test('the team keys and tokens of AsyncQueue are written down, too', async (t) => {
  const { call, credentials, project, store } = await startApi(t, {}, { dialect: 'asyncqueue' })
  const operator = { key: credentials.operator_key }
  const team = `/asyncqueue/teams/${project.id}/apikeys`
  const made = await call('POST', team, { ...operator, json: { name: 'ci' } })
  const key = (made.body['apiKey'] as { id: string }).id
  await call('POST', `/asyncqueue/apikeys/${key}/revoke`, operator)
  const token = await call('POST', '/asyncqueue/v1/tokens', { json: { name: 'fal', value: PLANTED } })
  const { id } = token.body['token'] as { id: string }
  await call('DELETE', `/asyncqueue/v1/tokens/${id}`)
  assert.equal((await call('POST', team, { json: { name: 'ci' } })).status, 401)
  const { rows } = await store.listAudits({ project_id: project.id }, { limit: 10, after: null })
  assert.deepEqual(
    rows.toReversed().map(({ act, actor, mode, object }) => [act, actor, mode, object]),
    [
      ['key.create', 'key', 'live', key],
      ['key.revoke', 'key', 'live', key],
      ['token.create', 'key', 'live', id],
      ['token.revoke', 'key', 'live', id],
    ],
  )
  assert.ok(!JSON.stringify(rows).includes(PLANTED))
})
