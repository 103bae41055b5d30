// What Scale's customers may send, and how they are refused: bodies as JSON and as forms, headers, keys, and every error in
// Scale's own body.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { basic, categorization, startScale } from './scale-platform.ts'

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const enough = { attachment: 'a', geometries: { box: {} } }

type Refused = {
  name: string
  method?: string
  path: string
  body?: unknown
  raw?: string
  headers?: Record<string, string>
  status: number
  says: RegExp
}

const refused: Refused[] = [
  { name: 'a type that there is not', path: '/task/nope', body: {}, status: 400, says: /^type: .*nope/ },
  { name: 'the type of our own hidden tasks', path: '/task/batch', body: {}, status: 400, says: /^type:/ },
  {
    name: 'a missing input',
    path: '/task/categorization',
    body: { categories: ['a'] },
    status: 400,
    says: /^instruction: required/,
  },
  { name: 'no body', path: '/task/imageannotation', status: 400, says: /^attachment: required/ },
  {
    name: 'an empty body that is called JSON',
    path: '/task/imageannotation',
    raw: '',
    headers: json,
    status: 400,
    says: /^attachment: required/,
  },
  { name: 'a body that is a list', path: '/task/imageannotation', body: [], status: 400, says: /^body:/ },
  {
    name: 'a broken body',
    path: '/task/imageannotation',
    raw: '{',
    headers: json,
    status: 400,
    says: /JSON/,
  },
  {
    name: 'a body of another kind',
    path: '/task/imageannotation',
    raw: 'x',
    headers: { 'content-type': 'text/plain' },
    status: 400,
    says: /application\/json/,
  },
  {
    name: 'a body that is too large',
    path: '/task/imageannotation',
    raw: JSON.stringify({ ...enough, text: 'x'.repeat(20_000) }),
    headers: json,
    status: 413,
    says: /longer than 10000 bytes/,
  },
  {
    name: 'a form with a NUL',
    path: '/task/imageannotation',
    raw: 'attachment=%00',
    headers: form,
    status: 400,
    says: /NUL/,
  },
  {
    name: 'a form without a bottom',
    path: '/task/imageannotation',
    raw: `a${'[b]'.repeat(100)}=1`,
    headers: form,
    status: 400,
    says: /too deep/,
  },
  {
    name: 'metadata that is no object',
    path: '/task/imageannotation',
    body: { ...enough, metadata: 'x' },
    status: 400,
    says: /^metadata:/,
  },
  {
    name: 'a unique id that is no text',
    path: '/task/imageannotation',
    body: { ...enough, unique_id: 5 },
    status: 400,
    says: /^unique_id:/,
  },
  {
    name: 'a unique id that is no Unicode',
    path: '/task/imageannotation',
    raw: String.raw`{"attachment":"a","geometries":{"b":1},"unique_id":"\ud800"}`,
    headers: json,
    status: 400,
    says: /^unique_id: has half a surrogate/,
  },
  {
    name: 'six tags',
    path: '/task/imageannotation',
    body: { ...enough, tags: ['1', '2', '3', '4', '5', '6'] },
    status: 400,
    says: /^tags: .* at most 5/,
  },
  {
    name: 'a priority that is no number',
    path: '/task/imageannotation',
    body: { ...enough, priority: 'high' },
    status: 400,
    says: /^priority:/,
  },
  {
    name: 'a flag that is none',
    path: '/task/imageannotation',
    body: { ...enough, clear_unique_id_on_error: 'maybe' },
    status: 400,
    says: /^clear_unique_id_on_error:/,
  },
  {
    name: 'a callback URL without a scheme',
    path: '/task/imageannotation',
    body: { ...enough, callback_url: 'hooks.test/in' },
    status: 400,
    says: /^callback_url:/,
  },
  {
    name: 'a callback URL into our network',
    path: '/task/imageannotation',
    body: { ...enough, callback_url: 'http://10.0.0.1/' },
    status: 400,
    says: /^callback_url: .* not public/,
  },
  {
    name: 'an address where no e-mail is sent',
    path: '/task/imageannotation',
    body: { ...enough, callback_url: 'joe@mail.test' },
    status: 400,
    says: /^callback_url: .* no e-mail/,
  },
  {
    name: 'an unknown project',
    path: '/task/imageannotation',
    body: { ...enough, project: 'nope' },
    status: 404,
    says: /no project nope/,
  },
  {
    name: 'an unknown batch',
    path: '/task/imageannotation',
    body: { ...enough, batch: 'nope' },
    status: 404,
    says: /no batch nope/,
  },
  {
    name: 'an idempotency key that is none',
    path: '/task/imageannotation',
    body: enough,
    headers: { 'idempotency-key': 'a b' },
    status: 400,
    says: /^Idempotency-Key:/,
  },
  { name: 'a malformed id', method: 'GET', path: '/task/fake_id', status: 404, says: /no task fake_id/ },
  {
    name: 'an unknown id',
    method: 'GET',
    path: '/task/0123456789abcdef01234567',
    status: 404,
    says: /no task 0123/,
  },
  {
    name: 'a re-send of an unknown task',
    path: '/task/0123456789abcdef01234567/send_callback',
    status: 404,
    says: /no task/,
  },
  { name: 'an unknown path', method: 'GET', path: '/nope', status: 404, says: /Nothing is served/ },
  { name: 'an unknown method', method: 'PATCH', path: '/tasks', status: 405, says: /use GET/ },
  { name: 'a broken path', method: 'GET', path: '/task/%zz', status: 400, says: /percent/ },
  { name: 'a NUL in the path', method: 'GET', path: '/task/%00', status: 400, says: /NUL/ },
  { name: 'a limit of 0', method: 'GET', path: '/tasks?limit=0', status: 400, says: /^limit:/ },
  { name: 'a limit of 101', method: 'GET', path: '/tasks?limit=101', status: 400, says: /^limit:/ },
  { name: 'an offset that is none', method: 'GET', path: '/tasks?offset=x', status: 400, says: /^offset:/ },
  {
    name: 'a time that is none',
    method: 'GET',
    path: '/tasks?start_time=x',
    status: 400,
    says: /^start_time:/,
  },
  {
    name: 'a status of another API',
    method: 'GET',
    path: '/tasks?status=deleted',
    status: 400,
    says: /^status:/,
  },
  { name: 'a list of no type', method: 'GET', path: '/tasks?type=batch', status: 400, says: /^type:/ },
  {
    name: 'a token of nobody',
    method: 'GET',
    path: '/tasks?next_token=x',
    status: 400,
    says: /^next_token:/,
  },
  {
    name: 'a review that is none',
    method: 'GET',
    path: '/tasks?customer_review_status=good',
    status: 400,
    says: /^customer_review_status:/,
  },
  { name: 'audits of nobody', method: 'GET', path: '/audits', status: 400, says: /^task_id:/ },
  { name: 'a batch without a name', path: '/batches', body: { project: 'p' }, status: 400, says: /^name:/ },
  {
    name: 'a batch without a project',
    path: '/batches',
    body: { name: 'b' },
    status: 400,
    says: /^project:/,
  },
  {
    name: 'a batch of an unknown project',
    path: '/batches',
    body: { name: 'b', project: 'nope' },
    status: 404,
    says: /no project nope/,
  },
  {
    name: 'a batch whose callback is none',
    path: '/batches',
    body: { name: 'b', project: 'p', callback: 'hooks' },
    status: 400,
    says: /^callback:/,
  },
  {
    name: 'an unknown batch by name',
    method: 'GET',
    path: '/batches/a%2Fb',
    status: 404,
    says: /no batch a\/b/,
  },
  {
    name: 'the finalization of no batch',
    path: '/batches/nope/finalize',
    status: 404,
    says: /no batch nope/,
  },
  {
    name: 'an unknown project by name',
    method: 'GET',
    path: '/projects/nope',
    status: 404,
    says: /no project/,
  },
  {
    name: 'a project of no type',
    path: '/projects',
    body: { name: 'p', type: 'nope' },
    status: 400,
    says: /^type:/,
  },
  { name: 'an import of nothing', path: '/files/import', body: {}, status: 400, says: /^file_url:/ },
  {
    name: 'an upload that is none',
    path: '/files/upload',
    body: {},
    status: 400,
    says: /^body: .*multipart/,
  },
  {
    name: 'an upload without a boundary',
    path: '/files/upload',
    raw: 'x',
    headers: { 'content-type': 'multipart/form-data' },
    status: 400,
    says: /^body: .*multipart/,
  },
  {
    name: 'an upload that is cut off',
    path: '/files/upload',
    raw: '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    status: 400,
    says: /^body: .*multipart/,
  },
  {
    name: 'an import of what is no web address',
    path: '/files/import',
    body: { file_url: 'javascript:alert(1)' },
    status: 400,
    says: /^file_url: .*http/,
  },
]

