// Paths and hosts that mean one thing to a proxy's rules and another to the router.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminKey, startApi } from '../http/start-api.ts'
import { exchange } from '../support/raw-socket.ts'

const ask = (target: string, headers = 'host: a') =>
  `GET ${target} HTTP/1.1\r\n${headers}\r\nauthorization: Bearer ${adminKey}\r\nconnection: close\r\n\r\n`
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])

/** Ways to write a path so that a rule for it may not see it. */
const tricks = (path: string): string[] => [
  path,
  `/${path}`,
  `//evil.example/..${path}`,
  `/.${path}`,
  `/x/..${path}`,
  `/v1/callbacks/..${path}`,
  `/v1/callbacks/../..${path}`,
  `/v1/callbacks/%2e%2e/%2e%2e${path}`,
  `/v1/callbacks/..%2f..${path.replaceAll('/', '%2f')}`,
  `/healthz/..${path}`,
  `/healthz;${path}`,
  `/healthz?${path}`,
  `/healthz#${path}`,
  `/healthz%00${path}`,
  `/healthz%0a${path}`,
  path.toUpperCase(),
  path.replace('v1', 'V1'),
  path.replaceAll('/', '//'),
  path.replaceAll('/', '/./'),
  path.replaceAll('/', '%2f'),
  path.replaceAll('/', '\\'),
  path.replace(/\/(?=[^/]*$)/, '%2F'),
  path.replace(/\/(?=[^/]*$)/, '%252F'),
  `${path}/`,
  `${path}/.`,
  `${path}%20`,
  `${path}.`,
  `${path};x=y`,
  `${path}%3b`,
  path.replace('a', '%61'),
  path.replace('t', '%74'),
  `http://a${path}`,
  `HTTPS://a:443${path}`,
  `http://a//${path}`,
  `http:${path}`,
  `ftp://a${path}`,
]

test('a process that serves inbound URLs only serves nothing else, however a path is written', async (t) => {
  const { port } = await startApi(t, { surface: 'inbound' })
  for (const path of [
    '/v1/admin/projects',
    '/v1/tasks',
    '/metrics',
    '/openapi.json',
    '/scale/v1/tasks',
    '/docs/',
  ]) {
    for (const target of tricks(path)) {
      const answer = await exchange(t, port, ask(target))
      const isHealth = target.startsWith('/healthz?') || target.startsWith('/healthz#')
      if (isHealth) assert.match(answer, /\{"status":"ok"\}$/, target)
      else assert.match(answer, /^HTTP\/1\.1 40[045] /, `${target}: ${answer}`)
    }
  }
})

test('no way to write a path leads past its key', async (t) => {
  const { port, credentials } = await startApi(t)
  for (const path of ['/v1/admin/projects', '/v1/tasks']) {
    // Each with the key that is for the other.
    const key = path === '/v1/tasks' ? adminKey : credentials.live_key
    for (const target of tricks(path)) {
      const answer = await exchange(t, port, ask(target).replace(adminKey, key))
      if (target.startsWith('/healthz?') || target.startsWith('/healthz#')) continue
      assert.match(answer, /^HTTP\/1\.1 40[0145] /, `${target}: ${answer}`)
    }
  }
})

test('metrics and the admin routes are at their own port only, with a port of their own', async (t) => {
  const { port, adminPort, call } = await startApi(t, { admin_apart: true })
  for (const path of ['/metrics', '/v1/admin/projects']) {
    for (const target of tricks(path)) {
      const answer = await exchange(t, port, ask(target))
      if (target.startsWith('/healthz?') || target.startsWith('/healthz#')) continue
      assert.match(answer, /^HTTP\/1\.1 40[045] /, `${target}: ${answer}`)
    }
    assert.equal(statusOf(await exchange(t, adminPort, ask(path))), 200)
  }
  assert.equal((await call('GET', '/v1/tasks')).status, 200)
  for (const path of ['/healthz', '/readyz']) {
    assert.equal((await call('GET', path)).status, 200)
    assert.equal(statusOf(await exchange(t, adminPort, ask(path))), 200)
  }
  for (const path of ['/v1/tasks', '/v1/callbacks/x', '/scale/v1/tasks', '/docs/', '/openapi.json']) {
    assert.equal(statusOf(await exchange(t, adminPort, ask(path))), 404, path)
  }
  const { paths } = (await call('GET', '/openapi.json')).body as unknown as { paths: Record<string, unknown> }
  assert.deepEqual(
    Object.keys(paths).filter((path) => path.includes('admin')),
    [],
  )
})

test('a stop closes the port of the admin routes, too', async (t) => {
  const { api, adminPort } = await startApi(t, { admin_apart: true })
  await api.drain()
  await assert.rejects(fetch(`http://127.0.0.1:${adminPort}/healthz`))
})

test('a dialect’s host is known by its own name only, whoever claims what', async (t) => {
  const { port, call } = await startApi(t)
  await call('POST', '/v1/admin/projects', {
    key: adminKey,
    json: { name: 'labels', dialect: 'scale', host: 'labels.example' },
  })
  const isScale = async (target: string, headers: string) =>
    (await exchange(t, port, ask(target, headers))).includes('"status_code"')
  const host = 'host: labels.example'
  for (const [target, headers, expected] of [
    ['/v1/admin/projects', host, true],
    ['/v1/admin/projects', 'host: LABELS.EXAMPLE.:80', true],
    ['//v1/admin/projects', host, true],
    ['/../v1/admin/projects', host, true],
    ['http://labels.example/v1/admin/projects', 'host: a', true],
    ['http://a/v1/admin/projects', host, false],
    ['/v1/admin/projects', 'host: a\r\nx-forwarded-host: labels.example', false],
    ['/v1/admin/projects', 'host: a\r\nforwarded: host=labels.example', false],
    ['/v1/admin/projects', 'host: a.labels.example', false],
    ['/v1/admin/projects', 'host: labels.example.evil', false],
    ['/v1/admin/projects', 'host: labels.example@a', false],
    ['/v1/admin/projects', 'host: labels.example/a', false],
    ['/v1/admin/projects', 'host: labels.example:80:80', false],
    ['/v1/admin/projects', 'host: ', false],
  ] as const) {
    assert.equal(await isScale(target, headers), expected, `${target} ${headers}`)
  }
})

test('a request that names two hosts is refused', async (t) => {
  const { port } = await startApi(t)
  for (const second of ['Host: b', 'hOST: a']) {
    assert.equal(statusOf(await exchange(t, port, ask('/v1/tasks', `host: a\r\n${second}`))), 400)
  }
})

test('methods that are for proxies, or for nobody, reach nothing and echo nothing', async (t) => {
  const { port } = await startApi(t)
  for (const [line, status] of [
    ['TRACE /v1/tasks', 405],
    ['TRACE /nowhere', 404],
    ['OPTIONS *', 404],
    ['CONNECT internal.example:443', undefined],
    ['DEBUG /v1/tasks', 400],
    ['get /healthz', 400],
    ['PROPFIND /v1/tasks', 405],
  ] as const) {
    const answer = await exchange(
      t,
      port,
      `${line} HTTP/1.1\r\nhost: a\r\nx-secret: echo\r\nupgrade: websocket\r\nconnection: close, upgrade\r\n\r\n`,
    )
    assert.doesNotMatch(answer, /echo/, line)
    if (status === undefined) assert.equal(answer, '', line)
    else assert.equal(statusOf(answer), status, `${line}: ${answer}`)
  }
})
