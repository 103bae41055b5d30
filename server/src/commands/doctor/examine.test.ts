import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok, warn, type Check } from '../../domain/finding.ts'
import { screenOf } from '../screen.ts'
import { examine, lineOf, sumUp } from './examine.ts'

const checks: Check[] = [
  { name: 'clock', run: () => ok('it runs') },
  {
    name: 'broken',
    run() {
      throw new Error('no such thing')
    },
  },
  { name: 'disk space', run: async () => warn('1 MiB is free', 'make room') },
]

test('a check that throws is a failure among the others', async () => {
  const told: string[] = []
  const examined = await examine(checks, ({ name }) => void told.push(name))
  assert.deepEqual(told, ['clock', 'broken', 'disk space'])
  assert.deepEqual(examined[1], {
    name: 'broken',
    level: 'fail',
    found: 'could not be checked: no such thing',
    remedy: null,
  })
})

test('each finding is one line, and below its name where there is little room', async () => {
  const examined = await examine(checks, () => {})
  const lines = (env = {}) => examined.map(lineOf(checks, screenOf({}, env)))
  assert.deepEqual(lines(), [
    'ok    clock       it runs',
    'fail  broken      could not be checked: no such thing',
    'warn  disk space  1 MiB is free → make room',
  ])
  assert.deepEqual(lines({ COLUMNS: '20' })[2], 'warn  disk space\n  1 MiB is free →\n  make room')
})

test('the end says how many warn', () => {
  const fine = { name: 'clock', ...ok('it runs') }
  const odd = { name: 'disk', ...warn('little', 'make room') }
  assert.equal(sumUp([fine]), 'All is well.')
  assert.equal(sumUp([fine, odd]), 'Nothing failed; 1 check warns.')
  assert.equal(sumUp([odd, odd]), 'Nothing failed; 2 checks warn.')
})
