// Batches that are worked on after their request: inputs in a file, and more inputs than a request waits for.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { printNewBatch } from '../../src/dialects/superai/new-batch.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { app, startSuperai, type Job } from './superai-platform.ts'

type Batch = {
  batch_total: number
  total_processed: number
  valid_count: number
  invalid_index: number | null
  batch_processed: boolean
  error_message: string | null
}

/** A platform, and a server that answers each request for a file by the next of these, and by the last from then on. */
async function startFiles(t: TestContext, ...answers: ((response: ServerResponse) => void)[]) {
  const platform = await startSuperai(t)
  let requests = 0
  const { url } = await using(
    t,
    startReceiver((_request, response) => answers[Math.min(requests++, answers.length - 1)]!(response)),
  )
  const { ask, clock, create, store, project } = platform
  const batch = (id: string) => ask<Batch>('GET', `/apps/${app}/batches/${id}`)
  return {
    ...platform,
    requests: () => requests,
    batch,
    createFrom: (json: Record<string, unknown> = {}) =>
      create({ inputs: undefined, inputsFileUrl: `${url}/inputs.json`, ...json }),
    /** The batch once nothing more is done to it. */
    processed: async (id: string): Promise<Batch> => {
      for (;;) {
        const found = await batch(id)
        if (found.batch_processed) return found
        const record = await store.findRecord({ project_id: project.id, mode: 'live' }, 'ingest', id)
        if (record?.due_at != null && record.due_at > clock.now()) clock.advance(1000)
        await new Promise(setImmediate)
      }
    },
    jobs: async (batch_id: string): Promise<Job[]> => {
      const { jobs } = await ask<{ jobs: Job[] }>('GET', `/apps/${app}/jobs?batchId=${batch_id}&size=1000`)
      return jobs
    },
  }
}

const text = (body: string) => (response: ServerResponse) => void response.end(body)
const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end('no')

test('A file’s inputs become jobs digit by digit, and its bad ones are told by the batch', async (t) => {
  const { createFrom, processed, request, jobs, hook } = await startFiles(
    t,
    text('\uFEFF[{"n": 1950000000000000001}, 5, {"a":"\\u0000"}, {"n": 1E400}]'),
  )
  const { batch_id } = await createFrom({ tags: ['file'], metadata: { m: 1 } })
  const batch = await processed(batch_id)
  assert.deepEqual(
    [batch.batch_total, batch.total_processed, batch.valid_count, batch.invalid_index, batch.error_message],
    [4, 4, 2, 1, 'inputs[1]: must be an object'],
  )
  const made = await jobs(batch_id)
  assert.deepEqual(
    made.map(({ tags, metadata, callbackUrl }) => [tags, metadata, callbackUrl]),
    Array.from({ length: 2 }, () => [['file'], { m: 1 }, hook]),
  )
  const shown = await Promise.all(made.map(({ uuid }) => request('GET', `/jobs/${uuid}`)))
  assert.match(shown[0]!.text, /"input":\{"n":1950000000000000001\}/)
  assert.match(shown[1]!.text, /"input":\{"n":1E400\}/)
})

function* spaces() {
  for (;;) yield Buffer.alloc(65_536, ' ')
}

const faults: [name: string, answer: (response: ServerResponse) => void, said: RegExp][] = [
  ['is missing', status(404), /404/],
  ['is no JSON', text('<html>'), /not JSON/],
  ['is no array', text('{"inputs":[]}'), /must hold a JSON array/],
  ['is no text', (response) => void response.end(Buffer.from([0xff, 0xfe, 0x5b])), /not UTF-8/],
  ['is too large', text(`[${' '.repeat(4 * 1024 * 1024)}]`), /4194304|4 MiB|bytes/],
  ['never ends', (response) => void pipeline(Readable.from(spaces()), response, () => {}), /bytes/],
  [
    'leads into our own network',
    (response) => void response.writeHead(302, { location: 'http://169.254.1.1/' }).end(),
    /not public/,
  ],
]
for (const [name, answer, said] of faults) {
  test(`A file that ${name} is told by its batch, which has no jobs`, async (t) => {
    const { createFrom, processed, requests, jobs } = await startFiles(t, answer)
    const { batch_id } = await createFrom()
    const batch = await processed(batch_id)
    assert.match(batch.error_message ?? '', said)
    assert.match(batch.error_message ?? '', /^inputsFileUrl: /)
    assert.deepEqual([batch.batch_total, batch.valid_count, requests()], [0, 0, 1])
    assert.deepEqual(await jobs(batch_id), [])
  })
}

