import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costliest, type Profile } from './profiles.ts'

const node = (id: number, functionName: string, url = 'node:net', lineNumber = 9) => ({
  id,
  callFrame: { functionName, url, lineNumber },
})

const profile: Profile = {
  nodes: [
    node(1, '(idle)', ''),
    node(2, 'write'),
    node(3, 'parse'),
    node(4, 'write'),
    node(5, '(garbage collector)', '', -1),
    node(6, 'never'),
    node(7, '(program)', ''),
  ],
  samples: [1, 2, 3, 4, 5, 7, 2],
  timeDeltas: [1000, 100, 300, 200, 250, 5000, 150],
}

test('own time is a share of the busy time, and a function called from two places counts once', () => {
  const { busy_ms, costs } = costliest(profile, 10)
  assert.equal(busy_ms, 1)
  assert.deepEqual(costs, [
    { name: 'write', at: 'node:net:10', share: 0.45 },
    { name: 'parse', at: 'node:net:10', share: 0.3 },
    { name: '(garbage collector)', at: '', share: 0.25 },
  ])
})

test('no more functions are given than asked for', () => {
  assert.deepEqual(
    costliest(profile, 1).costs.map(({ name }) => name),
    ['write'],
  )
})

test('a thread that did nothing has no costs', () => {
  assert.deepEqual(costliest({ ...profile, samples: [1], timeDeltas: [1000] }, 10), {
    busy_ms: 0,
    costs: [],
  })
})
