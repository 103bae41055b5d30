// What super.AI's customers ask and what they are answered: jobs, batches, lists, tags, exports, and every error.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { inflateRawSync } from 'node:zlib'
import { app, startSuperai, type Job } from './superai-platform.ts'

type List = { jobs: Job[]; total: number; pageSize: number; pageNumber: number; pages: number }

const otherApp = '11111111-2222-3333-4444-555555555555'

test('A job comes out as it went in, by its short id and by its UUID, without its output', async (t) => {
  const { request, credentials, ask, job, operator, hook, send } = await startSuperai(t)
  const { text } = await send('POST', `/superai/v1/apps/${app.toUpperCase()}/jobs`, {
    headers: { 'api-key': credentials.live_key },
    raw: `{"inputs": [{"n": 1950000000000000001, "x": 1E400}], "callbackUrl": "${hook}", "tags": "march", "metadata": {"m": 1.0}, "labeler": "x", "unknown": 1}`,
  })
  const { message, batch_id, uuid } = JSON.parse(text) as Record<string, string>
  assert.equal(message, 'Jobs accepted')
  const shown = await request('GET', `/jobs/${uuid!.toUpperCase()}`)
  const { id } = shown.body
  assert.match(id, /^\d{1,6}$/)
  assert.equal(
    shown.text,
    `{"id":"${id}","uuid":"${uuid}","appId":"${app}","batchId":"${batch_id}","status":"SCHEDULED","input":{"n":1950000000000000001,"x":1E400},"metadata":{"m":1.0},"tags":["march"],"callbackUrl":"${hook}","correct":null,"jobType":"DEFAULT","created":"2030-01-01T00:00:00+00:00","completed":null}`,
  )
  assert.equal((await request('GET', `/jobs/${id}`)).text, shown.text)

  await operator(uuid!, 'complete', { response: { url: 'x' } })
  assert.deepEqual(await ask('GET', `/jobs/${id}/response`), { response: { url: 'x' } })
  assert.equal((await job(id)).completed, '2030-01-01T00:00:00+00:00')
  assert.deepEqual(Object.keys(await job(id)), Object.keys(shown.body))
})

test('Many inputs make one batch, whose jobs share what the request says and have their own metadata', async (t) => {
  const { create, ask } = await startSuperai(t)
  const made = await create({
    inputs: [{ n: 0 }, { n: 1 }, { n: 2 }],
    metadata: [{ m: 0 }, null, { m: 2 }],
    tags: ['a', 'b', 'a'],
  })
  assert.deepEqual(Object.keys(made), ['message', 'batch_id'])
  const { jobs } = await ask<List>('GET', `/apps/${app}/jobs?batchId=${made.batch_id}`)
  assert.deepEqual(
    jobs.map(({ input, metadata, tags }) => [input, metadata, tags]),
    [
      [{ n: 0 }, { m: 0 }, ['a', 'b']],
      [{ n: 1 }, null, ['a', 'b']],
      [{ n: 2 }, { m: 2 }, ['a', 'b']],
    ],
  )
  assert.deepEqual(await ask('GET', `/apps/${app}/batches/${made.batch_id}`), {
    app_uuid: app,
    batch_id: made.batch_id,
    batch_total: 3,
    total_processed: 3,
    valid_count: 3,
    invalid_index: null,
    created: '2030-01-01T00:00:00.000Z',
    batch_processed: true,
    error_message: null,
  })
  assert.deepEqual(await ask('GET', `/apps/${app}/batches`), {
    batches: [],
    total: 0,
    pageSize: 10,
    pageNumber: 0,
    pages: 0,
  })
})

test('Bad inputs are told by the batch, and the good ones beside them become jobs', async (t) => {
  const { create, ask, request } = await startSuperai(t)
  const { batch_id } = await create({ inputs: [{ n: 0 }, 'x', { n: 2 }, null, []] })
  const batch = await ask<Record<string, unknown>>('GET', `/apps/${app}/batches/${batch_id}`)
  assert.deepEqual(
    [batch['batch_total'], batch['total_processed'], batch['valid_count'], batch['invalid_index']],
    [5, 5, 2, 1],
  )
  assert.equal(batch['error_message'], 'inputs[1]: must be an object')
  const single = await create({ inputs: ['x'] })
  assert.deepEqual(Object.keys(single), ['message', 'batch_id'])
  assert.equal((await request('GET', `/apps/${otherApp}/batches/${batch_id}`)).status, 404)
})

