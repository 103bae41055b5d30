import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastOf, listOf, pageOf, rangeOf, timeOf } from './query.ts'

const times: [text: string, iso: string][] = [
  ['2026-03-02', '2026-03-02T00:00:00.000Z'],
  ['2026-03-02T09:00:00.120Z', '2026-03-02T09:00:00.120Z'],
  ['2026-03-02T09:00:00.120999', '2026-03-02T09:00:00.120Z'],
  ['2026-03-02 09:00:00.120999', '2026-03-02T09:00:00.120Z'],
  ['2026-03-02T09:00', '2026-03-02T09:00:00.000Z'],
  ['2026-03-02T09:00:00+02:00', '2026-03-02T07:00:00.000Z'],
  ['2026-03-02T09:00:00 02:00', '2026-03-02T07:00:00.000Z'],
  ['2026-03-02T09:00:00-0230', '2026-03-02T11:30:00.000Z'],
  ['2026-03-02t09:00:00z', '2026-03-02T09:00:00.000Z'],
]

test('a time is a date or ISO 8601, and UTC unless it says otherwise', () => {
  for (const [text, iso] of times) {
    assert.equal(new Date(timeOf({ t: text }, 't') ?? 0).toISOString(), iso, text)
  }
  for (const t of ['yesterday', '2026-13-01', '1700000000', '2026-03-02T25:00:00Z', '2026-03-02T09']) {
    assert.throws(() => timeOf({ t }, 't'), { code: 'invalid_request', message: /^t: must be a time/ }, t)
  }
})

test('both ends of a range belong to it, and one that is not given has no bound', () => {
  assert.deepEqual(rangeOf({ from: '1970-01-01', to: '1970-01-02' }, 'from', 'to'), {
    from: 0,
    to: 86_400_001,
  })
  assert.deepEqual(rangeOf({ from: '', other: 'x' }, 'from', 'to'), { from: undefined, to: undefined })
})

test('a key may come more than once, or without a value, which is not given', () => {
  assert.deepEqual(listOf({ a: ['1', '', '2'] }, 'a'), ['1', '2'])
  assert.deepEqual(listOf({ a: '' }, 'a'), [])
  assert.equal(lastOf({ a: ['1', '2'] }, 'a'), '2')
  assert.equal(lastOf({}, 'a'), undefined)
})

test('a page has 100 rows from the first on, unless told otherwise within bounds', () => {
  assert.deepEqual(pageOf({ limit: '' }), { limit: 100, offset: 0 })
  assert.deepEqual(pageOf({ limit: '3', offset: '7' }), { limit: 3, offset: 7 })
  for (const query of [
    { limit: '0' },
    { limit: '101' },
    { limit: '1.5' },
    { offset: '-1' },
    { offset: 'x' },
  ]) {
    assert.throws(() => pageOf(query), { code: 'invalid_request', message: /whole number/ })
  }
})
