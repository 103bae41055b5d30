import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { createRounds } from './rounds.ts'

test('a round begins within its time though the clock was set back', async () => {
  const clock = createManualClock(3_600_000)
  let steps = 0
  const step = () => {
    steps++
    return Promise.resolve(null)
  }
  const run = createRounds({ step, clock, every_ms: 1000, pause_ms: 10, first_ms: 0 })
  await run()
  clock.setBack(3_600_000)
  clock.advanceTo(await run())
  await run()
  assert.deepEqual([steps, clock.now()], [2, 1000])
})

test('a round goes chunk by chunk with pauses, and begins again at the start of the table', async () => {
  const clock = createManualClock(0)
  const steps: [number, string][] = []
  const nexts = ['b', 'c', null, 'b']
  const run = createRounds({
    step(after) {
      steps.push([clock.now(), after])
      return Promise.resolve(nexts.shift() ?? null)
    },
    clock,
    every_ms: 1000,
    pause_ms: 10,
    first_ms: 500,
  })
  for (let i = 0; i < 5; i++) clock.advanceTo(await run())
  assert.deepEqual(steps, [
    [500, ''],
    [510, 'b'],
    [520, 'c'],
    [1520, ''],
  ])
})
