// A checker that cannot fail proves nothing: here it gets logs that lie, one lie at a time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agreeingLogs, deed } from './agreeing-logs.ts'
import { check } from './check.ts'

type Logs = ReturnType<typeof agreeingLogs>
const [TOLD, TORN, RACE, AUDITED, OPEN, LOST, REWORKED] = [0, 1, 2, 3, 4, 5, 6]

const lies: [lie: string, found: RegExp, tell: (logs: Logs) => void][] = [
  ['an acknowledged task is gone', /told.*acknowledged and is gone/, ({ tasks }) => tasks.splice(TOLD, 1)],
  ['a task appears', /nobody created it/, ({ stories }) => stories.splice(OPEN, 1)],
  ['a task is there twice', /created twice/, ({ tasks }) => tasks.push({ ...tasks[OPEN]! })],
  ['a field changes', /not those that were sent/, ({ tasks }) => (tasks[OPEN]!.params = {})],
  ['an id changes', /acknowledged as id-open/, ({ tasks }) => (tasks[OPEN]!.id = 'another')],
  ['a refused task is there', /creation was answered 409/, ({ stories }) => (stories[OPEN]!.status = 409)],
  ['a request fails', /was answered 500/, ({ stories }) => (stories[LOST]!.status = 500)],
  ['a resolution is undone', /it is {"status":"waiting"/, ({ tasks }) => (tasks[TOLD]!.status = 'waiting')],
  ['a response changes', /it is .*"response":"other"/, ({ tasks }) => (tasks[TOLD]!.response = 'other')],
  ['the loser stands', /it is .*"response":"inbound"/, ({ tasks }) => (tasks[RACE]!.response = 'inbound')],
  [
    'the loser is told of',
    /nobody asked for .*"inbound"/,
    ({ receipts }) => receipts.splice(2, 4, { ...receipts[5]!, response: 'inbound' }),
  ],
  ['two resolvers win', /resolved 2 times/, ({ stories }) => (stories[RACE]!.deeds[1]!.status = 200)],
  [
    'a resolver loses to nobody',
    /nobody has won/,
    ({ stories }) => stories[OPEN]!.deeds.push(deed('complete', 409)),
  ],
  ['an audit is gone', /it is .*"audit_status":null/, ({ tasks }) => (tasks[AUDITED]!.audit_status = null)],
  ['an audit appears', /it is .*"approved"/, ({ tasks }) => (tasks[TOLD]!.audit_status = 'approved')],
  ['an audit is in no event', /its audit was acknowledged/, ({ deliveries }) => deliveries.splice(4, 1)],
  [
    'an audit changes the response',
    /audit.approved tells of "other"/,
    ({ receipts }) => (receipts[4]!.response = 'other'),
  ],
  [
    'what is completed refuses an audit',
    /its audit was refused with 409, though it was completed/,
    ({ stories }) => (stories[AUDITED]!.deeds[1]!.status = 409),
  ],
  [
    'a request takes effect twice',
    /its fix happened twice/,
    ({ receipts, deliveries }) => {
      deliveries[7]!.event = 'task.audit.fixed'
      receipts[9]!.detail = receipts[8]!.detail
    },
  ],
  [
    'acknowledged requests change places',
    /fix was asked for after edit was acknowledged/,
    ({ stories }) => (stories[REWORKED]!.deeds[1]!.status = 200),
  ],
  [
    'a task is resolved again',
    /it was resolved again by inbound/,
    ({ stories, receipts, deliveries }) => {
      stories[AUDITED]!.deeds[1] = deed('inbound', null)
      deliveries[4]!.event = 'task.completed'
      receipts[4]!.response = 'inbound'
    },
  ],
  [
    'an edit comes before the resolution',
    /it begins with edit/,
    ({ stories, deliveries }) => {
      stories[TORN]!.deeds[0]!.verb = 'edit'
      deliveries[TORN]!.event = 'task.edited'
    },
  ],
  [
    'success is not noted',
    /callback_succeeded is null/,
    ({ tasks }) => (tasks[TOLD]!.callback_succeeded = null),
  ],
  ['a delivery is missing', /its events make it .*"waiting"/, ({ deliveries }) => deliveries.splice(TORN, 1)],
  ['a first delivery is missing', /are of the events 2/, ({ deliveries }) => deliveries.splice(AUDITED, 1)],
  ['a delivery is unsettled', /"state":"pending"/, ({ deliveries }) => (deliveries[TOLD]!.state = 'pending')],
  ['an event is missing', /its events are \[\]/, ({ ledgers }) => ledgers.get('id-torn')!.events.pop()],
  ['an arrival is missing', /has 0 resolving/, ({ ledgers }) => ledgers.get('id-torn')!.arrivals.pop()],
  ['a callback never arrived', /never accepted it/, ({ receipts }) => receipts.splice(0, 1)],
  [
    'an unknown callback arrived',
    /knows nothing of/,
    ({ receipts }) => (receipts[0]!.webhook_id = 'made up'),
  ],
  ['a callback lies', /it said .*"canceled"/, ({ receipts }) => (receipts[0]!.status = 'canceled')],
  [
    'a response is told wrong',
    /nobody asked for .*"other"/,
    ({ receipts }) => (receipts[0]!.response = 'other'),
  ],
  ['a body changes', /body changed/, ({ receipts }) => (receipts[6]!.digest = 'other')],
  ['an attempt is made twice', /made 2 times/, ({ receipts }) => receipts.push({ ...receipts[0]!, boot: 2 })],
  [
    'an attempt is not in the ledger',
    /in no ledger/,
    ({ receipts }) => receipts.push({ ...receipts[0]!, attempt: 2 }),
  ],
  [
    'an outcome is made up',
    /is status 500; the receiver says 200/,
    ({ receipts }) => (receipts[2]!.status_code = 200),
  ],
  [
    'attempts are miscounted',
    /3 attempts are numbered/,
    ({ deliveries }) => (deliveries[RACE]!.attempt_count = 3),
  ],
  [
    'events overtake',
    /event 2 arrived before 1/,
    ({ receipts }) => receipts.splice(3, 0, ...receipts.splice(4, 1)),
  ],
  ['one process repeats itself', /one process delivered/, ({ receipts }) => (receipts[6]!.boot = 1)],
  ['too much is repeated', /1 callbacks of boot 1 .* 0 may be/, (logs) => (logs.limit = 0)],
  ['too much is in flight', /2 requests were open/, (logs) => (logs.most_in_hand = 2)],
  ['a stop cuts an attempt off', /cut off by a stop/, (logs) => (logs.ending = 'stopped')],
  ['a stop does what it does not answer', /nobody asked for/, (logs) => (logs.ending = 'stopped')],
  ['a signature is wrong', /forged/, ({ faults }) => faults.push('forged')],
]

test('logs that agree have no fault', () => {
  assert.deepEqual(check(agreeingLogs()).faults, [])
  const { tasks, callbacks, lost_answers, unknown_attempts, duplicates } = check(agreeingLogs()).figures
  assert.deepEqual([tasks, callbacks, lost_answers, unknown_attempts, duplicates], [6, 10, 3, 1, 1])
})

test('an unanswered resolution may as well not have happened', () => {
  const logs = agreeingLogs()
  Object.assign(logs.tasks[TORN]!, { status: 'waiting', response: null, callback_succeeded: null })
  logs.deliveries.splice(TORN, 1)
  logs.ledgers.set('id-torn', { events: [], arrivals: [] })
  logs.receipts = logs.receipts.filter(({ task_id }) => task_id !== 'id-torn')
  assert.deepEqual(check(logs).faults, [])
})

// What only one process after the other can be held to: with many, the incidents say what may be repeated.
const FOR_ONE = ['one process repeats itself', 'too much is repeated']

for (const ending of ['killed', 'disturbed'] as const) {
  for (const [lie, found, tell] of lies) {
    if (ending === 'disturbed' && FOR_ONE.includes(lie)) continue
    test(`the checker finds out when ${lie} (${ending})`, () => {
      const logs = { ...agreeingLogs(), ending }
      tell(logs)
      const { faults } = check(logs)
      assert.ok(
        faults.some((fault) => found.test(fault)),
        `found only: ${faults.join('\n')}`,
      )
    })
  }
}
