import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupNames, readOptions } from './options.ts'

test('without arguments every group runs in full, on SQLite and from source', () => {
  const { groups, nodes, built, json, sizes } = readOptions([])
  assert.deepEqual(groups, groupNames)
  assert.deepEqual({ nodes, built, json }, { nodes: [], built: false, json: 'bench-results.json' })
  assert.deepEqual(sizes.settled, [100_000, 1_000_000, 5_000_000])
  assert.deepEqual([sizes.minutes, sizes.besiegers], [10, 200])
})

test('--quick makes everything small, and a size that is given stays', () => {
  const { sizes } = readOptions(['--quick', '--waiting', '77'])
  assert.equal(sizes.waiting, 77)
  assert.equal(sizes.rounds, 1)
  assert.equal(sizes.tasks, 2000)
})

test('--profile is one round of load, if nothing else is said', () => {
  const profiled = readOptions(['--profile', 'there'])
  assert.deepEqual([profiled.groups, profiled.sizes.rounds], [['load'], 1])
  const more = readOptions(['--profile', 'there', '--rounds', '2', '--only', 'start,load'])
  assert.deepEqual([more.groups, more.sizes.rounds], [['load', 'start'], 2])
})

const wrong = [
  ['--rounds', '0'],
  ['--rounds', '1,2'],
  ['--size', 'big'],
  ['--nodes', '1,x'],
  ['--only', 'speed'],
  ['--only', 'load,load'],
  ['--minutes', '0'],
  ['--minutes', 'Infinity'],
  ['--rate', '1e9'],
  ['--settled', '5,5'],
  ['--no-such-flag'],
]
for (const args of wrong) {
  test(`${args.join(' ')} is refused`, () => assert.throws(() => readOptions(args)))
}
