import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkClock, type Clocks } from './clock.ts'

const BEGIN = Date.UTC(2030, 0, 1)

/** Clocks that go on by ten milliseconds; what the wall clock says of it is the test's. */
function clocksWith(wall: (passed_ms: number) => number): Clocks {
  let passed_ms = 0
  return {
    wall: () => BEGIN + wall(passed_ms),
    monotonic: () => passed_ms,
    async pass() {
      passed_ms += 10
    },
  }
}

const rows: [what: string, wall: (passed_ms: number) => number, level: string, found: RegExp][] = [
  [
    'a clock that runs evenly is fine',
    (ms) => ms,
    'ok',
    /^it says 2030-01-01T00:00:00\.200Z, and runs evenly$/,
  ],
  ['a clock that is slewed is fine', (ms) => ms * 1.05, 'ok', /runs evenly$/],
  ['a clock that goes back is told', (ms) => (ms > 100 ? ms - 500 : ms), 'warn', /^it went back by 490 ms /],
  ['a clock that jumps is told', (ms) => (ms > 100 ? ms + 500 : ms), 'warn', /^it jumped 500 ms ahead /],
  ['a clock that stands still is told', () => 0, 'warn', /^it jumped 200 ms behind /],
  ['a clock of the last century fails', (ms) => ms - BEGIN, 'fail', /^it says 1970-01-01T00:00:00\.200Z, /],
]

for (const [what, wall, level, found] of rows) {
  test(what, async () => {
    const finding = await checkClock(clocksWith(wall))
    assert.equal(finding.level, level)
    assert.match(finding.found, found)
  })
}

test('the clock of this machine can be watched', async () => {
  assert.match((await checkClock()).found, /^it /)
})
