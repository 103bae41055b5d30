import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columnsOf, fit, screenOf, wrap } from './screen.ts'

test('colours are for terminals, and never with NO_COLOR', () => {
  const terminal = { isTTY: true, columns: 40 }
  const painted = (stream: object, env = {}) => screenOf(stream, env).paint('green', 'yes')
  assert.equal(painted(terminal), '\u001B[32myes\u001B[39m')
  assert.equal(painted(terminal, { NO_COLOR: '' }), '\u001B[32myes\u001B[39m')
  assert.equal(painted(terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }), 'yes')
  assert.equal(painted(terminal, { TERM: 'dumb' }), 'yes')
  assert.equal(painted({}, { FORCE_COLOR: '1' }), 'yes')
})

test('a terminal says its width, COLUMNS that of a pipe, and without both nothing is fitted', () => {
  assert.equal(screenOf({ isTTY: true, columns: 40 }, { COLUMNS: '80' }).width, 40)
  assert.equal(screenOf({}, { COLUMNS: '80' }).width, 80)
  assert.equal(screenOf({}, {}).width, Number.POSITIVE_INFINITY)
  assert.equal(screenOf({}, { COLUMNS: 'wide' }).width, Number.POSITIVE_INFINITY)
})

test('wide and combining characters count as the columns they take', () => {
  assert.equal(columnsOf('cat'), 3)
  assert.equal(columnsOf('你好'), 4)
  assert.equal(columnsOf('e\u0301'), 1)
  assert.equal(columnsOf('🎉'), 2)
  assert.equal(fit('你好吗', 5), '你好…')
  assert.equal(fit('cat', 3), 'cat')
})

test('lines break between words, and inside a word that is longer than a line', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three'])
  assert.deepEqual(wrap('a 0123456789 b', 4), ['a', '0123', '4567', '89 b'])
  assert.deepEqual(wrap('你好', 1), ['你', '好'])
  assert.deepEqual(wrap('', 10), [''])
})