test('A file that cannot be had at first is asked for again, and given up after the fourth time', async (t) => {
  const late = await startFiles(t, status(503), status(500), text('[{}]'))
  const batch = await late.createFrom()
  assert.equal((await late.processed(batch.batch_id)).valid_count, 1)
  assert.equal(late.requests(), 3)
  const never = await startFiles(t, status(503))
  const other = await never.createFrom()
  assert.match((await never.processed(other.batch_id)).error_message ?? '', /503/)
  assert.equal(never.requests(), 4)
})

test('A list of metadata that does not fit the file makes no jobs', async (t) => {
  const { createFrom, processed } = await startFiles(t, text('[{},{},{}]'))
  const { batch_id } = await createFrom({ metadata: [{}] })
  assert.match((await processed(batch_id)).error_message ?? '', /as long as the inputs, 3 and not 1/)
})

test('More inputs than a request waits for become jobs afterwards, in their order', async (t) => {
  const { create, processed, batch, ask, jobs } = await startFiles(t, text('[]'))
  const { batch_id } = await create({ inputs: Array.from({ length: 250 }, (_, n) => ({ n })) })
  assert.equal((await batch(batch_id)).batch_total, 250)
  assert.equal((await processed(batch_id)).valid_count, 250)
  assert.deepEqual(
    (await jobs(batch_id)).map(({ input }) => (input as { n: number }).n),
    Array.from({ length: 250 }, (_, n) => n),
  )
  assert.deepEqual((await ask<{ batches: unknown[] }>('GET', `/apps/${app}/batches`)).batches, [])
})

test('A batch whose process died before its jobs were made is finished by another after a minute', async (t) => {
  const { store, project, clock, batch, processed, jobs } = await startFiles(t, text('[]'))
  const batch_id = '01a1fe84-8dbb-7035-b577-4f2225dd2a93'
  const inputs = ['{"n":0}', '{"n":1}']
  const given = { app, callback_url: null, metadata: null, tags: [], parked: false, file_url: null }
  const now = clock.now()
  await store.insertRecord({
    project_id: project.id,
    mode: 'live',
    kind: 'ingest',
    key: batch_id,
    body: printNewBatch({ ...given, inputs, failures: 0 }),
    created_at: now,
    updated_at: now,
    due_at: now + 60_000,
    expires_at: null,
    version: 1,
  })
  const { batch_total, total_processed, batch_processed } = await batch(batch_id)
  assert.deepEqual([batch_total, total_processed, batch_processed], [2, 0, false])
  assert.equal((await processed(batch_id)).valid_count, 2)
  assert.ok(clock.now() >= now + 60_000)
  assert.equal((await jobs(batch_id)).length, 2)
})

test('Batches that jobs are still made of are listed, those of other apps are not', async (t) => {
  const { ask, createFrom, processed } = await startFiles(t, status(503), text('[{}]'))
  const { batch_id } = await createFrom()
  const listed = async (of: string) => {
    const { batches, total } = await ask<{ batches: { batch_id: string }[]; total: number }>(
      'GET',
      `/apps/${of}/batches`,
    )
    return [batches.map((batch) => batch.batch_id), total]
  }
  assert.deepEqual(await listed(app), [[batch_id], 1])
  assert.deepEqual(await listed('11111111-2222-3333-4444-555555555555'), [[], 0])
  await processed(batch_id)
  assert.deepEqual(await listed(app), [[], 0])
})
