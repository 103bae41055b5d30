import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gather } from './gather.ts'

test('what one turn of the event loop looks up is asked at once, each key one time', async () => {
  const asked: string[][] = []
  const find = gather(async (keys) => {
    asked.push(keys)
    return new Map(keys.filter((key) => key !== 'none').map((key) => [key, key.toUpperCase()]))
  })
  assert.deepEqual(await Promise.all([find('a'), find('b'), find('none'), find('a')]), [
    'A',
    'B',
    undefined,
    'A',
  ])
  assert.equal(await find('a'), 'A')
  assert.deepEqual(asked, [['a', 'b', 'none'], ['a']])
})

test('a look-up that comes while an answer is under way is asked anew', async () => {
  const answers: PromiseWithResolvers<ReadonlyMap<string, number>>[] = []
  const find = gather(() => {
    const answer = Promise.withResolvers<ReadonlyMap<string, number>>()
    answers.push(answer)
    return answer.promise
  })
  const turn = () => new Promise(setImmediate)
  const first = find('a')
  await turn()
  const second = find('a')
  await turn()
  answers[1]?.resolve(new Map([['a', 2]]))
  answers[0]?.resolve(new Map([['a', 1]]))
  assert.deepEqual([await first, await second], [1, 2])
})

test('a failure reaches those who asked, and nobody after them', async () => {
  let broken = true
  const find = gather(async () => {
    if (broken) throw new Error('away')
    return new Map([['a', 1]])
  })
  await Promise.all([assert.rejects(find('a'), /away/), assert.rejects(find('b'), /away/)])
  broken = false
  assert.equal(await find('a'), 1)
})
