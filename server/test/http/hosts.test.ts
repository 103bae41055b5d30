// Projects with host names of their own: there their dialect stands at the root, and everywhere else nothing changes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { adminKey, startApi } from './start-api.ts'

type Answer = { status: number; body: string }

/** A GET with a Host header of its own, which fetch does not send. */
async function getAt(port: number, host: string, path: string): Promise<Answer> {
  const asked = request({ port, host: '127.0.0.1', path, headers: { host } }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const chunks = await response.toArray()
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }
}

test('a dialect stands at the root of its project’s own host, and the API at every other', async (t) => {
  const { call, port } = await startApi(t)
  const created = await call('POST', '/v1/admin/projects', {
    key: adminKey,
    json: { name: 'labels', dialect: 'scale', host: 'labels.example' },
  })
  assert.equal(created.status, 201)
  assert.equal(created.body.project['host'], 'labels.example')

  const scaleRefusal = { status_code: 401 }
  for (const [host, path] of [
    ['labels.example', '/v1/tasks'],
    ['LABELS.example:7464', '/v1/tasks'],
    ['127.0.0.1', '/scale/v1/tasks'],
  ] as const) {
    const { status, body } = await getAt(port, host, path)
    assert.equal(status, 401, host)
    assert.equal((JSON.parse(body) as typeof scaleRefusal).status_code, 401, host)
  }
  const native = await getAt(port, 'other.example', '/v1/tasks')
  assert.equal((JSON.parse(native.body) as { code: string }).code, 'unauthorized')
  const nowhere = await getAt(port, 'labels.example', '/healthz')
  assert.deepEqual(
    [nowhere.status, (JSON.parse(nowhere.body) as typeof scaleRefusal).status_code],
    [404, 404],
  )
})

test('a host whose dialect only a newer program has keeps no other from starting', async (t) => {
  const { store, project } = await startApi(t)
  const newer = { ...project, id: 'newer', dialect: 'newer', host: 'newer.example' }
  await store.createProject({ project: newer, keys: [], secrets: [] })
  const { port } = await startApi(t, {}, { over: store })
  const { body } = await getAt(port, 'newer.example', '/v1/tasks')
  assert.equal((JSON.parse(body) as { code: string }).code, 'unauthorized')
})

const refusals: [why: string, project: object, status: number, detail: RegExp][] = [
  ['another project has it', { dialect: 'stardust', host: 'labels.example' }, 409, /^host: another project/],
  ['it is the server’s own', { dialect: 'scale', host: 'ring.test' }, 400, /^host: ring\.test is this/],
  ['the dialect needs none', { dialect: 'native', host: 'native.example' }, 400, /^host: a project of the/],
  ['it has capitals', { dialect: 'scale', host: 'Labels.example' }, 400, /^host: /],
  ['it has a port', { dialect: 'scale', host: 'labels.example:80' }, 400, /^host: /],
]
for (const [why, project, status, detail] of refusals) {
  test(`a host is refused when ${why}`, async (t) => {
    const { call } = await startApi(t)
    const create = (json: object) => call('POST', '/v1/admin/projects', { key: adminKey, json })
    await create({ name: 'first', dialect: 'scale', host: 'labels.example' })
    const refused = await create({ name: 'second', ...project })
    assert.equal(refused.status, status)
    assert.match(refused.body.detail, detail)
  })
}
