import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isJson, scanJson } from './json-check.ts'

const PIECES =
  String.raw`{ } [ ] , : " "a" "\ \u00 \u0041 u \n \x - 0 01 1 . .5 e E+ e-1 1e5 true false null nul é`
    .split(' ')
    .concat([' ', '\n', '\t', '\r', '\f', '\u0000', '\u001f', '\u00a0', '\ufeff'])

test('says of every text what JSON.parse says', () => {
  // With so few names `isJson` is JSON.parse. Near-misses: pieces of JSON in any order, and valid texts with one piece changed.
  const piece = fc.constantFrom(...PIECES)
  const pieces = fc.array(piece, { maxLength: 12 }).map((all) => all.join(''))
  const changed = fc.tuple(fc.json(), fc.nat(), fc.nat({ max: 2 }), piece).map(([text, at, cut, put]) => {
    const start = at % (text.length + 1)
    return text.slice(0, start) + put + text.slice(start + cut)
  })
  const texts = fc.oneof(
    pieces,
    changed,
    fc.json(),
    fc.string(),
    fc.json().map((text) => ` ${text}\n`),
  )
  fc.assert(
    fc.property(texts, (text) => scanJson(text) === isJson(text)),
    { numRuns: 20_000, seed: 1 },
  )
})

test('bears any depth and length', () => {
  assert.equal(scanJson('['.repeat(500_000) + ']'.repeat(500_000)), true)
  assert.equal(scanJson('['.repeat(500_000)), false)
  assert.equal(scanJson(`"${'\\u0041'.repeat(200_000)}"`), true)
  assert.equal(scanJson('1'.repeat(1_000_000)), true)
  assert.equal(scanJson(''), false)
})

test('texts with many names are judged like those with few', () => {
  const names = Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join(',')
  assert.deepEqual([`{${names}}`, `{${names},}`, '{"a":1}', '{"a":1,}'].map(isJson), [
    true,
    false,
    true,
    false,
  ])
})