test('Short ids count up in each project and mode', async (t) => {
  const { create, job, credentials, send } = await startSuperai(t)
  await create({ inputs: Array.from({ length: 100 }, () => ({})) })
  const ids = await Promise.all(
    Array.from({ length: 5 }, async () => Number((await job((await create()).uuid)).id)),
  )
  assert.deepEqual(
    ids.toSorted((a, b) => a - b),
    [101, 102, 103, 104, 105],
  )
  const key = (credentials as Record<string, string>)['test_key']!
  const inTest = await send('POST', `/superai/v1/apps/${app}/jobs`, {
    headers: { 'API-KEY': key },
    json: { inputs: [{}] },
  })
  const shown = await send('GET', `/superai/v1/jobs/${String(inTest.body['uuid'])}`, {
    headers: { 'API-KEY': key },
  })
  assert.equal(shown.body.id, '1')
  assert.equal((await send('GET', '/superai/v1/jobs/105', { headers: { 'API-KEY': key } })).status, 404)
})

/** Six jobs of one app, one a second, and one of another app. */
async function startListed(t: TestContext) {
  const platform = await startSuperai(t)
  const { create, operator, ask, clock } = platform
  const uuids: string[] = []
  for (const [n, more] of [{}, { tags: ['a'] }, { tags: ['a', 'b'] }, {}, { pending: true }, {}].entries()) {
    uuids.push((await create({ inputs: [{ n }], callbackUrl: null, ...more })).uuid)
    clock.advance(1000)
  }
  const [, done, failed, declined, , suspended] = uuids as [string, string, string, string, string, string]
  for (const uuid of [done, declined]) await operator(uuid, 'complete', { response: { of: uuid } })
  clock.advance(1000)
  await operator(failed, 'fail', { error: { message: 'no' } })
  await operator(suspended, 'suspend')
  await ask('PATCH', `/jobs/${done}/review`, { correct: true })
  await ask('PATCH', `/jobs/${declined}/review`, { correct: false })
  await ask('POST', `/apps/${otherApp}/jobs`, { inputs: [{ n: 'other' }] })
  const found = async (query: string) => {
    const list = await ask<List>('GET', `/apps/${app}/jobs?${query}`)
    return [list.jobs.map(({ input }) => (input as { n: number }).n).join(' '), list.total] as const
  }
  return { ...platform, uuids, found }
}

test('The list is filtered by repeated keys, verdicts, times, tags and ids', async (t) => {
  const { found, uuids, job } = await startListed(t)
  const { id, batchId } = await job(uuids[1]!)
  const rows: [query: string, jobs: string][] = [
    ['', '0 1 2 3 4 5'],
    ['sortBy=id&orderBy=desc', '5 4 3 2 1 0'],
    ['statusIn=COMPLETED', '1 3'],
    ['statusIn=COMPLETED&statusIn=FAILED', '1 2 3'],
    ['statusIn=SCHEDULED', '0'],
    ['statusIn=PENDING', '4'],
    ['statusIn=SUSPENDED', '5'],
    ['statusIn=SUSPENDED&statusIn=PENDING', '4 5'],
    ['statusIn=PENDING&statusIn=COMPLETED', '1 3 4'],
    ['statusIn=SUSPENDED&statusIn=COMPLETED', '1 3 5'],
    ['statusIn=IN_PROGRESS', ''],
    ['correct=True', '1'],
    ['correct=False', '3'],
    ['tags=a', '1 2'],
    ['tags=b', '2'],
    ['tags=a&tags=b', '1 2'],
    ['tags=a&statusIn=FAILED', '2'],
    [`batchId=${batchId}`, '1'],
    [`idSearch=${id}&idSearch=${uuids[0]}`, '0 1'],
    ['idSearch=nothing', ''],
    ['createdStartDate=2030-01-01T00:00:02Z&createdEndDate=2030-01-01T00:00:03Z', '2 3'],
    ['completedStartDate=2030-01-01T00:00:07Z', '2'],
    ['completedEndDate=2030-01-01T00:00:06Z', '1 3'],
  ]
  for (const [query, jobs] of rows) {
    assert.deepEqual(await found(query), [jobs, jobs === '' ? 0 : jobs.split(' ').length], query)
  }
})

