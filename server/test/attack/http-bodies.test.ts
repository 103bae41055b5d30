// Bodies, queries and headers that are made to break whoever reads them.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startApi, type Answer, type Call } from '../http/start-api.ts'
import { exchange } from '../support/raw-socket.ts'

const nested = (depth: number, [open, close] = ['[', ']']) => open.repeat(depth) + close.repeat(depth)
const basic = (key: string) => ({ authorization: `Basic ${btoa(`${key}:`)}` })

test('JSON that is nested deeper than a hundred levels is refused, and never as a fault of ours', async (t) => {
  const { call, createTask } = await startApi(t, { body_limit: 1_000_000 })
  const params = (depth: number) => `{"params":${nested(depth)}}`
  assert.equal((await call('POST', '/v1/tasks', { raw: params(99) })).status, 201)
  for (const raw of [params(100), params(400_000), nested(400_000), nested(50_000, ['{"a":', '1}'])]) {
    const { status, body } = await call('POST', '/v1/tasks', { raw })
    assert.deepEqual([status, body.code], [400, 'invalid_json'])
  }
  const { callback_id } = await createTask()
  const resolve = (raw: string) => call('POST', `/v1/callbacks/${callback_id}`, { raw })
  assert.deepEqual((await resolve(nested(101))).body, { error: 'Invalid JSON body' })
  assert.equal((await resolve(nested(400_000))).status, 400)
  assert.equal((await resolve(nested(100))).status, 200)
})

test('deep JSON and deep forms are refused by every dialect in its own form', async (t) => {
  const raw = `{"params":${nested(400_000)}}`
  for (const [dialect, path, headersOf] of [
    ['scale', '/scale/v1/task/comparison', basic],
    ['asyncqueue', '/asyncqueue/v1/tasks', (key: string) => ({ 'x-api-key': key })],
    [
      'superai',
      '/superai/v1/apps/00000000-0000-4000-8000-000000000000/jobs',
      (key: string) => ({ 'api-key': key }),
    ],
  ] as const) {
    const { call, credentials } = await startApi(t, { body_limit: 1_000_000 }, { dialect })
    const headers: Record<string, string> = headersOf(credentials.live_key)
    const { status, text } = await call('POST', path, { key: null, raw, headers })
    assert.equal(status, 400, `${dialect}: ${text.slice(0, 200)}`)
    if (dialect !== 'scale') continue
    const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
    for (const raw of [`a${'[a]'.repeat(30_000)}=1`, 'a[]=1&'.repeat(30_000), 'a=1&'.repeat(30_000)]) {
      assert.equal((await call('POST', path, { key: null, raw, headers: form })).status, 400)
    }
  }
})

test('of a repeated name the last one counts, for the check and for the task alike', async (t) => {
  const { call } = await startApi(t)
  const { status, body } = await call('POST', '/v1/tasks', {
    raw: '{"type":"a","params":{"n":1},"type":"b","\\u0074ype":"c","params":{"n":2.0,"n":3.0}}',
  })
  assert.deepEqual([status, body['type']], [201, 'c'])
  assert.match((await call('GET', `/v1/tasks/${body.id}`)).text, /"params":\{"n":2\.0,"n":3\.0\}/)
  const refused = await call('POST', '/v1/tasks', { raw: '{"type":"a","type":1}' })
  assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_request'])
  // What the check has not seen must not be what is kept.
  const hidden = await call('POST', '/v1/tasks', {
    raw: '{"callback_url":"http://10.0.0.1/","callback_url":"https://ok.test/"}',
  })
  assert.equal(hidden.body['callback_url'], 'https://ok.test/')
})

test('names of prototypes are fields like any other, and change nothing', async (t) => {
  const { call } = await startApi(t)
  for (const name of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__']) {
    const poison = `{"${name}":{"polluted":true,"prototype":{"polluted":true}}}`
    assert.equal((await call('POST', '/v1/tasks', { raw: poison })).body.code, 'unknown_field', name)
    const kept = await call('POST', '/v1/tasks', { raw: `{"params":${poison},"metadata":${poison}}` })
    assert.equal(kept.status, 201)
    assert.ok(kept.text.includes(poison), kept.text)
    assert.equal((await call('GET', `/v1/tasks?${encodeURIComponent(name)}[polluted]=1`)).status, 400)
    assert.equal((await call('GET', `/v1/tasks?${encodeURIComponent(name)}=1`)).status, 400)
  }
  assert.equal(({} as { polluted?: boolean }).polluted, undefined)
})