test('whatever is wrong is refused in Scale’s own body, which names the field and is never empty', async (t) => {
  const scale = await startScale(t)
  for (const { name, method = 'POST', path, body, raw, headers, status, says } of refused) {
    await t.test(name, async () => {
      const answer = await scale.customer(method, path, body, {
        ...(raw === undefined ? {} : { raw }),
        ...(headers === undefined ? {} : { headers }),
      })
      assert.equal(answer.status, status, answer.text)
      assert.deepEqual(Object.keys(answer.body), ['status_code', 'error'])
      assert.equal(answer.body['status_code'], status)
      assert.match(answer.body.error, says)
      assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
    })
  }
  assert.equal((await scale.customer('GET', '/tasks')).body['total'], 0)
})

test('a key is the user name of Basic, or a Bearer token; no other key opens anything', async (t) => {
  const { credentials, request } = await startScale(t)
  const { live_key, operator_key } = credentials
  const list = async (authorization: string | null) => {
    const headers: Record<string, string> = authorization === null ? {} : { authorization }
    return request('GET', '/scale/v1/tasks', { headers })
  }
  const good = [
    basic(live_key),
    `basic ${Buffer.from(`${live_key}:x`).toString('base64')}`,
    `Bearer ${live_key}`,
  ]
  for (const header of good) assert.equal((await list(header)).status, 200, header)
  const bad = [
    null,
    basic(''),
    basic('live_x'),
    basic(operator_key),
    `Bearer ${operator_key}`,
    'Digest x',
    'Basic',
  ]
  for (const header of bad) {
    const { status, body, headers } = await list(header)
    assert.deepEqual([status, body['status_code']], [401, 401], String(header))
    assert.match(body.error, /API key|operator key/)
    assert.match(headers.get('www-authenticate') ?? '', /^Basic/)
  }
  const native = await request('GET', '/v1/tasks', { headers: { authorization: `Bearer ${live_key}` } })
  assert.equal(native.status, 401)
})

