import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { createClock, until } from './clock.ts'

test('a time that has passed calls back soon, but not synchronously', async () => {
  const clock = createClock(() => 1000)
  let called = false
  const done = until(clock, 500).then(() => (called = true))
  assert.equal(called, false)
  await done
})

test('a timer that fires before its time by the wall clock waits for the rest', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  const clock = createClock(() => now)
  let called = 0
  clock.at(100, () => called++)
  now = 99
  t.mock.timers.tick(100)
  assert.equal(called, 0)
  now = 100
  t.mock.timers.tick(1)
  assert.equal(called, 1)
})

test('a time beyond the longest time-out of Node is waited for in parts', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  const clock = createClock(() => now)
  let called = 0
  clock.at(2 ** 31 + 4, () => called++)
  now = 2 ** 31 - 1
  t.mock.timers.tick(2 ** 31 - 1)
  assert.equal(called, 0)
  now = 2 ** 31 + 4
  t.mock.timers.tick(5)
  assert.equal(called, 1)
})

test('a time that is set back makes nobody wait for longer than he would have', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 3_600_000
  const clock = createClock(() => now)
  let called = 0
  clock.at(now + 100, () => called++)
  now = 0
  t.mock.timers.tick(99)
  assert.equal(called, 0)
  t.mock.timers.tick(1)
  assert.equal(called, 1)
})

test('what is called off is not called', async () => {
  const clock = createClock(() => 0)
  let called = false
  clock.at(0, () => (called = true))()
  await until(clock, 0)
  assert.equal(called, false)
})

test('the manual clock calls back in the order of the times, with each time as now', () => {
  const clock = createManualClock(0)
  const seen: [string, number][] = []
  clock.at(20, () => seen.push(['late', clock.now()]))
  clock.at(10, () => {
    seen.push(['early', clock.now()])
    clock.at(15, () => seen.push(['new', clock.now()]))
  })
  clock.advance(30)
  assert.deepEqual(seen, [
    ['early', 10],
    ['new', 15],
    ['late', 20],
  ])
  assert.equal(clock.now(), 30)
})
