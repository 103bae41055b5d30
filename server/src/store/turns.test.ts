import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns } from './turns.ts'

function setUp() {
  const turns = createTurns({ at_once: 2, most_waiting: 100 })
  const begun: string[] = []
  const ends: PromiseWithResolvers<string>[] = []
  const ask = (asker: string | null, name = asker, goes_on = false) =>
    turns({ asker, goes_on }, () => {
      begun.push(String(name))
      const end = Promise.withResolvers<string>()
      ends.push(end)
      return end.promise
    })
  return { ask, begun, ends }
}

test('two run at a time, and of those that wait one of each asker in turn', async () => {
  const { ask, begun, ends } = setUp()
  const asked = [...Array.from({ length: 5 }, (_, i) => ask('many', `many ${i}`)), ask('one'), ask('other')]
  assert.deepEqual(begun, ['many 0', 'many 1'])
  for (let i = 0; i < asked.length; i++) {
    ends[i]!.resolve(`answer ${i}`)
    await Promise.any(asked.slice(i))
    await new Promise(setImmediate)
  }
  assert.deepEqual(begun, ['many 0', 'many 1', 'many 2', 'one', 'other', 'many 3', 'many 4'])
  assert.equal(await asked[5], 'answer 3')
})

test('one that fails makes room for the next', async () => {
  const { ask, begun, ends } = setUp()
  const asked = ['a', 'b', 'c'].map((asker) => ask(asker))
  ends[0]!.reject(new Error('no database'))
  await assert.rejects(asked[0]!, /no database/)
  await new Promise(setImmediate)
  assert.deepEqual(begun, ['a', 'b', 'c'])
})

test('more than a hundred of one asker are refused, and only his, but not what goes on; of the server none', async () => {
  const { ask, begun, ends } = setUp()
  for (let i = 0; i < 200; i++) void ask(null)
  for (let i = 0; i < 100; i++) void ask('many')
  await assert.rejects(ask('many'), { code: 'overloaded' })
  void ask('one')
  void ask('many', 'goes on', true)
  for (let i = 0; i < 500 && !begun.includes('goes on'); i++) {
    ends[i]?.resolve('')
    await new Promise(setImmediate)
  }
  assert.ok(begun.includes('goes on'))
})