test('a form is the JSON that it stands for, with repeated keys, brackets and texts for booleans', async (t) => {
  const scale = await startScale(t)
  const raw = [
    'instruction=Ripe+or%20not%3F&attachment=pear&categories=true&categories=b',
    'fields[title]=Title&objects_to_annotate[0]=cow&objects_to_annotate[1]=ox',
    'metadata[row]=7&tags=spring&priority=5&clear_unique_id_on_error=True&unique_id=u&unknown=1',
  ].join('&')
  const created = await scale.customer('POST', '/task/categorization/', undefined, { raw, headers: form })
  assert.equal(created.status, 200, created.text)
  const { params, instruction, metadata, tags, priority, unique_id } = created.body
  assert.deepEqual(params, {
    attachment: 'pear',
    categories: ['true', 'b'],
    fields: { title: 'Title' },
    objects_to_annotate: ['cow', 'ox'],
    unknown: '1',
    allow_multiple: false,
  })
  assert.deepEqual(
    [instruction, metadata, tags, priority, unique_id],
    ['Ripe or not?', { row: '7' }, ['spring'], 5, 'u'],
  )
  await scale.staff('fail', String(created.body['task_id']), { error: { message: 'x' } })
  assert.ok(!('unique_id' in (await scale.get(String(created.body['task_id'])))))
})

