// What browsers could be made to do with our answers: frame them, guess their types, keep them, or send what a stranger's page says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminKey, startApi, type Answer } from '../http/start-api.ts'
import { exchange } from '../support/raw-socket.ts'

function assertPlain(what: string, { headers }: Pick<Answer, 'headers'>): void {
  assert.equal(headers.get('x-content-type-options'), 'nosniff', what)
  assert.equal(headers.get('cache-control'), 'no-store', what)
  for (const name of ['server', 'x-powered-by', 'via', 'set-cookie'])
    assert.equal(headers.get(name), null, what)
  for (const [name] of headers) assert.ok(!name.startsWith('access-control-'), `${what}: ${name}`)
}

test('no answer is sniffed, kept, or readable by another site', async (t) => {
  const { call, createTask } = await startApi(t)
  const { id, callback_id } = await createTask()
  const headers = { origin: 'https://evil.example' }
  const asked: [string, string, object?][] = [
    ['GET', `/v1/tasks/${id}`],
    ['GET', '/v1/tasks'],
    ['GET', '/v1/project'],
    ['POST', '/v1/tasks', { json: {} }],
    ['POST', '/v1/tasks', { raw: '{' }],
    ['POST', `/v1/callbacks/${callback_id}`, { json: 1 }],
    ['POST', '/v1/callbacks/x', { json: 1 }],
    ['GET', '/v1/callbacks/%zz'],
    ['GET', '/v1/tasks/%zz'],
    ['GET', '/v1/tasks', { key: null }],
    ['GET', '/v1/admin/projects', { key: adminKey }],
    ['GET', '/scale/v1/tasks'],
    ['GET', '/asyncqueue/v1/tasks'],
    ['GET', '/stardust/rosetta-open/project/get'],
    ['GET', '/superai/v1/jobs/x'],
    ['GET', '/nowhere'],
    ['DELETE', '/v1/tasks'],
    ['OPTIONS', '/v1/tasks'],
    ['GET', '/healthz'],
    ['GET', '/metrics'],
    ['GET', '/openapi.json'],
  ]
  for (const [method, path, options] of asked) {
    assertPlain(`${method} ${path}`, await call(method, path, { headers, ...options }))
  }
})

test('a preflight of another site allows nothing', async (t) => {
  const { call } = await startApi(t)
  const { status, headers } = await call('OPTIONS', '/v1/tasks', {
    key: null,
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  })
  assert.equal(status, 405)
  assert.equal(headers.get('access-control-allow-origin'), null)
})

test('the page of the API’s document loads nothing of strangers and stands in no frame', async (t) => {
  const { call } = await startApi(t)
  const page = await call('GET', '/docs/', { key: null })
  assert.equal(page.status, 200)
  assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src 'self';/)
  assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
  assert.deepEqual(
    [page.headers.get('x-frame-options'), page.headers.get('referrer-policy')],
    ['DENY', 'no-referrer'],
  )
  // Whatever it loads is a file of ours, so its policy lets it work.
  const loaded = Array.from(page.text.matchAll(/(?:src|href)="([^"]+)"/g), ([, path = '']) => path)
  assert.ok(loaded.length > 4)
  assert.doesNotMatch(page.text, /<script(?![^>]*src=)/)
  for (const path of loaded) {
    const { pathname } = new URL(path, 'http://a/docs/')
    const file = await call('GET', pathname, { key: null })
    assert.equal(file.status, 200, path)
    assert.equal(file.headers.get('x-content-type-options'), 'nosniff', path)
  }
})

test('a form of another site’s page changes nothing', async (t) => {
  const { call } = await startApi(t)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const headers = { 'content-type': type, origin: 'https://evil.example' }
    for (const path of [
      '/v1/tasks',
      '/v1/project/secrets/rotate',
      '/v1/admin/projects',
      '/scale/v1/task/comparison',
    ]) {
      const { status } = await call('POST', path, { key: null, raw: '{}', headers })
      assert.equal(status, 401, `${type} ${path}`)
    }
    // Nor would it with a key that a browser should never hold.
    assert.equal((await call('POST', '/v1/tasks', { raw: '{}', headers })).status, 415)
  }
})

test('a key is taken from its header alone, never from a cookie or the URL', async (t) => {
  const { call, credentials } = await startApi(t)
  const key = credentials.live_key
  const headers = { cookie: `authorization=Bearer ${key}; key=${key}` }
  for (const query of [
    '',
    `?key=${key}`,
    `?api_key=${key}`,
    `?access_token=${key}`,
    `?authorization=Bearer ${key}`,
  ]) {
    assert.equal((await call('GET', `/v1/tasks${query}`, { key: null, headers })).status, 401)
  }
})

test('no answer says what host, scheme or address a header has claimed', async (t) => {
  const { port, credentials, createTask } = await startApi(t)
  const { id } = await createTask()
  const evil = 'evil.example'
  const forged = `host: ${evil}\r\nx-forwarded-host: ${evil}\r\nx-forwarded-proto: ${evil}\r\nx-forwarded-prefix: /${evil}\r\nforwarded: host=${evil}\r\nx-host: ${evil}\r\nx-original-url: /${evil}\r\nx-rewrite-url: /${evil}\r\norigin: https://${evil}\r\nreferer: https://${evil}/\r\nauthorization: Bearer ${credentials.live_key}\r\nconnection: close`
  for (const target of [
    'GET /docs',
    'GET /docs/',
    'GET /docs/static/index.html',
    'GET /docs/json',
    'GET /openapi.json',
    'GET /nowhere',
    'GET /v1/tasks',
    `GET /v1/tasks/${id}`,
    `POST /v1/tasks/${id}/await`,
    `GET http://${evil}/openapi.json`,
    'GET /scale/v1/files/x',
    'GET /superai/v1/downloads/x',
  ]) {
    const answer = await exchange(t, port, `${target} HTTP/1.1\r\n${forged}\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 \d/, target)
    assert.doesNotMatch(answer, /evil/, target)
  }
})

test('an answer to a stranger tells no version, path or stack', async (t) => {
  const { call } = await startApi(
    t,
    { version: '98.7.6-secret' },
    {
      wrapStore: (store) => ({
        ...store,
        findKey: () => Promise.reject(new TypeError('at /srv/ringback/store.ts:1')),
      }),
    },
  )
  for (const path of ['/healthz', '/readyz', '/nowhere', '/v1/tasks', '/scale/v1/tasks', '/v1/callbacks/x']) {
    const { text, headers } = await call('GET', path)
    const whole = text + JSON.stringify([...headers])
    assert.doesNotMatch(whole, /98\.7\.6|\/srv|node_modules|TypeError|\bat .*\.[tj]s/, path)
  }
})

test('a page of another site cannot act with the Basic key that a browser keeps', async (t) => {
  const { call, credentials } = await startApi(t, {}, { dialect: 'scale' })
  const create = (site: string | undefined) =>
    call('POST', '/scale/v1/task/comparison', {
      key: null,
      raw: 'callback_url=https://ok.test&instruction=x&attachments[]=https://ok.test/a&attachment_type=image&choices[]=a',
      headers: {
        authorization: `Basic ${btoa(`${credentials.live_key}:`)}`,
        'content-type': 'application/x-www-form-urlencoded',
        ...(site === undefined ? {} : { 'sec-fetch-site': site }),
      },
    })
  for (const site of ['cross-site', 'same-site']) assert.equal((await create(site)).status, 401, site)
  for (const site of [undefined, 'none', 'same-origin']) {
    assert.notEqual((await create(site)).status, 401, String(site))
  }
})
