// Whether the checker tells repetitions with a reason from those without: the torn delivery of the agreeing logs was accepted
// from process 1 at the beginning of time and from process 2 again, and the ledger does not know how the first attempt ended.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agreeingLogs } from './agreeing-logs.ts'
import { check } from './check.ts'
import { explainDuplicates, type Incident } from './check-duplicates.ts'

type Logs = ReturnType<typeof agreeingLogs>
const TORN = 1

const disturbed = (changes: Partial<Logs>) => ({
  ...agreeingLogs(),
  ending: 'disturbed' as const,
  processes: 3,
  ...changes,
})
const incident = (kind: Incident['kind'], boot: number | null, from: number, until = from): Incident => ({
  kind,
  boot,
  from,
  until,
})

const reasons: [reason: string, incident: Incident][] = [
  ['its sender was killed right after', incident('kill', 1, 1500)],
  ['its sender was frozen then', incident('freeze', 1, -9000, 9000)],
  ['its sender woke up right before', incident('freeze', 1, -16_000, -500)],
  ['the database was away', incident('database', null, -100, 3000)],
]
for (const [reason, given] of reasons) {
  test(`a callback may be accepted twice when ${reason}`, () => {
    const logs = disturbed({ incidents: [given] })
    assert.deepEqual(check(logs).faults, [])
    assert.equal(explainDuplicates(logs).causes[given.kind], 1)
  })
}

const excuses: [excuse: string, incidents: Incident[]][] = [
  ['nothing happened', []],
  ['another process was killed', [incident('kill', 2, 1500)]],
  ['its sender was killed much later', [incident('kill', 1, 9000)]],
  ['its sender had been awake for long', [incident('freeze', 1, -90_000, -60_000)]],
  ['the database had been back for long', [incident('database', null, -90_000, -60_000)]],
]
for (const [excuse, incidents] of excuses) {
  test(`the checker finds a callback that was accepted twice when ${excuse}`, () => {
    const { faults } = check(disturbed({ incidents }))
    assert.match(faults.join('\n'), /^id-torn: .*: attempt 1, accepted from boot 1 .* without a reason$/)
  })
}

for (const [reason, given] of reasons) {
  test(`the checker finds that more was repeated than can have been in hand when ${reason}`, () => {
    const { faults } = check(disturbed({ incidents: [given], limit: 0, most_in_hand: 0 }))
    const at = new Date(given.from).toISOString()
    assert.deepEqual(faults, [
      `1 callbacks were repeated after the ${given.kind} of ${given.boot ?? 'all'} at ${at}, 0 may be`,
    ])
  })
}

test('of each destination four times the limit may be repeated after a kill, of all processes after a lost database', () => {
  const incidents = [incident('kill', 1, 1500), incident('freeze', 2, 0, 9000), incident('database', null, 0)]
  const logs = disturbed({ incidents, limit: 2, destinations: 3 })
  assert.equal(explainDuplicates(logs).most, 4 * 2 * 3 * (1 + 1 + logs.processes))
})

test('a process that froze with locks in its hands may keep another from settling until that is killed', () => {
  const kill = incident('kill', 1, 4000)
  assert.deepEqual(check(disturbed({ incidents: [kill, incident('freeze', 2, 500, 16_500)] })).faults, [])
  assert.notDeepEqual(check(disturbed({ incidents: [kill] })).faults, [])
  const thawed = incident('freeze', 2, -9000, 7000)
  assert.notDeepEqual(check(disturbed({ incidents: [kill, thawed] })).faults, [])
})

for (const kind of ['kill', 'freeze'] as const) {
  test(`a sender without a number may be any that met a ${kind}, since it had hung up before anybody could ask`, () => {
    const logs = disturbed({ incidents: [incident(kind, 2, 500)] })
    logs.receipts[TORN]!.boot = 0
    assert.deepEqual(check(logs).faults, [])
    assert.notDeepEqual(check({ ...logs, incidents: [incident(kind, 2, 90_000)] }).faults, [])
  })
}

test('an attempt that its sender calls unanswered may have been accepted', () => {
  const logs = disturbed({})
  const [first] = [...logs.attempts.values()][0]!
  first!.outcome = 'timeout'
  assert.deepEqual(check(logs).faults, [])
  assert.equal(explainDuplicates(logs).causes.unanswered, 1)
})

test('a request that was turned away may have been committed by a server that lost its database', () => {
  const logs = disturbed({ incidents: [incident('database', null, 0)] })
  for (const { deeds } of logs.stories) for (const deed of deeds) deed.status ??= 503
  assert.deepEqual(check(logs).faults, [])
  assert.notDeepEqual(check({ ...logs, ending: 'killed' }).faults, [])
})

test('as many requests may be open at once as all processes together may send', () => {
  const logs = { ...disturbed({ incidents: [incident('kill', 1, 0)] }), most_in_hand: 3 }
  assert.deepEqual(check(logs).faults, [])
  assert.deepEqual(check({ ...logs, most_in_hand: 4 }).faults, [
    '4 requests were open at once, the limit is 3',
  ])
})
