import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { newId, newProject, openTestStore } from '../../../test/support/store.ts'
import { ingest } from './ingest.ts'
import { batchLabel } from './job.ts'
import { parseNewBatch, printNewBatch, type NewBatch } from './new-batch.ts'
import { createNumbers } from './numbers.ts'

async function startStore(t: TestContext) {
  const store = await openTestStore()
  t.after(() => store.close())
  const project = newProject()
  await store.createProject({ project, keys: [], secrets: [] })
  return { store, project, scope: { project_id: project.id, mode: 'live' as const } }
}

const batchOf = (inputs: string[]): NewBatch & { inputs: string[] } => ({
  app: 'app',
  callback_url: null,
  metadata: null,
  tags: [],
  parked: false,
  inputs,
  file_url: null,
  failures: 0,
})

test('a batch that was interrupted, or that two processes work on, makes one job of each input', async (t) => {
  const { store, project, scope } = await startStore(t)
  const batch = batchOf(Array.from({ length: 250 }, (_, n) => (n === 7 ? '7' : `{"n":${n}}`)))
  const batch_id = newId()
  const stopping = new AbortController()
  const begin = (signal?: AbortSignal) =>
    ingest(
      {
        store,
        numbers: createNumbers(store),
        newId() {
          if (signal !== undefined) stopping.abort()
          return newId()
        },
      },
      { scope, project, batch_id },
      batch,
      signal,
    )
  const count = () => store.countTasks(scope, { labels: [[batchLabel(batch_id)]] }, 1000)
  await assert.rejects(begin(stopping.signal), { name: 'AbortError' })
  assert.equal(await count(), 99)
  const [one, other] = await Promise.all([begin(), begin()])
  assert.equal(await count(), 249)
  assert.deepEqual(one, other)
  const { first_uuid, ...told } = one
  assert.deepEqual(told, {
    total: 250,
    valid: 249,
    invalid_index: 7,
    error_message: 'inputs[7]: must be an object',
  })
  assert.equal((await store.findTask(scope, first_uuid ?? ''))?.params, '{"n":0}')
})

test('a batch comes out of its record as it went in', () => {
  const batch = { ...batchOf(['{"n":1E400}', '"]"']), metadata: '[{"a":1.0},null]', tags: ['"'] }
  assert.deepEqual(parseNewBatch(printNewBatch(batch)), batch)
  const inFile = { ...batch, inputs: null, file_url: 'https://files.test/', metadata: null, failures: 2 }
  assert.deepEqual(parseNewBatch(printNewBatch(inFile)), inFile)
})

test('numbers are given once, whoever asks for how many at a time', async (t) => {
  const { store, scope } = await startStore(t)
  const sources = Array.from({ length: 3 }, () => createNumbers(store))
  const taken = await Promise.all(
    sources.flatMap((numbers) => Array.from({ length: 150 }, () => numbers.take(scope, 'job'))),
  )
  assert.equal(new Set(taken).size, 450)
  assert.equal(await sources[0]?.take(scope, 'operation'), '1')
  assert.equal(await sources[0]?.take({ ...scope, mode: 'test' }, 'job'), '1')
})

test('numbers are given again after the store has failed', async (t) => {
  const { store, scope } = await startStore(t)
  let failures = 1
  const numbers = createNumbers({
    ...store,
    findRecord: (...name) => (failures-- > 0 ? Promise.reject(new Error('away')) : store.findRecord(...name)),
  })
  await assert.rejects(numbers.take(scope, 'job'), /away/)
  assert.equal(await numbers.take(scope, 'job'), '1')
})
