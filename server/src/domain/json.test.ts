import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elements } from './json.ts'

test('the elements of an array are the very texts, without the white space between tokens', () => {
  assert.deepEqual(elements(' [ ] '), [])
  assert.deepEqual(elements('[1.0]'), ['1.0'])
  assert.deepEqual(
    elements('[ 1950000000000000001, "a, ] b\\"", [1, [2]], {"x": "}", "y": [1E400]}, null ]'),
    ['1950000000000000001', '"a, ] b\\""', '[1,[2]]', '{"x":"}","y":[1E400]}', 'null'],
  )
})
