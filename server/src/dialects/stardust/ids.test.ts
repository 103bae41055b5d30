import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeOfId } from '../../domain/id.ts'
import { batchIdAt, lineIds, MOST_LINES, timeOfBatch } from './ids.ts'

const now = Date.UTC(2026, 2, 2)
const scope = { project_id: 'p', mode: 'live' } as const

test('the tasks of a batch have ids that follow from it, sort by line, and meet no other batch', () => {
  const batch = batchIdAt(now)
  assert.match(batch, /^\d{19}$/)
  assert.equal(timeOfBatch(batch), now)
  const lines = [1, 2, 63, 64, 255, 256, 4095, 65_536, MOST_LINES - 1, MOST_LINES]
  const all = lines.map((line) => lineIds(scope, batch, line))
  assert.deepEqual(
    all.map(({ id }) => timeOfId(id)),
    lines.map(() => now),
  )
  const ids = all.map(({ id }) => id)
  assert.deepEqual(ids.toSorted(), ids)
  assert.deepEqual(lineIds(scope, batch, 64), all[3])
  assert.equal(all[0]?.external_id, (BigInt(batch) + 1n).toString())
  assert.ok(BigInt(all.at(-1)?.external_id ?? 0) < BigInt(batchIdAt(now + 1)))
})

test('two projects, or modes, with a batch of one millisecond have tasks of their own', () => {
  const ids = [scope, { ...scope, project_id: 'q' }, { ...scope, mode: 'test' } as const].map(
    (each) => lineIds(each, batchIdAt(now), 7).id,
  )
  assert.equal(new Set(ids).size, 3)
})
