import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIntake } from './intake.ts'

const at = (destination_id: string, project_id = 'p') => ({ project_id, destination_id })

function setUp(capacity: number) {
  const intake = createIntake(capacity)
  const granted: string[] = []
  const ask = (destination_id: string, bytes: number, project_id = 'p') => {
    const room = intake.enter(at(destination_id, project_id))
    room.ask(bytes, () => granted.push(destination_id))
    return room
  }
  // Microtasks come before what was put off.
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  return { intake, granted, ask, settled }
}

test('room is there later than asked for, and what was waited for comes in the order of asking', async () => {
  const { granted, ask, settled } = setUp(100)
  const first = ask('a', 100)
  assert.deepEqual(granted, [])
  ask('b', 10)
  ask('c', 10)
  await settled()
  assert.deepEqual(granted, ['a'])
  first.leave()
  await settled()
  assert.deepEqual(granted, ['a', 'b', 'c'])
})

test('a destination has half at most, its project two thirds, and something is left for another', async () => {
  const { granted, ask, settled } = setUp(120)
  for (let i = 0; i < 200; i++) ask('hangs', 1)
  await settled()
  assert.equal(granted.length, 60)
  for (let i = 0; i < 200; i++) ask(`hangs-${i}`, 1)
  await settled()
  assert.equal(granted.length, 80)
  ask('well', 1, 'other')
  await settled()
  assert.equal(granted.at(-1), 'well')
})

test('one that is larger than all there is has its turn when there is any', async () => {
  const { granted, ask, settled } = setUp(100)
  const first = ask('a', 1000)
  const second = ask('b', 1000, 'other')
  await settled()
  assert.deepEqual(granted, ['a'])
  first.leave()
  await settled()
  assert.deepEqual(granted, ['a', 'b'])
  second.leave()
  ask('c', 1)
  await settled()
  assert.deepEqual(granted, ['a', 'b', 'c'])
})

test('what an answer did not need is given back when it is whole, the rest when it is done with', async () => {
  const { granted, ask, settled } = setUp(100)
  const room = ask('a', 100)
  ask('b', 60, 'other')
  await settled()
  room.keep(200)
  assert.deepEqual(granted, ['a'])
  room.keep(40)
  await settled()
  assert.deepEqual(granted, ['a', 'b'])
  ask('c', 1, 'third')
  await settled()
  assert.deepEqual(granted, ['a', 'b'])
  room.leave()
  room.leave()
  await settled()
  assert.deepEqual(granted, ['a', 'b', 'c'])
})

test('an answer that broke off while it waited is not served, and the next one of its call is', async () => {
  const { granted, ask, settled } = setUp(100)
  const first = ask('a', 100)
  const room = ask('b', 100)
  room.keep(20)
  room.ask(50, () => granted.push('b again'))
  first.leave()
  await settled()
  assert.deepEqual(granted, ['a', 'b again'])
  room.leave()
  ask('c', 100, 'other')
  await settled()
  assert.deepEqual(granted, ['a', 'b again', 'c'])
})

test('who leaves while waiting is not served', async () => {
  const { granted, ask, settled } = setUp(100)
  const first = ask('a', 100)
  ask('b', 100).leave()
  ask('c', 100)
  first.leave()
  await settled()
  assert.deepEqual(granted, ['a', 'c'])
})
