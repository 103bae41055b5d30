// Files of records become tasks: what is imported, what is wrong with which line, what a file may not be, and that a line which
// is read again is still one task.
import assert from 'node:assert/strict'
import { pipeline, Readable } from 'node:stream'
import { test } from 'node:test'
import { assertSigned, startStardust, type Batch, type TaskObject } from './stardust-customer.ts'
import { imageRecord, jsonLines } from './stardust-writing.ts'

type World = Awaited<ReturnType<typeof startStardust>>
type List = { count: number; data: { id: string; status: number; metaData: { uniqueIdentifier: string } }[] }

const listOf = async ({ post }: World, json: object = {}) =>
  (await post<List>('/project/tasks', { projectId: 3184, limit: 100, ...json })).data

const namesOf = ({ data }: List) => data.map(({ metaData }) => metaData.uniqueIdentifier)

test('a file of records becomes tasks, which customers find by the number of each', async (t) => {
  const world = await startStardust(t)
  const { files, post, importFile } = world
  const record = imageRecord('row-7', undefined, { lot: 'spring' })
  const { batchId, ...batch } = await importFile(
    files.put('/a/spring%20lot.jsonl?key=s', jsonLines([record, imageRecord('row-8')])),
  )
  assert.match(batchId, /^\d{19}$/)
  assert.deepEqual(batch, {
    jsonlName: 'spring lot.jsonl',
    taskCount: 2,
    importFailCount: 0,
    status: 3,
    errors: [],
  })
  const list = await listOf(world)
  assert.deepEqual([list.count, namesOf(list)], [2, ['row-8', 'row-7']])
  const { data } = await post<TaskObject>('/task/get', { projectId: '3184', taskId: list.data[1]?.id })
  assert.match(data.taskId, /^\d{19}$/)
  assert.deepEqual([data.status, data.result, data.taskParams.record], [1, null, record])
  assert.equal('callback_succeeded' in data, false)
  assert.equal((await post('/task/get', { projectId: 3185, taskId: data.taskId })).code, 404)
})

test('the numbers of a record come out digit by digit', async (t) => {
  const world = await startStardust(t)
  const line =
    '{"attachmentType":"TEXT","attachment":"x","metadata":{"uniqueIdentifier":"a","additionalInfo":{"n":[1950000000000000001,1.0,1E400]}}}'
  await world.importFile(world.files.put('/in.jsonl', line))
  const [row] = (await listOf(world)).data
  const { text } = await world.answerOf('/task/get', { projectId: 3184, taskId: row?.id })
  assert.ok(text.includes(`"record":${line}`), text)
})

test('good lines are imported whatever the others are, and each bad one has an entry that says why', async (t) => {
  const world = await startStardust(t)
  const { files, importFile, received, receiver_url, key, attempted } = world
  const url = `${receiver_url}/hook`
  const { taskCount, importFailCount, status, errors } = await importFile(
    files.put(
      '/in.jsonl',
      [
        '\uFEFF' + JSON.stringify(imageRecord('good')),
        'garbage',
        '',
        JSON.stringify({ ...imageRecord('no type', url), attachmentType: 'SMELL' }),
        JSON.stringify({
          ...imageRecord('ours'),
          metadata: { uniqueIdentifier: 'ours', additionalInfo: { callbackUrl: 'http://10.0.0.1/' } },
        }),
        JSON.stringify(imageRecord('good', url)),
        JSON.stringify(imageRecord('ftp', 'ftp://files.test/')),
        `"${'x'.repeat(20_000)}"`,
        JSON.stringify(imageRecord('last')),
      ].join('\r\n'),
    ),
  )
  assert.deepEqual([taskCount, importFailCount, status], [8, 6, 3])
  assert.deepEqual(
    errors.map(({ uniqueIdentifier, error }) => [uniqueIdentifier, error.split(/[:,]/)[0]]),
    [
      [null, 'The line is not JSON'],
      ['no type', 'attachmentType'],
      ['ours', 'metadata.additionalInfo.callbackUrl'],
      ['good', 'Duplicate uniqueIdentifier good'],
      ['ftp', 'metadata.additionalInfo.callbackUrl'],
      [null, 'The line is longer than 10000 bytes'],
    ],
  )
  for (const { jsonLine } of errors) assert.ok(jsonLine !== null && jsonLine.length <= 120)
  assert.deepEqual(namesOf(await listOf(world, { status: 1 })), ['last', 'good'])

  await attempted(2)
  const told = received
    .toSorted((a, b) => a.text.localeCompare(b.text))
    .map((callback) => {
      assertSigned(callback, key)
      const { task, ...rest } = callback.body as unknown as {
        taskId: string
        status: string
        task: TaskObject
      }
      assert.deepEqual([rest.status, task.status, task.taskId], ['error', 'error', rest.taskId])
      return task.errorMessage.message?.split(/[:,]/)[0]
    })
  assert.deepEqual(told, ['attachmentType', 'Duplicate uniqueIdentifier good'])
  assert.deepEqual(namesOf(await listOf(world, { status: 6 })), ['good', 'no type'])
})

