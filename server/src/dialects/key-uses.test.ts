import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyUse } from '../store/store.ts'
import { createKeyUses } from './key-uses.ts'

/** Key uses by a clock that the test moves, over a store that notes its writes and can be made to refuse them. */
function start() {
  const clock = { time: 1000 }
  const writes: KeyUse[][] = []
  const store = { refuses: false }
  const keyUses = createKeyUses({
    now: () => clock.time,
    recordKeyUses: async (uses) => {
      if (store.refuses) throw new Error('no')
      writes.push(uses)
    },
  })
  return { clock, writes, store, ...keyUses }
}

test('the last use of each key is written once, in chunks, and nothing where nothing was used', async () => {
  const { clock, writes, used, flush } = start()
  await flush()
  assert.deepEqual(writes, [])
  used('a')
  clock.time++
  for (const key of ['b', 'a']) used(key)
  await flush()
  await flush()
  assert.deepEqual(writes.splice(0), [
    [
      { id: 'a', last_used_at: 1001 },
      { id: 'b', last_used_at: 1001 },
    ],
  ])
  for (let i = 0; i < 450; i++) used(`key ${i}`)
  await flush()
  assert.deepEqual(
    writes.map(({ length }) => length),
    [200, 200, 50],
  )
})

test('what could not be written is written the next time, unless it was used again', async () => {
  const { clock, writes, store, used, flush } = start()
  for (const key of ['a', 'b']) used(key)
  store.refuses = true
  const flushing = flush()
  clock.time++
  used('a')
  await assert.rejects(flushing)
  store.refuses = false
  await flush()
  assert.deepEqual(writes, [
    [
      { id: 'a', last_used_at: 1001 },
      { id: 'b', last_used_at: 1000 },
    ],
  ])
})

test('no more than ten thousand keys are noted at a time', async () => {
  const { clock, writes, used, flush } = start()
  for (let i = 0; i < 10_001; i++) used(`key ${i}`)
  clock.time++
  used('key 0')
  await flush()
  const written = writes.flat()
  assert.equal(written.length, 10_000)
  assert.deepEqual(written[0], { id: 'key 0', last_used_at: 1001 })
  used('key 10000')
  await flush()
  assert.deepEqual(writes.at(-1), [{ id: 'key 10000', last_used_at: 1001 }])
})
