import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Batch, WriteOutcome } from './batch.ts'
import { createGroupCommit } from './group-commit.ts'

const KIB = 1024

/** Writes that are asked for while a first batch is under way; gives the batches in which the rest is committed. */
async function batchesOf(
  writes: readonly (readonly [
    name: string,
    bytes: number,
    options?: { task?: string; patient?: boolean; asker?: string },
  ])[],
) {
  const batches: unknown[][] = []
  const first = Promise.withResolvers<void>()
  const driver = {
    concurrency: 1,
    batchWrites: 4,
    async write(batch: Batch): Promise<WriteOutcome[]> {
      await first.promise
      batches.push(batch.writes.map(({ input }) => input))
      return batch.writes.map(({ input }) => ({ ok: true, value: input }))
    },
  }
  const commits = createGroupCommit({ driver, now: () => 0, owner: 'o' })
  const write = (...[name, bytes, { task, patient = false, asker } = {}]: (typeof writes)[number]) =>
    commits.write({
      verb: 'amendTask',
      asker: asker ?? null,
      task_ids: task === undefined ? [] : [task],
      bytes,
      patient,
      prepare: () => name,
    })
  const asked = [write('first', 1)]
  await new Promise(setImmediate)
  for (const args of writes) asked.push(write(...args))
  const ends = Promise.allSettled(asked)
  first.resolve()
  const refused = (await ends).flatMap((end, i) => (end.status === 'rejected' ? writes[i - 1]![0] : []))
  return { batches: batches.slice(1), refused }
}

test('writes that wait are committed together, those of one task one after the other', async () => {
  const { batches } = await batchesOf([
    ['a', 1, { task: 't' }],
    ['b', 1, { task: 't' }],
    ['c', 1, { task: 'u' }],
    ['d', 1],
    ['e', 1],
    ['f', 1],
  ])
  assert.deepEqual(batches, [
    ['a', 'c', 'd', 'e'],
    ['b', 'f'],
  ])
})

test('small writes pass large ones that are too many for a batch, but for those of their task', async () => {
  const { batches } = await batchesOf([
    ['large 1', 3000 * KIB, { task: 't' }],
    ['large 2', 3000 * KIB, { task: 'u' }],
    ['large 3', 9000 * KIB],
    ['behind 2', 1, { task: 'u' }],
    ['small 1', 16 * KIB],
    ['small 2', 1],
  ])
  assert.deepEqual(batches, [['large 1', 'small 1', 'small 2'], ['large 2'], ['large 3', 'behind 2']])
})

test('patient writes are passed by all others, but for a quarter of each batch', async () => {
  const patient = Array.from({ length: 5 }, (_, i) => [`patient ${i}`, 1, { patient: true }] as const)
  const prompt = Array.from({ length: 5 }, (_, i) => [`prompt ${i}`, 1] as const)
  const { batches } = await batchesOf([...patient, ...prompt])
  assert.deepEqual(batches, [
    ['patient 0', 'prompt 0', 'prompt 1', 'prompt 2'],
    ['patient 1', 'prompt 3', 'prompt 4', 'patient 2'],
    ['patient 3', 'patient 4'],
  ])
})

test('a patient write and another of its task are never in one batch', async () => {
  const { batches } = await batchesOf([
    ['patient 1', 1, { task: 't', patient: true }],
    ['patient 2', 1, { task: 'u', patient: true }],
    ['prompt 1', 1, { task: 't' }],
    ['prompt 2', 1, { task: 'u' }],
  ])
  assert.deepEqual(batches, [
    ['patient 1', 'prompt 2'],
    ['patient 2', 'prompt 1'],
  ])
})

test('projects take turns where more wait than go into a batch', async () => {
  const of = (asker: string, count: number) =>
    Array.from({ length: count }, (_, i) => [`${asker} ${i}`, 1, { asker }] as const)
  const { batches } = await batchesOf([...of('a', 6), ...of('b', 1), ...of('c', 2)])
  assert.deepEqual(batches, [['a 0', 'b 0', 'c 0', 'a 1'], ['c 1', 'a 2', 'a 3', 'a 4'], ['a 5']])
})

test('what is large leaves room in the queue for what is small', async () => {
  const large = Array.from({ length: 9 }, (_, i) => [`large ${i}`, 8000 * KIB] as const)
  const { refused } = await batchesOf([...large, ['small', 16 * KIB]])
  assert.deepEqual(refused, ['large 8'])
})
