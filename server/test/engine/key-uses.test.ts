// When keys were last used is written by the engine: once a minute, and when it stops.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { createManualClock } from '../support/manual-clock.ts'
import { startEngine, startWorld } from '../support/engine.ts'

test('uses of keys are written once a minute, and when the engine stops', async (t) => {
  const clock = createManualClock()
  const flushes = new EventEmitter()
  const times: number[] = []
  const start = clock.now()
  const first = once(flushes, 'flush')
  const { engine } = await startEngine(t, await startWorld(t, { clock }), {
    async flushKeyUses() {
      times.push(clock.now() - start)
      flushes.emit('flush')
    },
  })
  await first
  for (let minute = 1; minute <= 2; minute++) {
    const next = once(flushes, 'flush')
    await clock.advanceUntil(next, 5000)
  }
  await engine.stop(0)
  const [, second, third] = times
  assert.equal(times.length, 4)
  assert.ok(second! >= 60_000 && second! <= 70_000, String(second))
  assert.ok(third! >= 120_000 && third! <= 140_000, String(third))
})
