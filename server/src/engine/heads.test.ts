import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHeads } from './heads.ts'

test('what is too large is known for a second from when it was seen last', () => {
  let now = 0
  const heads = createHeads(() => now)
  heads.note('a', 1)
  now = 500
  heads.note('b', 2)
  assert.deepEqual([heads.ids(), heads.bytesOf('a'), heads.bytesOf('c')], [['a', 'b'], 1, null])
  now = 999
  heads.note('b', 3)
  now = 1000
  assert.deepEqual([heads.bytesOf('a'), heads.bytesOf('b'), heads.ids()], [null, 3, ['b']])
  now = 1999
  assert.deepEqual(heads.ids(), [])
})

test('of very many those seen first are forgotten', () => {
  const heads = createHeads(() => 0)
  for (let i = 0; i < 5001; i++) heads.note(`d${i}`, i)
  const ids = heads.ids()
  assert.deepEqual([ids.length, ids[0], heads.bytesOf('d0')], [5000, 'd1', null])
})