test('a unique id and an idempotency key are each good for one task of a mode', async (t) => {
  const scale = await startScale(t)
  const { task_id } = await scale.create({ unique_id: 'row-7' })
  const post = (changes: object, headers = {}, mode: 'live' | 'test' = 'live') =>
    scale.customer('POST', '/task/categorization', { ...categorization, ...changes }, { headers, mode })
  const taken = await post({ unique_id: 'row-7' })
  assert.equal(taken.status, 409)
  assert.match(taken.body.error, new RegExp(`row-7 is already used by task ${task_id}`))
  assert.equal((await post({ unique_id: 'row-7' }, {}, 'test')).status, 200)
  assert.equal((await post({ unique_id: 'row-7' }, {}, 'test')).status, 409)

  const key = { 'idempotency-key': 'k1' }
  assert.equal((await post({}, key)).status, 200)
  const repeated = await post({}, key)
  assert.deepEqual([repeated.status, repeated.body['status_code']], [409, 409])
  assert.match(repeated.body.error, /^Idempotency-Key: was used/)
  assert.equal((await scale.customer('GET', '/tasks')).body['total'], 2)

  const cancel = await scale.customer('POST', `/task/${task_id}/cancel?clear_unique_id=True`, {})
  assert.ok(cancel.status === 200 && !('unique_id' in cancel.body))
  assert.equal((await post({ unique_id: 'row-7' })).status, 200)
})

test('metadata, unique id and tags of a task are changed in place, and nobody is told', async (t) => {
  const scale = await startScale(t)
  const { task_id, ...created } = await scale.create({ metadata: null })
  assert.deepEqual(created['metadata'], {})
  assert.ok(!('tags' in created) && !('unique_id' in created))
  const change = async (method: string, path: string, body?: unknown, headers = {}) => {
    const raw = body === undefined ? { raw: '', headers: json } : { headers }
    const answer = await scale.customer(method, `/task/${task_id}/${path}`, body, raw)
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(answer.body, await scale.get(task_id))
    return answer.body
  }
  assert.deepEqual((await change('POST', 'setMetadata', { docs: { a: 1 } }))['metadata'], { docs: { a: 1 } })
  assert.deepEqual((await change('POST', 'setMetadata'))['metadata'], {})

  assert.equal((await change('POST', 'unique_id', { unique_id: 'u1' }))['unique_id'], 'u1')
  const other = await scale.create({ unique_id: 'u2' })
  const taken = await scale.customer('POST', `/task/${task_id}/unique_id`, { unique_id: 'u2' })
  assert.equal(taken.status, 409)
  assert.match(taken.body.error, new RegExp(`u2 is already used by task ${other.task_id}`))
  assert.ok(!('unique_id' in (await change('DELETE', 'unique_id'))))

  assert.deepEqual((await change('POST', 'tags', ['a', 'b']))['tags'], ['a', 'b'])
  assert.deepEqual((await change('PUT', 'tags', ['b', 'c']))['tags'], ['a', 'b', 'c'])
  assert.deepEqual((await change('DELETE', 'tags', ['a', 'x']))['tags'], ['b', 'c'])
  for (const body of [{ tags: ['a'] }, [5], [''], ['1', '2', '3', '4']]) {
    const { status } = await scale.customer('PUT', `/task/${task_id}/tags`, body)
    assert.equal(status, 400, JSON.stringify(body))
  }
  const found = async (tag: string) => (await scale.customer('GET', `/tasks?tags=${tag}`)).body['total']
  assert.deepEqual([await found('a'), await found('b'), await found('c')], [0, 1, 1])
  const { body } = await scale.operate('GET', `/v1/tasks/${task_id}/events`)
  assert.deepEqual(body.data, [])
})

test('the audits of a task are listed, newest first', async (t) => {
  const scale = await startScale(t)
  const { task_id } = await scale.create()
  await scale.staff('complete', task_id, { response: {} })
  await scale.staff('audit', task_id, { verdict: 'rejected', comments: 'no' })
  await scale.customer('POST', `/task/${task_id}/audit`, { accepted: true })
  const { text, status } = await scale.customer('GET', `/audits?task_id=${task_id}&id=`)
  assert.equal(status, 200)
  const audited_at = new Date(scale.clock.now()).toISOString()
  const audit = { task_id, audited_at }
  assert.deepEqual(JSON.parse(text), [
    { ...audit, audited_by: 'customer', audit_result: 'accepted', audit_source: 'customer' },
    { ...audit, audited_by: 'scale', audit_result: 'rejected', audit_source: 'scale', comments: 'no' },
  ])
})
