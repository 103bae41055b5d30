import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clock, cut, printable, span, when, withoutPassword } from './words.ts'

const now = Date.UTC(2030, 0, 1, 12)

test('a text for the terminal keeps no control character', () => {
  const hostile = '\u001b[2J\u009b31m\rgone\n\u0007{"ü":"日本"}\u007f'
  assert.equal(printable(hostile), '\\u001b[2J\\u009b31m\\u000dgone\\u000a\\u0007{"ü":"日本"}\\u007f')
})

test('a wait is said with its length and its time of day', () => {
  assert.equal(when(now + 4800, now), 'in 4.8 s, at 12:00:04.800 UTC')
  assert.equal(when(now - 1, now), 'now')
  assert.equal(clock(now), '12:00:00.000')
})

test('a length of time is rounded to what one would say', () => {
  const lengths = [3, 999, 9949, 65_000, 600_000, 86_400_000, 604_800_000]
  assert.deepEqual(lengths.map(span), ['3 ms', '999 ms', '9.9 s', '65 s', '10 min', '24 h', '7 days'])
})

test('a long text is cut, and says how long it was', () => {
  assert.equal(cut('abc', 3), 'abc')
  assert.equal(cut('abcd', 3), 'abc… (4 characters)')
})

test('a URL loses its password, a mail address stays', () => {
  assert.equal(withoutPassword('https://me:secret@a.example/hook?x=1'), 'https://a.example/hook?x=1')
  assert.equal(withoutPassword('https://a.example/%7Ehook'), 'https://a.example/%7Ehook')
  assert.equal(withoutPassword('me@a.example'), 'me@a.example')
})
