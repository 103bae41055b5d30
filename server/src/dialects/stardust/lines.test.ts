import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { splitLines } from './lines.ts'

async function* chunksOf(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

async function linesOf(text: string, size: number, longest = 100): Promise<string[]> {
  const lines: string[] = []
  for await (const { bytes, cut } of splitLines(chunksOf(text, size), { longest })) {
    lines.push(`${bytes.toString().trim()}${cut ? '…' : ''}`)
  }
  return lines
}

test('lines come out alike however the bytes arrive', async () => {
  const text = '\uFEFF{"a":"ü"}\r\n\n  \n{"b":2}\n\t\r\nlast'
  for (const size of [1, 2, 3, 7, 1000]) {
    assert.deepEqual(await linesOf(text, size), ['{"a":"ü"}', '{"b":2}', 'last'], `pieces of ${size}`)
  }
  assert.deepEqual(await linesOf('', 1), [])
  assert.deepEqual(await linesOf('\n\n \n', 2), [])
})

test('a line that is too long is cut, and the next one is whole', async () => {
  const long = 'x'.repeat(5000)
  for (const size of [1, 64, 10_000]) {
    const lines = await linesOf(`one\n${long}\ntwo\n`, size)
    assert.deepEqual([lines[0], lines[2], lines.length], ['one', 'two', 3])
    assert.match(lines[1] ?? '', /^x{1,400}…$/)
  }
  assert.deepEqual(await linesOf('x'.repeat(100), 9), ['x'.repeat(100)])
})

test('other work goes on between the lines of one piece', async () => {
  const reading = linesOf('\n'.repeat(100_000), 100_000)
  const isOver = async () => (await Promise.race([reading, nextTurn('not yet')])) !== 'not yet'
  let turns = 0
  while (!(await isOver())) turns++
  assert.ok(turns > 100, `${turns} turns`)
})