test('The list comes in pages, and one past the end is empty', async (t) => {
  const { ask } = await startListed(t)
  const page = async (query: string) => {
    const { jobs, ...rest } = await ask<List>('GET', `/apps/${app}/jobs?${query}`)
    return [jobs.length, rest]
  }
  assert.deepEqual(await page('page=1&size=4'), [2, { total: 6, pageSize: 4, pageNumber: 1, pages: 2 }])
  assert.deepEqual(await page('page=9&size=500'), [0, { total: 6, pageSize: 500, pageNumber: 9, pages: 1 }])
})

test('A page of large jobs is whole, however many bytes it comes to', async (t) => {
  const { ask, create } = await startSuperai(t)
  for (let n = 0; n < 12; n += 2)
    await create({ inputs: [n, n + 1].map((each) => ({ n: each, text: 'é'.repeat(450_000) })) })
  const page = async (query: string) => {
    const { jobs, ...rest } = await ask<List>('GET', `/apps/${app}/jobs?orderBy=asc&${query}`)
    for (const { input } of jobs) assert.equal((input as { text: string }).text.length, 450_000)
    return [jobs.map(({ input }) => (input as { n: number }).n), rest]
  }
  const all = Array.from({ length: 12 }, (_, n) => n)
  assert.deepEqual(await page('size=500'), [all, { total: 12, pageSize: 500, pageNumber: 0, pages: 1 }])
  assert.deepEqual(await page('size=7&page=1'), [
    all.slice(7),
    { total: 12, pageSize: 7, pageNumber: 1, pages: 2 },
  ])
})

test('Tags are added to and removed from what a filter finds, and found from then on', async (t) => {
  const { request, found, job, uuids, told } = await startListed(t)
  const put = await request('PUT', `/apps/${app}/jobs/tags?idSearch=${uuids[0]}&idSearch=${uuids[1]}`, {
    tags: ['new', 'a'],
  })
  assert.deepEqual([put.status, put.text], [204, ''])
  assert.deepEqual(await found('tags=new'), ['0 1', 2])
  assert.deepEqual(await found('tags=a'), ['0 1 2', 3])
  assert.deepEqual((await job(uuids[1]!)).tags, ['a', 'new'])
  const { batchId } = await job(uuids[1]!)
  await request('DELETE', `/apps/${app}/jobs/tags?batchId=${batchId}`, { tags: ['a'] })
  assert.deepEqual(await found('tags=a'), ['0 2', 2])
  await request('DELETE', `/apps/${app}/jobs/tags`, { tags: ['new', 'a', 'b'] })
  assert.deepEqual(await found('tags=a&tags=b&tags=new'), ['', 0])
  assert.deepEqual(await found(`batchId=${batchId}`), ['1', 1])
  assert.deepEqual(await told(0), [])
})

test('An export is complete at once, and its link gives a ZIP of the jobs with their outputs until it is over', async (t) => {
  const { request, ask, create, uuids, clock, port } = await startListed(t)
  const started = await ask<{ operationId: number }>(
    'POST',
    `/apps/${app}/job_responses?sendEmail=False&withHistory=True&statusIn=COMPLETED&statusIn=SUSPENDED`,
  )
  assert.deepEqual(started, { operationId: 1 })
  assert.deepEqual(await ask('GET', `/operations/${app}/1`), { id: 1, status: 'COMPLETED' })
  clock.advance(10)
  // What is made afterwards is not in it.
  await create({ pending: false })
  const { downloadUrl } = await ask<{ downloadUrl: string }>(
    'POST',
    `/operations/${app}/1/download-url?secondsTtl=5`,
  )
  const path = downloadUrl.replace('https://ring.test', '')
  const download = () => fetch(`http://127.0.0.1:${port}${path}`)
  const answer = await download()
  assert.equal(answer.headers.get('content-type'), 'application/zip')
  const zip = Buffer.from(await answer.arrayBuffer())
  const head = 30 + zip.readUInt16LE(26)
  const jobs = JSON.parse(inflateRawSync(zip.subarray(head)).toString()) as (Job & { response: unknown })[]
  assert.deepEqual(
    jobs.map(({ uuid, status, response }) => [uuid, status, response]),
    [
      [uuids[1], 'COMPLETED', { of: uuids[1] }],
      [uuids[3], 'COMPLETED', { of: uuids[3] }],
      [uuids[5], 'SUSPENDED', null],
    ],
  )
  clock.advance(5000)
  const over = await download()
  assert.deepEqual([over.status, Object.keys((await over.json()) as object)], [404, ['message']])
  assert.equal((await request('GET', `/operations/${otherApp}/1`)).status, 404)
})

