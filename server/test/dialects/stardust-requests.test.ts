// Requests to Stardust's routes: who may ask, what is refused with which code, and the envelope of each answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminKey } from '../http/start-api.ts'
import { startStardust, type Envelope } from './stardust-customer.ts'
import { imageRecord, signed } from './stardust-writing.ts'

const ROOT = '/stardust/rosetta-open'
const MINUTE_MS = 60_000

type World = Awaited<ReturnType<typeof startStardust>>
type Headers = Record<string, string>

const omit = (headers: Headers, name: string): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name))

const signatures: [string, number, (world: World, now: number) => Headers][] = [
  ['as documented', 200, ({ key }, now) => signed(key, now)],
  ['five minutes ago', 200, ({ key }, now) => signed(key, now - 5 * MINUTE_MS)],
  ['five minutes ahead', 200, ({ key }, now) => signed(key, now + 5 * MINUTE_MS)],
  ['more than five minutes ago', 403, ({ key }, now) => signed(key, now - 5 * MINUTE_MS - 1)],
  ['more than five minutes ahead', 403, ({ key }, now) => signed(key, now + 5 * MINUTE_MS + 1)],
  ['with another secret', 401, ({ key }, now) => signed({ ...key, secret: 'sk_other' }, now)],
  ['long ago with another secret', 401, ({ key }) => signed({ ...key, secret: 'sk_other' }, 1)],
  ['for another time', 401, ({ key }, now) => ({ ...signed(key, now), 'X-TS': String(now + 1) })],
  ['with a signature of another length', 401, ({ key }, now) => ({ ...signed(key, now), 'X-SIGN': 'ab' })],
  [
    'in upper case',
    401,
    ({ key }, now) => ({ ...signed(key, now), 'X-SIGN': signed(key, now)['X-SIGN']!.toUpperCase() }),
  ],
  ['by nobody', 402, () => ({})],
  ['without a key', 402, ({ key }, now) => omit(signed(key, now), 'X-STARDUST-KEY')],
  ['without a time', 402, ({ key }, now) => omit(signed(key, now), 'X-TS')],
  ['without a signature', 402, ({ key }, now) => omit(signed(key, now), 'X-SIGN')],
  [
    'with the names of the sample',
    402,
    ({ key }, now) => {
      const { 'X-TS': _ts = '', 'X-SIGN': _sign = '', ...rest } = signed(key, now)
      return { ...rest, _ts, _sign }
    },
  ],
  ['with a time that is no number', 402, ({ key }, now) => ({ ...signed(key, now), 'X-TS': 'now' })],
  ['with an unknown key', 402, ({ key }, now) => signed({ ...key, id: 'ak_0' }, now)],
  [
    'with an operator’s key',
    402,
    ({ key, credentials }, now) => signed({ ...key, id: credentials.operator_key }, now),
  ],
]

test('a request is let in by its signature and time, and else refused with the code of what is wrong', async (t) => {
  const world = await startStardust(t)
  for (const [how, code, headersOf] of signatures) {
    const headers = headersOf(world, world.clock.now())
    const { status, body } = await world.request('POST', `${ROOT}/project/tasks`, {
      headers,
      json: { projectId: 3184 },
    })
    const envelope = body as unknown as Envelope
    assert.deepEqual([status, envelope.code, envelope.success], [code, code, code === 200], `signed ${how}`)
    if (code !== 200) assert.match(envelope.message, /^X-(STARDUST-KEY|TS|SIGN): /, how)
  }
})

test('both secrets open while a rotated one has its grace, then the new one alone', async (t) => {
  const { key, clock, operate, post } = await startStardust(t)
  const rotated = await operate('POST', '/v1/project/secrets/rotate', { which: 'signing', grace_s: 60 })
  assert.match(rotated.body.value, /^sk_[0-9a-f]{48}$/)
  const renewed = { ...key, secret: rotated.body.value }
  const codes = async () => {
    const answers = [
      await post('/project/tasks', { projectId: 1 }, key),
      await post('/project/tasks', { projectId: 1 }, renewed),
    ]
    return answers.map(({ code }) => code)
  }
  assert.deepEqual(await codes(), [200, 200])
  clock.advance(60_000)
  assert.deepEqual(await codes(), [401, 200])
})

