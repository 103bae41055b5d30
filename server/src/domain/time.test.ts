import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isoTime } from './time.ts'

test('a time is written as Date writes it, whatever was written before', () => {
  const times = [
    0,
    1,
    999,
    1000,
    -1,
    -1000,
    -1001,
    Date.UTC(2030, 0, 1),
    Date.UTC(2030, 0, 1) + 7,
    253_402_300_800_000,
    -62_198_755_200_000,
  ]
  for (const time of [...times, ...times.toReversed()])
    assert.equal(isoTime(time), new Date(time).toISOString())
  for (const none of [Number.NaN, Infinity, 8.64e15 + 1]) assert.throws(() => isoTime(none), RangeError)
})