test('Every refusal is one message that names what is wrong', async (t) => {
  const { request, create, ask, operator, hook } = await startSuperai(t)
  const jobs = `/apps/${app}/jobs`
  const [open, over] = [await create(), await create()]
  await operator(over.uuid, 'complete', { response: {} })
  const parked = await create({ pending: true })
  const canceled = await create()
  await ask('POST', `/jobs/${canceled.uuid}/cancel`)
  const inputs = [{}]
  const review = (uuid: string) => `/jobs/${uuid}/review`
  const rows: [method: string, path: string, json: unknown, status: number, said: RegExp][] = [
    ['POST', jobs, {}, 400, /inputs, inputsFileUrl: give one/],
    ['POST', jobs, { inputs, inputsFileUrl: 'https://files.test/a.json' }, 400, /give one/],
    ['POST', jobs, [], 400, /JSON object/],
    ['POST', jobs, null, 400, /object/],
    ['POST', jobs, undefined, 400, /JSON object/],
    ['POST', jobs, { inputs: {} }, 400, /inputs: give an array/],
    ['POST', jobs, { inputs: [] }, 400, /inputs: give an array/],
    ['POST', jobs, { inputs, callbackUrl: hook.slice(0, -1) }, 400, /callbackUrl: .* ends with \//],
    ['POST', jobs, { inputs, callbackUrl: `${hook}?a=/` }, 400, /callbackUrl/],
    ['POST', jobs, { inputs, callbackUrl: `${hook}#/` }, 400, /callbackUrl/],
    ['POST', jobs, { inputs, callbackUrl: 'ftp://a.test/' }, 400, /callbackUrl/],
    ['POST', jobs, { inputs, callbackUrl: 'https:///' }, 400, /callbackUrl/],
    ['POST', jobs, { inputs, callbackUrl: 'team@a.test' }, 400, /callbackUrl/],
    ['POST', jobs, { inputs, callbackUrl: 5 }, 400, /callbackUrl: give a text/],
    ['POST', jobs, { inputs, callbackUrl: 'http://10.0.0.1/' }, 400, /callbackUrl: .* not public/],
    ['POST', jobs, { inputsFileUrl: 'file:///etc/passwd' }, 400, /inputsFileUrl/],
    ['POST', jobs, { inputsFileUrl: 'http://10.0.0.1/a.json' }, 400, /inputsFileUrl: .* not public/],
    ['POST', jobs, { inputs, metadata: 'x' }, 400, /metadata/],
    ['POST', jobs, { inputs, metadata: [{}, {}] }, 400, /metadata: .* as long as the inputs/],
    ['POST', jobs, { inputs, metadata: [5] }, 400, /metadata/],
    ['POST', jobs, { inputs, tags: [5] }, 400, /tags/],
    ['POST', jobs, { inputs, pending: 'yes' }, 400, /pending/],
    ['POST', '/apps/9a3c/jobs', { inputs }, 404, /no app 9a3c/],
    ['GET', '/apps/9a3c/jobs', undefined, 404, /no app/],
    ['GET', `${jobs}?statusIn=DONE`, undefined, 400, /statusIn: DONE/],
    ['GET', `${jobs}?statusIn=COMPLETED,FAILED`, undefined, 400, /statusIn/],
    ['GET', `${jobs}?page=-1`, undefined, 400, /page/],
    ['GET', `${jobs}?size=0`, undefined, 400, /size/],
    ['GET', `${jobs}?sortBy=metadata`, undefined, 400, /sortBy/],
    ['GET', `${jobs}?orderBy=up`, undefined, 400, /orderBy/],
    ['GET', `${jobs}?createdEndDate=yesterday`, undefined, 400, /createdEndDate/],
    ['GET', `${jobs}?correct=maybe`, undefined, 400, /correct/],
    ['PUT', `${jobs}/tags`, {}, 400, /tags/],
    ['GET', '/jobs/4711', undefined, 404, /no job 4711/],
    ['GET', `/jobs/${app}`, undefined, 404, /no job/],
    ['GET', `/jobs/${open.uuid}/response`, undefined, 409, /SCHEDULED/],
    ['GET', `/jobs/${canceled.uuid}/response`, undefined, 409, /CANCELED/],
    ['POST', `/jobs/${over.uuid}/cancel`, undefined, 409, /COMPLETED; cancel works on/],
    ['POST', `/jobs/${canceled.uuid}/cancel`, undefined, 409, /CANCELED; cancel works on/],
    ['POST', `/jobs/${open.uuid}/restart`, undefined, 409, /SCHEDULED; restart works on/],
    ['POST', `/jobs/${over.uuid}/restart`, undefined, 409, /COMPLETED; restart works on/],
    ['POST', `/jobs/${parked.uuid}/restart`, undefined, 409, /PENDING; restart works on/],
    ['PATCH', review(over.uuid), {}, 400, /response, correct: give/],
    ['PATCH', review(over.uuid), { response: null, correct: null }, 400, /give/],
    ['PATCH', review(over.uuid), { response: [] }, 400, /response: give an object/],
    ['PATCH', review(over.uuid), { correct: 'true' }, 400, /correct/],
    ['PATCH', review(open.uuid), { correct: true }, 409, /SCHEDULED/],
    ['PATCH', review(canceled.uuid), { response: {} }, 409, /CANCELED/],
    ['GET', `/apps/${app}/batches/${app}`, undefined, 404, /no batch/],
    ['GET', `/operations/${app}/1`, undefined, 404, /no operation/],
    ['POST', `/operations/${app}/1/download-url`, undefined, 404, /no operation/],
    ['GET', '/downloads/x.live.y', undefined, 404, /link/],
    ['GET', '/downloads/x', undefined, 404, /link/],
    ['GET', '/nothing', undefined, 404, /Nothing is served/],
    ['DELETE', '/jobs/1', undefined, 405, /use GET/],
  ]
  for (const [method, path, json, status, said] of rows) {
    const answer = await request(method, path, json)
    const row = `${method} ${path} ${JSON.stringify(json)}: ${answer.text}`
    assert.equal(answer.status, status, row)
    assert.deepEqual(Object.keys(JSON.parse(answer.text) as object), ['message'], row)
    assert.match(String(answer.body['message']), said, row)
  }
})

test('Keys, bodies and methods are refused by a message, too, and no content type is', async (t) => {
  const { credentials, send } = await startSuperai(t)
  const path = `/superai/v1/apps/${app}/jobs`
  const key = { 'API-KEY': credentials.live_key }
  const rows: [headers: Record<string, string>, raw: string, status: number, said: RegExp][] = [
    [{}, '{}', 401, /API-KEY/],
    [{ authorization: `Bearer ${credentials.live_key}` }, '{}', 401, /API-KEY/],
    [{ 'API-KEY': 'sai_live_0' }, '{}', 401, /does not exist/],
    [{ 'API-KEY': credentials.operator_key }, '{}', 401, /does not exist/],
    [key, '{', 400, /JSON/],
    [key, String.raw`{"inputs":[{"a":"\u0000"}]}`, 400, /NUL/],
    [key, `{"inputs":[{"a":"${'x'.repeat(4 * 1024 * 1024)}"}]}`, 413, /4194304/],
    [{ ...key, 'content-type': 'text/plain' }, '{"inputs":[{}]}', 200, /accepted/],
    [key, `{"inputs":[{"a":"${'x'.repeat(4_000_000)}"}]}`, 200, /accepted/],
  ]
  for (const [headers, raw, status, said] of rows) {
    const answer = await send('POST', path, { headers, raw })
    assert.equal(answer.status, status, answer.text)
    assert.match(String(answer.body['message']), said)
  }
})

test('A lenient request may have a callback URL without the last slash', async (t) => {
  const { ask, hook } = await startSuperai(t)
  const callbackUrl = `${hook}?job=1`
  await ask('POST', `/apps/${app}/jobs?lenientCallbackUrl=true`, { inputs: [{}], callbackUrl })
})