test('a key of the test mode sees nothing of the live one', async (t) => {
  const world = await startStardust(t)
  const test_key = { ...world.key, id: (world.credentials as Record<string, string>)['test_key']! }
  assert.match(world.key.id, /^ak_[0-9a-f]{48}$/)
  assert.match(test_key.id, /^ak_test_[0-9a-f]{48}$/)
  const sent = await world.post<{ batchId: string }>('/task/send', {
    projectId: 1,
    resourceUrl: 'https://files.test/in.jsonl',
  })
  const { batchId } = sent.data
  assert.equal((await world.post('/task/send/status', { batchId })).code, 200)
  assert.equal((await world.post('/task/send/status', { batchId }, test_key)).code, 404)
})

test('every answer is an envelope with a date and an id of its own', async (t) => {
  const { post } = await startStardust(t)
  const answers = [
    await post('/project/tasks', { projectId: 3184 }),
    await post('/project/tasks', { projectId: 3184 }),
    await post('/project/tasks', {}),
  ]
  for (const answer of answers) {
    assert.deepEqual(Object.keys(answer), ['code', 'message', 'data', 'date', 'requestId', 'success'])
    assert.match(answer.date, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
    assert.match(answer.requestId, /^[0-9a-f]{32}$/)
  }
  assert.equal(new Set(answers.map(({ requestId }) => requestId)).size, 3)
  assert.deepEqual([answers[0]?.message, answers[2]?.data], ['Success', null])
})

const project = { name: 'cars', dataType: 2, deadline: '2030-06-01', operators: [] }
const pools = (...types: unknown[]) => ({ vertex: types.map((type) => ({ type })) })
const ID = /^projectId: /

const refusals: [string, string, unknown, number, RegExp][] = [
  ['no object', '/task/get', [1], 400, /JSON object/],
  ['no project', '/task/send', { resourceUrl: 'https://files.test/in' }, 400, /^projectId: missing/],
  ['a word as project', '/task/send', { projectId: 'cars' }, 400, ID],
  ['a fraction as project', '/task/send', { projectId: 1.5 }, 400, ID],
  ['an endless number as project', '/task/send', { projectId: '1'.repeat(20) }, 400, ID],
  ['no file', '/task/send', { projectId: 1 }, 400, /^resourceUrl: missing/],
  ['null as file', '/task/send', { projectId: 1, resourceUrl: null }, 400, /^resourceUrl: missing/],
  ['a number as file', '/task/send', { projectId: 1, resourceUrl: 7 }, 400, /^resourceUrl: must be a string/],
  [
    'a file elsewhere',
    '/task/send',
    { projectId: 1, resourceUrl: 'oss://bucket/in.jsonl' },
    400,
    /^resourceUrl: must be an http/,
  ],
  ['a file that is no URL', '/task/send', { projectId: 1, resourceUrl: 'http://' }, 400, /^resourceUrl: /],
  [
    'a file in our own network',
    '/task/send',
    { projectId: 1, resourceUrl: 'http://10.0.0.1/in.jsonl' },
    400,
    /^resourceUrl: .*not public/,
  ],
  ['no batch', '/task/send/status', {}, 400, /^batchId: missing/],
  [
    'a batch that is none',
    '/task/send/status',
    { batchId: '1950000000000000001' },
    404,
    /^batchId: there is no batch/,
  ],
  ['no task', '/task/get', { projectId: 1 }, 400, /^taskId: missing/],
  [
    'a task that is none',
    '/task/get',
    { projectId: 1, taskId: '3600000000000000001' },
    404,
    /^taskId: there is no task/,
  ],
  [
    'callbacks of a task that is none',
    '/task/3600000000000000001/callback',
    undefined,
    400,
    /^taskId: there is no task/,
  ],
  ['callbacks of a word', '/task/word/callback', undefined, 400, /^taskId: there is no task/],
  [
    'a status that is none',
    '/project/tasks',
    { projectId: 1, status: 11 },
    400,
    /^status: must be a whole number from 1 to 10/,
  ],
  ['a status in words', '/project/tasks', { projectId: 1, status: 'done' }, 400, /^status: /],
  ['page 0', '/project/tasks', { projectId: 1, offset: 0 }, 400, /^offset: /],
  ['too much', '/project/tasks', { projectId: 1, limit: 1001 }, 400, /^limit: /],
  ['a date as time', '/project/tasks', { projectId: 1, startTime: '2030-01-01' }, 400, /^startTime: /],
  [
    'results since some time',
    '/tasks/export',
    { projectId: 1, completeTimeAfter: 'May' },
    400,
    /^completeTimeAfter: must be a date/,
  ],
  [
    'results of a task alone',
    '/tasks/export',
    { projectId: 1, taskIds: 7 },
    400,
    /^taskIds: must be an array/,
  ],
  ['results of a word', '/tasks/export', { projectId: 1, taskIds: [7, 'x'] }, 400, /^taskIds\[1\]: /],
  ['a project without a name', '/project/create', { ...project, name: '' }, 400, /^name: missing/],
  [
    'a long name',
    '/project/create',
    { ...project, name: 'ü'.repeat(31) },
    400,
    /^name: longer than 60 bytes/,
  ],
  ['no deadline', '/project/create', { ...project, deadline: undefined }, 400, /^deadline: missing/],
  [
    'a type of data that is none',
    '/project/create',
    { ...project, dataType: 7 },
    5838,
    /^dataType: must be 2/,
  ],
  ['no tools', '/project/create', { ...project, operators: undefined }, 5839, /^operators: must be an array/],
  ['tools that are words', '/project/create', { ...project, operators: ['box'] }, 5839, /^operators: /],
  ['an empty workflow', '/project/create', { ...project, workflow: pools() }, 5841, /^workflow: /],
  ['a workflow that is none', '/project/create', { ...project, workflow: 'fast' }, 5841, /^workflow: /],
  [
    'a workflow that begins with labelling',
    '/project/create',
    { ...project, workflow: pools(1, 5) },
    5509,
    /^workflow.vertex: the first/,
  ],
  [
    'a workflow that ends with labelling',
    '/project/create',
    { ...project, workflow: pools(0, 1) },
    5523,
    /^workflow.vertex: the last/,
  ],
]

test('what is wrong with a request is said in an envelope that names the field, with the code of the table', async (t) => {
  const { post, key, clock, request } = await startStardust(t)
  for (const [what, path, json, code, message] of refusals) {
    const headers = signed(key, clock.now())
    const { status, body } = await request('POST', ROOT + path, { headers, json })
    const envelope = body as unknown as Envelope
    const expected = code > 999 ? 200 : code
    assert.deepEqual(
      [status, envelope.code, envelope.data, envelope.success],
      [expected, code, null, false],
      what,
    )
    assert.match(envelope.message, message, what)
  }
  const { code, message } = await post('/project/create', project)
  assert.deepEqual([code, message], [200, 'Success'])
  assert.equal((await post('/project/create', project)).code, 5801)
})

test('what HTTP itself refuses is an envelope, too', async (t) => {
  const { key, clock, request } = await startStardust(t)
  const headers = signed(key, clock.now())
  const json = 'application/json'
  const cases: [string, string, { headers?: Headers; raw?: string }, number][] = [
    ['POST', `${ROOT}/task/teleport`, { headers }, 404],
    ['POST', '/stardust/', { headers }, 404],
    ['GET', `${ROOT}/task/get`, { headers }, 405],
    ['POST', `${ROOT}/task/get`, { headers, raw: '{"projectId":' }, 400],
    ['POST', `${ROOT}/task/get`, { headers, raw: 'null' }, 400],
    ['POST', `${ROOT}/task/get`, { headers, raw: '{"projectId":"\\u0000"}' }, 400],
    ['POST', `${ROOT}/task/get`, { headers, raw: JSON.stringify({ x: 'x'.repeat(20_000) }) }, 413],
    ['POST', `${ROOT}/task/get`, { headers: { ...headers, 'content-type': 'text/plain' }, raw: '{}' }, 415],
    ['POST', `${ROOT}/task/%zz/callback`, { headers }, 400],
    ['POST', `${ROOT}/task/get`, { headers: { 'content-type': json }, raw: 'x'.repeat(20_000) }, 402],
  ]
  for (const [method, path, init, code] of cases) {
    const { status, headers: answered, text } = await request(method, path, init)
    const envelope = JSON.parse(text) as Envelope
    assert.deepEqual([status, envelope.code, envelope.success], [code, code, false], `${method} ${path}`)
    assert.match(answered.get('content-type') ?? '', /^application\/json/)
  }
})

test('ids are taken as numbers and as strings, and numbers beyond 2^53 are not rounded', async (t) => {
  const { post, key, clock, request } = await startStardust(t)
  const headers = signed(key, clock.now())
  const get = async (projectId: string) =>
    (await request('POST', `${ROOT}/task/get`, { headers, raw: `{"projectId":${projectId},"taskId":"1"}` }))
      .text
  for (const id of ['9007199254740993', '"9007199254740993"'])
    assert.match(await get(id), /project 9007199254740993"/)
  const created = await post<{ projectId: number }>('/project/create', project)
  for (const id of [created.data.projectId, String(created.data.projectId)]) {
    const { status, text } = await request('GET', `${ROOT}/project/get?projectId=${id}`, { headers })
    const { code, data } = JSON.parse(text) as Envelope<Record<string, unknown>>
    assert.deepEqual([status, code, data['name'], data['operators']], [200, 200, 'cars', []])
    assert.match(String(data['created_at']), /^\d{4}-\d\d-\d\d$/)
  }
  for (const [query, code] of [
    ['projectId=77', 5802],
    ['projectId=', 400],
    ['', 400],
    ['projectId=1&projectId=2', 400],
  ] as const) {
    const { text } = await request('GET', `${ROOT}/project/get?${query}`, { headers })
    assert.equal((JSON.parse(text) as Envelope).code, code, query)
  }
})

test('a signature opens every path and body of its AccessKey within its window, and nothing of another’s', async (t) => {
  // The platform's contract: it covers neither, and names no nonce. TLS alone keeps it from others.
  const world = await startStardust(t)
  const made = await world.call('POST', '/v1/admin/projects', {
    key: adminKey,
    json: { name: 'other', dialect: 'stardust' },
  })
  const other = made.body.credentials as unknown as Record<string, string>
  const { test_key = '' } = world.credentials as unknown as Record<string, string>
  const headers = signed(world.key, world.clock.now())
  const code = async (method: string, path: string, given: Headers, json?: unknown) =>
    ((await world.request(method, ROOT + path, { headers: given, json })).body as unknown as Envelope).code
  const requests = [
    ['POST', '/project/tasks', { projectId: 3184 }],
    ['POST', '/project/tasks', { projectId: 3184 }],
    ['POST', '/project/tasks', { projectId: 3185 }],
    ['POST', '/tasks/export', { projectId: 3184 }],
    ['POST', '/project/create', project],
  ] as const
  for (const [method, path, json] of requests)
    assert.equal(await code(method, path, headers, json), 200, path)
  // Neither for another's AccessKey nor for the other mode's, whose secret is the same.
  for (const id of [other['access_key_id'] ?? '', test_key]) {
    const replayed = { ...headers, 'X-STARDUST-KEY': id }
    assert.equal(await code('POST', '/project/tasks', replayed, { projectId: 3184 }), 401)
  }
  world.clock.advance(5 * MINUTE_MS + 1)
  for (const [method, path, json] of requests)
    assert.equal(await code(method, path, headers, json), 403, path)
})

test('the signature of a callback opens the same AccessKey’s routes for five minutes, and no other’s', async (t) => {
  const world = await startStardust(t)
  const hook = `${world.receiver_url}/hook`
  const taskId = await world.importRecord(imageRecord('row', hook))
  await world.operate('POST', `/v1/tasks/${taskId}/complete`, { response: { annotations: [] } })
  await world.attempted(1)
  const [{ headers: heard }] = world.received as [(typeof world.received)[number]]
  const headers = Object.fromEntries(
    ['x-stardust-key', 'x-ts', 'x-sign'].map((name) => [name, String(heard[name])]),
  )
  const post = async () =>
    (
      (await world.request('POST', `${ROOT}/project/tasks`, { headers, json: { projectId: 3184 } }))
        .body as unknown as Envelope
    ).code
  assert.equal(await post(), 200)
  world.clock.advance(5 * MINUTE_MS + 1)
  assert.equal(await post(), 403)
})