test('an identifier is unique in a project, and free in another', async (t) => {
  const { files, importFile, post } = await startStardust(t)
  const url = files.put('/in.jsonl', jsonLines([imageRecord('a'), imageRecord('b')]))
  assert.equal((await importFile(url)).importFailCount, 0)
  const again = await importFile(url)
  assert.deepEqual([again.taskCount, again.importFailCount], [2, 2])
  assert.equal((await importFile(url, 3185)).importFailCount, 0)
  const counts = [3184, 3185].map(
    async (projectId) => (await post<List>('/project/tasks', { projectId })).data.count,
  )
  assert.deepEqual(await Promise.all(counts), [2, 2])
})

test('tasks have the tools and the name of a project that was created', async (t) => {
  const world = await startStardust(t)
  const operators = [{ key: 'box2d-[0001]', label: 'box', type: 'slot' }]
  const created = await world.post<{ projectId: number; status: number }>('/project/create', {
    name: 'cars',
    dataType: 2,
    deadline: '2030-06-01',
    operators,
    workflow: { vertex: [{ type: 0 }, { type: 1 }, { type: 5 }] },
  })
  const { projectId } = created.data
  await world.importFile(world.files.put('/in.jsonl', jsonLines([imageRecord('a')])), projectId)
  const [row] = (await world.post<List>('/project/tasks', { projectId })).data.data
  const { data } = await world.post<TaskObject & { appendInfo: { projectInfo: object } }>('/task/get', {
    projectId,
    taskId: row?.id,
  })
  assert.deepEqual(data.taskParams.operators, operators)
  assert.deepEqual(data.appendInfo.projectInfo, { projectId, projectName: 'cars', tutorial: null })
})

test('lists have pages, and are narrowed by status and time', async (t) => {
  const world = await startStardust(t)
  const { clock, files, importFile, operate, post } = world
  const first = clock.now()
  await importFile(files.put('/1.jsonl', jsonLines(['a', 'b', 'c'].map((name) => imageRecord(name)))))
  clock.advance(60_000)
  const second = clock.now()
  await importFile(files.put('/2.jsonl', jsonLines(['d', 'e'].map((name) => imageRecord(name)))))
  const all = await listOf(world)
  assert.deepEqual([all.count, namesOf(all).join('')], [5, 'edcba'])
  const page = async (offset: number, limit: number) => {
    const { count, data } = await listOf(world, { offset, limit })
    return [count, data.map(({ metaData }) => metaData.uniqueIdentifier).join('')]
  }
  assert.deepEqual(
    [await page(1, 2), await page(2, 2), await page(3, 2), await page(4, 2)],
    [
      [5, 'ed'],
      [5, 'cb'],
      [5, 'a'],
      [5, ''],
    ],
  )
  const [e, d, c] = all.data.map(({ id }) => id)
  await operate('POST', `/v1/tasks/${e}/complete`, { response: {} })
  await operate('POST', `/v1/tasks/${d}/complete`, { response: {} })
  await operate('POST', `/v1/tasks/${d}/audit`, { verdict: 'rejected' })
  await operate('POST', `/v1/tasks/${c}/start`)
  const narrowed: [object, string][] = [
    [{ status: 9 }, 'e'],
    [{ status: 3 }, 'dc'],
    [{ status: 1 }, 'ba'],
    [{ status: 8 }, ''],
    [{ startTime: second }, 'ed'],
    [{ endTime: first }, 'cba'],
    [{ startTime: first + 1, endTime: second - 1 }, ''],
    [{ startTime: String(first), endTime: second, status: '3' }, 'dc'],
    [{ projectId: 3185 }, ''],
  ]
  for (const [json, names] of narrowed)
    assert.equal(namesOf(await listOf(world, json)).join(''), names, JSON.stringify(json))
  assert.equal((await post<List>('/project/tasks', { projectId: 3184 })).data.data.length, 5)
})