test('names of prototypes in forms and fields of dialects change nothing', async (t) => {
  const { call, credentials } = await startApi(t, {}, { dialect: 'scale' })
  const headers = basic(credentials.live_key)
  for (const raw of [
    '__proto__[polluted]=1&metadata[__proto__][polluted]=1',
    'constructor[prototype][polluted]=1&callback_url=https://ok.test',
  ]) {
    const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
    assert.ok(
      (await call('POST', '/scale/v1/task/comparison', { key: null, raw, headers: form })).status < 500,
    )
  }
  const raw =
    '{"__proto__":{"polluted":1},"metadata":{"__proto__":{"polluted":1}},"callback_url":"https://ok.test"}'
  assert.ok((await call('POST', '/scale/v1/task/comparison', { key: null, raw, headers })).status < 500)
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test('bytes that are no UTF-8, and NUL in any spelling, are refused', async (t) => {
  const { port, credentials, call } = await startApi(t)
  const post = (body: Buffer) =>
    exchange(
      t,
      port,
      Buffer.concat([
        Buffer.from(
          `POST /v1/tasks HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${credentials.live_key}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`,
        ),
        body,
      ]),
    )
  for (const bytes of [
    [0xff],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe2, 0x82],
    [0],
  ]) {
    const answer = await post(
      Buffer.concat([Buffer.from('{"type":"'), Buffer.from(bytes), Buffer.from('"}')]),
    )
    assert.match(answer, /^HTTP\/1\.1 400 [^]*"code":"invalid_json"/, String(bytes))
  }
  for (const raw of ['{"params":"\\u0000"}', '{"params":{"a\\u0000":1}}', '{"params":"\\\\\\u0000"}']) {
    assert.equal((await call('POST', '/v1/tasks', { raw })).body.code, 'invalid_request', raw)
  }
  assert.match(await post(Buffer.from('{}', 'utf16le')), /^HTTP\/1\.1 400 /)
})

const NUMBERS = ['1e400', '-1e400', '1e20', '99999999999999999999', '9007199254740993', '-1', '1.5', '-0.1']
const WORDS = ['', ' ', '1e3', '0x10', '١', '1_000', '+5', '5 ', 'NaN', 'Infinity', ...NUMBERS]
const TIMES = [
  '+275760-09-13T00:00:00.001Z',
  '-000001-01-01T00:00:00Z',
  '9999-99-99T99:99:99Z',
  '2026-02-30T00:00:00Z',
  '2026-01-01T00:00:60Z',
  '2026-01-01T00:00:00+99:99',
  '0000-00-00T00:00:00Z',
  '2026-01-01',
  '1767225600',
]

/** Neither a bug of ours nor a success that took something else for what was sent. */
function assertRefused(what: string, { status, text }: Answer): void {
  assert.ok(status >= 400 && status < 500, `${what}: ${status} ${text.slice(0, 300)}`)
}

test('numbers past all bounds are refused in every field that is one', async (t) => {
  const { call, createTask, credentials } = await startApi(t)
  const { id } = await createTask()
  const key = credentials.operator_key
  for (const number of NUMBERS) {
    for (const [method, path, raw] of [
      ['POST', '/v1/tasks', `{"expires_in_s":${number}}`],
      ['POST', `/v1/tasks/${id}/await`, `{"expires_in_s":${number}}`],
      ['POST', '/v1/tasks', `{"request":{"url":"https://ok.test","timeout_s":${number}}}`],
      ['POST', '/v1/tasks', `{"request":{"url":"https://ok.test","retries":${number}}}`],
      ['PATCH', '/v1/project', `{"timeout_ms":${number}}`],
      ['PATCH', '/v1/project', `{"expires_in_s":${number}}`],
      ['PATCH', '/v1/project', `{"retention_days":${number}}`],
      ['PATCH', '/v1/project', `{"retry":{"retries":${number},"window_s":60}}`],
      ['PATCH', '/v1/project', `{"retry":{"retries":5,"window_s":${number}}}`],
      ['PATCH', '/v1/project', `{"limits":{"in_flight":${number},"per_second":null}}`],
      ['PATCH', '/v1/project', `{"limits":{"in_flight":1,"per_second":${number}}}`],
      ['POST', '/v1/project/secrets/rotate', `{"which":"signing","grace_s":${number}}`],
    ] as const) {
      assertRefused(`${method} ${path} ${raw}`, await call(method, path, { key, raw }))
    }
  }
})

test('numbers and times in queries and bodies are what they should be, or refused', async (t) => {
  const { call, createTask, credentials } = await startApi(t)
  const { id } = await createTask()
  const ask = (path: string, name: string, value: string) =>
    call('GET', `${path}?${new URLSearchParams({ [name]: value }).toString()}`)
  for (const word of WORDS) {
    assertRefused(`limit=${word}`, await ask('/v1/tasks', 'limit', word))
    assertRefused(`wait=${word}`, await ask(`/v1/tasks/${id}`, 'wait', word))
  }
  for (const time of TIMES) {
    for (const name of ['created_after', 'created_before']) {
      assertRefused(`${name}=${time}`, await ask('/v1/tasks', name, time))
    }
    assertRefused(`created_after=${time}`, await ask('/v1/deliveries', 'created_after', time))
    for (const field of ['from', 'to']) {
      const replay = { key: credentials.operator_key, json: { [field]: time } }
      assertRefused(`${field}: ${time}`, await call('POST', '/v1/deliveries/replay', replay))
    }
    assertRefused(`not_before: ${time}`, await call('POST', '/v1/tasks', { json: { not_before: time } }))
  }
  assertRefused('limit twice', await call('GET', '/v1/tasks?limit=1&limit=2'))
})

test('numbers past all bounds are no fault of ours in any dialect', async (t) => {
  const answers: string[] = []
  const asked = async (call: Call, ...given: Parameters<Call>) => {
    const { status, text } = await call(...given)
    if (status >= 500) answers.push(`${given[0]} ${given[1]}: ${status} ${text.slice(0, 200)}`)
  }
  const scale = await startApi(t, {}, { dialect: 'scale' })
  const asyncqueue = await startApi(t, {}, { dialect: 'asyncqueue' })
  const superai = await startApi(t, {}, { dialect: 'superai' })
  const app = '/superai/v1/apps/00000000-0000-4000-8000-000000000000'
  for (const word of [...WORDS, ...TIMES]) {
    const query = (...names: string[]) =>
      new URLSearchParams(names.map((name): [string, string] => [name, word])).toString()
    const one = { key: null, headers: basic(scale.credentials.live_key) }
    for (const name of ['limit', 'offset', 'start_time', 'end_time', 'updated_after', 'completed_before']) {
      await asked(scale.call, 'GET', `/scale/v1/tasks?${query(name)}`, one)
    }
    const two = { key: null, headers: { 'x-api-key': asyncqueue.credentials.live_key } }
    for (const name of ['limit', 'offset', 'page', 'cursor']) {
      await asked(asyncqueue.call, 'GET', `/asyncqueue/v1/tasks?${query(name)}`, two)
    }
    const three = { key: null, headers: { 'api-key': superai.credentials.live_key } }
    for (const name of ['page', 'size', 'createdStartDate', 'createdEndDate']) {
      await asked(superai.call, 'GET', `${app}/jobs?${query(name)}`, three)
    }
  }
  for (const number of NUMBERS) {
    for (const name of ['timeout', 'maxRetries', 'delaySeconds', 'priority', 'timeoutSeconds', 'delay']) {
      const raw = `{"targetUrl":"https://ok.test","${name}":${number}}`
      const headers = { 'x-api-key': asyncqueue.credentials.live_key }
      await asked(asyncqueue.call, 'POST', '/asyncqueue/v1/tasks', { key: null, raw, headers })
    }
    for (const name of ['priority', 'timeout']) {
      const raw = `{"callback_url":"https://ok.test","instruction":"x","${name}":${number}}`
      const headers = basic(scale.credentials.live_key)
      await asked(scale.call, 'POST', '/scale/v1/task/comparison', { key: null, raw, headers })
    }
  }
  assert.deepEqual(answers, [])
})

const LONG = 1_000_000
/** Texts on which a careless pattern goes back and forth, from rows of the characters that ours look for. */
const rows = [
  ' ',
  '\\\\',
  '.',
  '/',
  '=',
  '@a',
  'a@',
  ':1',
  '{',
  '{startResult.body.',
  '1',
  '-',
  '\t',
  '%',
  'é',
  '\\u0000\\',
]
  .map((piece) => piece.repeat(LONG / piece.length))
  .map((row) => (row.endsWith('\\') && row.length % 2 === 1 ? `${row}\\` : row))

/** The processor's time, in milliseconds, that this thread took for `work`: on a busy machine the clock says nothing. */
async function spentOn(work: () => Promise<unknown>): Promise<number> {
  const before = process.threadCpuUsage()
  await work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

// A pattern that tries each pair of places in a mebibyte needs hours; reading it a few times, next to nothing.
const PROMPT_MS = 700

async function assertPrompt(t: TestContext, what: string, work: () => Promise<unknown>): Promise<void> {
  await t.test(what, async () => {
    const spent = await spentOn(work)
    assert.ok(spent < PROMPT_MS, `${Math.round(spent)} ms`)
  })
}

test('no text of a mebibyte keeps the others waiting, in whatever field it comes', async (t) => {
  const { call, createTask, credentials } = await startApi(t, { body_limit: 4 * LONG })
  const { id, callback_id } = await createTask()
  const fields = ['type', 'unique_id', 'callback_url', 'not_before', 'params']
  for (const [i, row] of rows.entries()) {
    await assertPrompt(t, `a row of ${row.slice(0, 6)}, ${i}`, async () => {
      for (const field of fields) await call('POST', '/v1/tasks', { raw: `{"${field}":"${row}"}` })
      await call('POST', '/v1/tasks', {
        raw: `{"request":{"url":"https://ok.test","headers":{"a":"${row}"}}}`,
      })
      await call('POST', '/v1/tasks', {
        raw: `{"request":{"url":"https://ok.test"},"poll":{"url_template":"${row}","status_path":"a"}}`,
      })
      await call('POST', `/v1/tasks/${id}/fail`, { raw: `{"error":{"message":"${row}"}}` })
      await call('PATCH', '/v1/project', {
        raw: `{"default_callback_url":"${row}"}`,
        key: credentials.operator_key,
      })
      await call('POST', `/v1/callbacks/${callback_id}`, { raw: row })
      await call('POST', '/v1/tasks', { raw: row })
    })
  }
})

test('a path that goes as deep as JSON may keeps nobody waiting', async (t) => {
  const { call, createTask } = await startApi(t, { body_limit: 2 * LONG })
  const names = Array.from({ length: 99 }, () => 'a')
  const { callback_id } = await createTask({
    resolve: { status_path: names.join('.'), done_values: ['done'], fail_values: ['bad'] },
  })
  assert.ok(callback_id)
  const raw = `${'{"a":'.repeat(99)}"${'\\\\'.repeat(LONG / 4)}${'x'.repeat(LONG)}"${'}'.repeat(99)}`
  await assertPrompt(t, 'a mebibyte at its end', async () => {
    const { status, text } = await call('POST', `/v1/callbacks/${callback_id}`, { raw })
    assert.equal(status, 422, text)
  })
})

test('no header of its greatest length keeps the others waiting', async (t) => {
  const { port } = await startApi(t, { trust_proxy: ['127.0.0.0/8'] })
  for (const row of [' ', 'bearer ', 'a ', '1.1.1.1,', '127.0.0.1,', ':1', '.', ';a=', '"', ',', '=', '/']) {
    const value = row.repeat(Math.floor(14_000 / row.length))
    await assertPrompt(t, `a row of ${row}`, async () => {
      for (const name of [
        'authorization: bearer ',
        'authorization: basic ',
        'host: ',
        'x-forwarded-for: ',
        'content-type: application/json',
        'content-type: multipart/form-data; boundary=',
        'idempotency-key: ',
        'cookie: ',
        'range: bytes=',
        'if-none-match: ',
      ]) {
        const head = `${name}${value}x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`
        for (const path of ['/v1/tasks', '/scale/v1/files/upload', '/v1/callbacks/x']) {
          await exchange(t, port, `POST ${path} HTTP/1.1\r\n${head}`)
        }
      }
    })
  }
})
