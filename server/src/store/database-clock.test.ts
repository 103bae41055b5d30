import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabaseClock } from './database-clock.ts'

test('a step of the machine’s own clock moves nothing', async (t) => {
  const clock = await createDatabaseClock(async () => 5_000_000)
  const before = clock.now()
  assert.ok(Math.abs(before - 5_000_000) < 1000)
  const stepped = Date.now() + 240_000
  t.mock.method(Date, 'now', () => stepped)
  assert.ok(clock.now() - before < 1000)
})

test('the quickest of three answers sets the clock, and what lies within its time does not', async () => {
  let own = 0
  const answers: [took_ms: number, time: number][] = []
  const clock = await createDatabaseClock(
    async () => {
      const [took_ms, time] = answers.shift() ?? [2, own + 1001]
      own += took_ms
      return time
    },
    () => own,
  )
  assert.equal(clock.now() - own, 1000)
  answers.push([50, 9_000_000], [10, own + 50 + 5 + 1004], [40, 1])
  await clock.set()
  assert.equal(clock.now() - own, 1000)
  answers.push([50, 9_000_000], [10, own + 50 + 5 + 2000], [40, 1])
  await clock.set()
  assert.equal(clock.now() - own, 2000)
})
