import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resultOf, resultTables } from './results.ts'

test('a result has the medians of what its rounds measured, and the rounds', () => {
  const rounds = [
    { per_s: 30, p50_ms: 2 },
    { per_s: 10, p50_ms: 4 },
    { per_s: 20, p50_ms: 3 },
  ]
  assert.deepEqual(resultOf({ group: 'load', scenario: 'drain', database: 'SQLite' }, rounds), {
    group: 'load',
    scenario: 'drain',
    database: 'SQLite',
    per_s: 20,
    p50_ms: 3,
    rounds,
  })
})

test('the median of an even number of rounds is between the two in the middle', () => {
  const rounds = [{ per_s: 40 }, { per_s: 10 }, { per_s: 20 }, { per_s: 30 }]
  assert.equal(resultOf({ group: 'load', scenario: 'drain', database: 'SQLite' }, rounds).per_s, 25)
})

test('what is of all rounds together is no median', () => {
  const rounds = [{ p99_ms: 1 }, { p99_ms: 9 }]
  const subject = { group: 'fairness', scenario: 'beside one', database: 'SQLite' }
  const result = resultOf(subject, rounds, { all_p99_ms: 8 })
  assert.equal(result.all_p99_ms, 8)
  assert.equal(
    resultTables([result]),
    `### fairness

| scenario | database | p99 | p99 of all rounds |
| --- | --- | --- | --- |
| beside one | SQLite | 5.0 ms (1.0–9.0) | 8.0 ms |`,
  )
})

test('each group is a table with the columns that its results have, and the spread where there were several rounds', () => {
  const subject = { group: 'load', database: 'SQLite' }
  const tables = resultTables([
    resultOf({ ...subject, scenario: 'resolve', size: '1 KiB' }, [{ per_s: 6000, p50_ms: 10.25 }]),
    resultOf({ ...subject, scenario: 'drain' }, [{ per_s: 12_000 }, { per_s: 14_000 }, { per_s: 13_000 }]),
    resultOf({ group: 'start', scenario: 'nothing', database: 'SQLite' }, [{ first_ms: 1200 }]),
  ])
  assert.equal(
    tables,
    `### load

| scenario | database | size | per second | p50 |
| --- | --- | --- | --- | --- |
| resolve | SQLite | 1 KiB | 6,000 | 10.3 ms |
| drain | SQLite |  | 13,000 (12,000–14,000) |  |

### start

| scenario | database | first delivery |
| --- | --- | --- |
| nothing | SQLite | 1,200 ms |`,
  )
})
