import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseWallTime, wallDate, wallTime } from './wall-time.ts'

test('a time is written and read in the local zone', () => {
  const time = new Date(2026, 2, 2, 17, 0, 5).getTime()
  assert.equal(wallTime(time + 999), '2026-03-02 17:00:05')
  assert.equal(wallDate(time), '2026-03-02')
  assert.equal(parseWallTime('2026-03-02 17:00:05'), time)
  assert.equal(parseWallTime('2026-03-02T17:00:05'), time)
  assert.equal(parseWallTime('2026-03-02'), new Date(2026, 2, 2).getTime())
})

test('what is no date, or does not exist, is not read', () => {
  for (const text of [
    '',
    'today',
    '2026-3-2',
    '2026-02-30',
    '2026-13-01',
    '2026-03-02 25:00:00',
    '1767225600',
  ]) {
    assert.equal(parseWallTime(text), undefined, text)
  }
})
