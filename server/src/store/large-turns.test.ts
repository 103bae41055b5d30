import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLargeTurns } from './large-turns.ts'

function setUp() {
  let clock = 0
  const begun: string[] = []
  const ends: (() => void)[] = []
  const look = createLargeTurns<number>({ bytesOf: (bytes) => bytes, now: () => clock })
  const ask = (asker: string, bytes: number) =>
    look(asker, () => {
      begun.push(asker)
      const { promise, resolve } = Promise.withResolvers<number>()
      ends.push(() => resolve(bytes))
      return promise
    })
  const endAll = async (asked: Promise<number>[]) => {
    for (const end of ends.splice(0)) end()
    await Promise.all(asked)
  }
  return { ask, begun, ends, endAll, wait: (ms: number) => (clock += ms) }
}

test('whoever had a large one has two at a time, and the others wait for nobody', async () => {
  const { ask, begun, ends, endAll } = setUp()
  await endAll([ask('large', 100_000)])
  begun.length = 0
  const asked = Array.from({ length: 4 }, () => ask('large', 100_000))
  asked.push(ask('small', 10), ask('small', 10), ask('small', 10))
  assert.deepEqual(begun, ['large', 'large', 'small', 'small', 'small'])
  ends[0]!()
  await asked[0]
  await new Promise(setImmediate)
  assert.equal(begun.at(-1), 'large')
  await endAll(asked.slice(1, 3))
  await endAll(asked)
})

test('a second without a large one, and all are read straight away again', async () => {
  const { ask, begun, endAll, wait } = setUp()
  await endAll([ask('a', 100_000)])
  wait(1000)
  const asked = [ask('a', 10), ask('a', 10), ask('a', 10)]
  assert.equal(begun.length, 4)
  await endAll(asked)
  assert.equal(await Promise.race([ask('a', 10), Promise.resolve('under way')]), 'under way')
})
