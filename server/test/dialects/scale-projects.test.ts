// Scale's projects, files and team, as far as its clients touch them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { basic, categorization, startScale } from './scale-platform.ts'

test('a project has versions of params, which lie beneath those of its tasks', async (t) => {
  const { customer } = await startScale(t)
  const created = await customer('POST', '/projects', {
    name: 'a/b %2F',
    type: 'categorization',
    params: null,
  })
  assert.equal(created.status, 200)
  assert.deepEqual(created.body['param_history'], [])
  const path = `/projects/${encodeURIComponent('a/b %2F')}`
  assert.deepEqual((await customer('GET', path)).body, created.body)
  const taken = await customer('POST', '/projects', { name: 'a/b %2F', type: 'annotation' })
  assert.deepEqual([taken.status, taken.body['status_code']], [409, 409])

  const headers = { 'content-type': 'application/json' }
  const raw = '{"instruction": "Ripe?", "categories": ["a"], "n": 1950000000000000001}'
  await customer('POST', `${path}/setParams`, undefined, { raw, headers })
  const patched = await customer('POST', `${path}/setParams`, { patch: 'true', categories: ['b'] })
  const [first, second] = patched.body['param_history'] as { version: number; categories: string[] }[]
  assert.deepEqual([first!.version, first!.categories], [1, ['a']])
  assert.deepEqual([second!.version, second!.categories], [2, ['b']])
  assert.match(patched.text, /"n":1950000000000000001,"version":1.*"n":1950000000000000001,"version":2/)

  const given = { project: 'a/b %2F', attachment: 'x', instruction: 'Really ripe?' }
  const task = await customer('POST', '/task/categorization', given)
  assert.deepEqual([task.body['instruction'], task.body['project']], ['Really ripe?', 'a/b %2F'])
  assert.match(
    task.text,
    /"params":\{"categories":\["b"\],"n":1950000000000000001,"attachment":"x","allow_multiple":false\}/,
  )

  const replaced = await customer('POST', `${path}/setParams`, { instruction: 'Other' })
  const history = replaced.body['param_history'] as Record<string, unknown>[]
  assert.deepEqual(Object.keys(history.at(-1)!), ['instruction', 'version', 'created_at'])
  assert.equal((await customer('POST', '/task/categorization', given)).status, 400)
})

test('all projects are a bare array, newest first', async (t) => {
  const { customer, clock } = await startScale(t)
  assert.equal((await customer('GET', '/projects')).text, '[]')
  for (const name of ['one', 'two']) {
    await customer('POST', '/projects', { name, type: 'annotation', params: { instruction: 'i' } })
    clock.advance(1)
  }
  const projects = JSON.parse((await customer('GET', '/projects')).text) as { name: string }[]
  assert.deepEqual(
    projects.map(({ name }) => name),
    ['two', 'one'],
  )
})

test('a file that is uploaded is read again by its customer and by the staff, and is nobody else’s', async (t) => {
  const { customer, port, credentials } = await startScale(t)
  await customer('POST', '/projects', { name: 'fruit', type: 'annotation' })
  const upload = (bytes: Uint8Array<ArrayBuffer>, project_name = 'fruit') => {
    const body = new FormData()
    body.append('file', new Blob([bytes], { type: 'image/png' }), 'pear é.png')
    body.append('project_name', project_name)
    const authorization = basic(credentials.live_key)
    const url = `http://127.0.0.1:${port}/scale/v1/files/upload`
    return fetch(url, { method: 'POST', body, headers: { authorization } })
  }
  const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i % 256)
  const uploaded = await upload(bytes)
  const { id, attachment_url } = (await uploaded.json()) as { id: string; attachment_url: string }
  assert.equal(uploaded.status, 200)
  assert.match(id, /^[0-9a-f]{24}$/)
  assert.equal(attachment_url, `https://ring.test/scale/v1/files/${id}`)

  const read = (authorization: string) =>
    fetch(`http://127.0.0.1:${port}/scale/v1/files/${id}`, { headers: { authorization } })
  for (const key of [basic(credentials.live_key), `Bearer ${credentials.operator_key}`]) {
    const answer = await read(key)
    assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), bytes)
    assert.equal(answer.headers.get('content-type'), 'image/png')
    assert.equal(answer.headers.get('content-disposition'), "attachment; filename*=UTF-8''pear%20%C3%A9.png")
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  }
  assert.equal((await read(basic(credentials.test_key))).status, 404)
  assert.equal((await read(basic('live_x'))).status, 401)

  const tooLarge = await upload(new Uint8Array(20_000))
  assert.equal(tooLarge.status, 413)
  assert.match(await tooLarge.text(), /^\{"status_code":413,"error":".*import/)
  assert.equal((await upload(bytes, 'nope')).status, 404)
})

test('a file by URL stays where it is, and the team is whoever runs the platform', async (t) => {
  const { customer } = await startScale(t)
  const file_url = 'https://files.test/pear.png'
  const imported = await customer('POST', '/files/import', { file_url })
  assert.deepEqual([imported.status, imported.body['attachment_url']], [200, file_url])
  assert.match(imported.body.id, /^[0-9a-f]{24}$/)
  const task = await customer('POST', '/task/categorization', { ...categorization, attachment: file_url })
  assert.equal(task.status, 200)
  const team = await customer('GET', '/teams')
  assert.deepEqual(JSON.parse(team.text), [{ email: 'operator@ring.test', role: 'manager' }])
})