test('the results of complete tasks are exported, narrowed by date and task', async (t) => {
  const world = await startStardust(t)
  const { clock, files, importFile, operate, answerOf } = world
  await importFile(files.put('/in.jsonl', jsonLines(['a', 'b', 'c', 'd'].map((name) => imageRecord(name)))))
  const [d, c, b, a] = (await listOf(world)).data.map(({ id }) => id)
  const complete = (id: string | undefined, n: number) =>
    operate('POST', `/v1/tasks/${id}/complete`, { response: { annotations: [n] } })
  await complete(a, 1)
  clock.advance(3 * 86_400_000)
  await complete(b, 2)
  await complete(d, 4)
  await operate('POST', `/v1/tasks/${d}/audit`, { verdict: 'rejected' })
  const exported = async (json: object = {}) => {
    const { body } = await answerOf('/tasks/export', { projectId: 3184, ...json })
    return (
      body as unknown as { data: { annotationResultList: { annotations: number[] }[] } }
    ).data.annotationResultList.map(({ annotations }) => annotations[0])
  }
  const date = new Date(clock.now()).toLocaleDateString('sv')
  assert.deepEqual(await exported(), [1, 2])
  assert.deepEqual(await exported({ completeTimeAfter: date }), [2])
  assert.deepEqual(await exported({ completeTimeBefore: date }), [1])
  assert.deepEqual(await exported({ taskIds: [b, c] }), [2])
  assert.deepEqual(await exported({ taskIds: [] }), [])
  assert.deepEqual(await exported({ projectId: 3185 }), [])
})

const failures: [string, (world: World) => string, RegExp, string][] = [
  ['is empty', ({ files }) => files.put('/in', '\n \n'), /no lines/, ''],
  ['is not there', () => 'http://127.0.0.1:65535/in', /./, ''],
  ['is not found', ({ files }) => files.put('/other', '').replace('other', 'in'), /404/, ''],
  [
    'redirects into our own network',
    ({ files }) =>
      files.put('/in', (_, response) => response.writeHead(302, { location: 'http://10.0.0.1/in' }).end()),
    /not public|private/,
    '',
  ],
  [
    'says that it is longer than 100 MB',
    ({ files }) =>
      files.put('/in', (_, response) =>
        response.writeHead(200, { 'content-length': 200 * 1024 * 1024 }).write('x'),
      ),
    /104857600|100 M/,
    '',
  ],
]
for (const [what, put, error, names] of failures) {
  test(`a file that ${what} is one failure, and nothing is imported`, async (t) => {
    const world = await startStardust(t)
    const batch = await world.importFile(put(world))
    assert.deepEqual([batch.status, batch.taskCount, batch.importFailCount], [3, 0, 1])
    assert.deepEqual([batch.errors[0]?.uniqueIdentifier, batch.errors[0]?.jsonLine], [null, null])
    assert.match(batch.errors[0]?.error ?? '', error)
    assert.equal(namesOf(await listOf(world)).join(''), names)
  })
}

test('a file that never ends is cut off at 100 MB, and its good lines are kept', async (t) => {
  const world = await startStardust(t)
  function* endless() {
    yield jsonLines([imageRecord('a'), imageRecord('b')])
    for (const filler = Buffer.alloc(1024 * 1024, 'x'); ;) yield filler
  }
  const url = world.files.put('/in', (_, response) => pipeline(Readable.from(endless()), response, () => {}))
  const batch = await world.importFile(url)
  assert.deepEqual([batch.status, batch.taskCount], [3, 2])
  assert.match(batch.errors.at(-1)?.error ?? '', /104857600|100 M/)
  assert.deepEqual(namesOf(await listOf(world)), ['b', 'a'])
})

test('a file of garbage has a bounded list of errors, and a full count', async (t) => {
  const world = await startStardust(t)
  const batch = await world.importFile(
    world.files.put('/in', `${'garbage\n'.repeat(3000)}${jsonLines([imageRecord('a')])}`),
  )
  assert.deepEqual(
    [batch.status, batch.taskCount, batch.importFailCount, batch.errors.length],
    [3, 3001, 3000, 1000],
  )
  assert.deepEqual(namesOf(await listOf(world)), ['a'])
})

test('a file that breaks off is read again after a while, and each of its lines is one task', async (t) => {
  const world = await startStardust(t)
  const whole = jsonLines(Array.from({ length: 250 }, (_, i) => imageRecord(`row-${i}`)))
  let asked = 0
  const url = world.files.put('/in', (_, response) => {
    asked++
    if (asked > 1) return response.end(whole)
    response.writeHead(200, { 'content-length': whole.length })
    // Within a line, which is none until it is whole.
    response.write(whole.slice(0, 30_001), () => response.destroy())
  })
  const batch = await world.importFile(url)
  assert.deepEqual([asked, batch.taskCount, batch.importFailCount], [2, 250, 0])
  assert.equal((await listOf(world)).count, 250)
})

test('a server that is never there is asked four times, and then the import has failed', async (t) => {
  const world = await startStardust(t)
  let asked = 0
  const batch: Batch = await world.importFile(
    world.files.put('/in', (_, response) => {
      asked++
      response.writeHead(503).end()
    }),
  )
  assert.deepEqual([asked, batch.status, batch.importFailCount], [4, 3, 1])
  assert.match(batch.errors[0]?.error ?? '', /503/)
})
