import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestLog } from '../../test/support/log.ts'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { createLoop } from './loop.ts'

/** Everything that can happen without time passing has happened. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A loop whose iterations the test ends one by one. */
function setUp() {
  const clock = createManualClock(0)
  const log = createTestLog()
  const iterations: PromiseWithResolvers<number | null>[] = []
  let begun = Promise.withResolvers<void>()
  const loop = createLoop({
    name: 'test',
    clock,
    log,
    run() {
      const iteration = Promise.withResolvers<number | null>()
      iterations.push(iteration)
      begun.resolve()
      begun = Promise.withResolvers<void>()
      return iteration.promise
    },
  })
  return { clock, log, loop, iterations, begun: () => begun.promise }
}

test('a wake-up during an iteration makes one other follow, never two at once', async () => {
  const { loop, iterations, begun } = setUp()
  loop.start()
  await begun()
  loop.wake()
  loop.wake()
  await quiet()
  assert.equal(iterations.length, 1)
  iterations[0]!.resolve(null)
  await begun()
  iterations[1]!.resolve(null)
  await quiet()
  assert.equal(iterations.length, 2)
})

test('an iteration runs at the time the last one asked for, or at an earlier one asked for since', async () => {
  const { clock, loop, iterations, begun } = setUp()
  loop.start()
  await begun()
  iterations[0]!.resolve(1000)
  await quiet()
  loop.wakeAt(2000)
  loop.wakeAt(300)
  clock.advanceTo(299)
  await quiet()
  assert.equal(iterations.length, 1)
  clock.advanceTo(300)
  assert.equal(iterations.length, 2)
  iterations[1]!.resolve(1000)
  await quiet()
  clock.advanceTo(1000)
  assert.equal(iterations.length, 3)
})

test('an iteration that throws is logged and tried again after growing waits that a wake-up does not cut', async () => {
  const { clock, log, loop, iterations, begun } = setUp()
  loop.start()
  await begun()
  const waits: number[] = []
  for (let failure = 0; failure < 8; failure++) {
    iterations.at(-1)!.reject(new Error('no database'))
    await quiet()
    loop.wake()
    await quiet()
    assert.equal(iterations.length, failure + 1)
    waits.push(clock.waiting()[0]! - clock.now())
    clock.advanceTo(clock.waiting()[0]!)
    assert.equal(iterations.length, failure + 2)
  }
  assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000])
  assert.deepEqual(new Set(log.lines.map(({ message }) => message)), new Set(['loop.failed']))
})

test('stop waits for the iteration under way, and no other follows', async () => {
  const { loop, iterations, begun } = setUp()
  loop.start()
  loop.start()
  await begun()
  let stopped = false
  loop.wake()
  const stopping = loop.stop().then(() => (stopped = true))
  await quiet()
  assert.equal(stopped, false)
  iterations[0]!.resolve(0)
  await stopping
  await loop.stop()
  loop.wake()
  await quiet()
  assert.equal(iterations.length, 1)
})

/** A loop an hour after the clock's beginning whose first iteration has failed just now. */
async function afterFailure() {
  const made = setUp()
  made.clock.advanceTo(3_600_000)
  made.loop.start()
  await made.begun()
  made.iterations[0]!.reject(new Error('no database'))
  await quiet()
  return made
}

test('a wait after a failure is not longer for a clock that is set back meanwhile', async () => {
  const { clock, loop, iterations } = await afterFailure()
  clock.setBack(3_600_000)
  loop.wake()
  clock.advance(5000)
  await quiet()
  assert.equal(iterations.length, 2)
})

test('a wait after a failure is not longer for a clock that is set back later', async () => {
  const { clock, loop, iterations } = await afterFailure()
  clock.advance(100)
  await quiet()
  iterations[1]!.resolve(null)
  await quiet()
  clock.setBack(3_600_000)
  loop.wake()
  await quiet()
  assert.equal(iterations.length, 3)
})
