import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyText, headerRecord } from './answer.ts'

test('headers are joined when repeated, and cookies are hidden', () => {
  assert.deepEqual(headerRecord({ 'x-a': '1', 'x-b': ['2', '3'], 'set-cookie': ['a=secret', 'b=secret'] }), {
    'x-a': '1',
    'x-b': '2, 3',
    'set-cookie': '(hidden)',
  })
  assert.deepEqual(headerRecord({ 'set-cookie': 'a=secret' }), { 'set-cookie': '(hidden)' })
})

test('a body is read as UTF-8 across chunks; NUL and invalid bytes are replaced', () => {
  const euro = Buffer.from('€')
  assert.equal(bodyText([], 10), '')
  assert.equal(bodyText([euro.subarray(0, 1), euro.subarray(1)], 10), '€')
  assert.equal(bodyText([Buffer.from('a\0b')], 10), 'a\uFFFDb')
  assert.equal(bodyText([Buffer.from([0x61, 0xff, 0x62])], 10), 'a\uFFFDb')
})

test('a body over the limit is cut to it, without half a character', () => {
  assert.equal(bodyText([Buffer.from('abc'), Buffer.from('def')], 4), 'abcd')
  assert.equal(bodyText([Buffer.from('ab€')], 4), 'ab')
})
