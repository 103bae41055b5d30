import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Story } from './moments.ts'
import { timeline } from './timeline.ts'

const time = (second: number) => new Date(Date.UTC(2030, 0, 1, 12, 0, second)).toISOString()
const now = Date.parse(time(30))

const task = {
  id: '018f0000-0000-7000-8000-000000000001',
  type: 'label',
  status: 'completed',
  audit_status: 'rejected',
  mode: 'live',
  error: null,
  callback_url: 'https://user:secret@example.com/callbacks',
  created_at: time(0),
  updated_at: time(20),
  expires_at: null,
  not_before: null,
}
const taskText = (fields: object = {}) =>
  JSON.stringify({ ...task, ...fields }).replace(/}$/, ',"params":{"n":1.0},"response":1950000000000000001}')

const attempt = (number: number, second: number, outcome: object) => ({
  number,
  started_at: time(second),
  duration_ms: 500,
  outcome: 'status',
  status: null,
  error: null,
  response_body: null,
  ...outcome,
})
const delivery = (fields: object) => ({
  id: '018f0000-0000-7000-8000-00000000000d',
  event: 'task.completed',
  url: task.callback_url,
  state: 'pending',
  reason: null,
  resend: false,
  attempt_count: 0,
  created_at: time(10),
  settled_at: null,
  give_up_at: null,
  attempts: [],
  plan: [],
  ...fields,
})

const story: Story = {
  task: taskText(),
  attempts: [],
  events: [
    `{"type":"task.completed","created_at":"${time(10)}","detail":null}`,
    `{"type":"task.audit.rejected","created_at":"${time(20)}","detail":{"comments":"no","n":1.0}}`,
  ],
  arrivals: [
    {
      id: 'early-one',
      verdict: 'early',
      received_at: time(5),
      remote_address: '192.0.2.1',
      body: '{"n":1.0}',
    },
    { id: 'right-one', verdict: 'resolved', received_at: time(10), remote_address: null, body: '\u001B[2J' },
  ].map((arrival) => JSON.stringify(arrival)),
  deliveries: [
    delivery({
      event: 'task.audit.rejected',
      state: 'held',
      created_at: time(20),
      plan: [time(30), time(35)],
    }),
    delivery({
      attempt_count: 2,
      give_up_at: time(59),
      attempts: [
        attempt(1, 10, { status: 500, response_body: 'no' }),
        attempt(2, 15, { outcome: 'dns', error: 'No such host.' }),
      ],
      plan: [time(29), time(40)],
    }),
  ].map((one) => JSON.stringify(one)),
}

const at = (width: number, told = story) =>
  timeline(told, { width, paint: (_, text) => text }, now).split('\n')

test('a story tells what came in, what went out with its waits, and what is to come', () => {
  assert.deepEqual(at(Number.POSITIVE_INFINITY), [
    'task 018f0000-0000-7000-8000-000000000001',
    'completed, rejected',
    'label, live mode',
    'response 1950000000000000001',
    'Times are UTC.',
    '',
    '2030-01-01 12:00:00.000  30 s ago    ● created',
    '                                       params {"n":1.0}',
    '2030-01-01 12:00:05.000  25 s ago    ← request from 192.0.2.1 at its inbound URL: early',
    '                                       {"n":1.0}',
    '                                       arrival early-one',
    '2030-01-01 12:00:10.000  20 s ago    ← request at its inbound URL: resolved',
    '                                       \\u001b[2J',
    '2030-01-01 12:00:10.000  20 s ago    ● task.completed',
    '2030-01-01 12:00:10.000  20 s ago    → task.completed goes to https://example.com/callbacks',
    '                                       delivery 018f0000-0000-7000-8000-00000000000d',
    '2030-01-01 12:00:10.000  20 s ago    ✗ attempt 1 of task.completed: answered 500 in 500 ms',
    '                                       no',
    '2030-01-01 12:00:15.000  15 s ago    ✗ attempt 2 of task.completed after a wait of 4.5 s: dns in 500 ms',
    '                                       No such host.',
    '2030-01-01 12:00:20.000  10 s ago    ● task.audit.rejected',
    '                                       {"comments":"no","n":1.0}',
    '2030-01-01 12:00:20.000  10 s ago    → task.audit.rejected goes to https://example.com/callbacks: held until the deliveries before it are settled',
    '                                       delivery 018f0000-0000-7000-8000-00000000000d',
    '',
    'Still to come:',
    '2030-01-01 12:00:29.000  1.0 s ago   ○ attempt 3 of task.completed',
    '2030-01-01 12:00:40.000  in 10 s     ○ attempt 4 of task.completed, if needed',
    '2030-01-01 12:00:59.000  in 29 s     ○ task.completed is given up at the latest',
  ])
})

test('at 40 columns every line fits, what happened goes below its time, and ids stay whole', () => {
  const lines = at(40)
  for (const line of lines) assert.ok(line.length <= 40, line)
  assert.deepEqual(lines.slice(15, 23), [
    '2030-01-01 12:00:10.000  20 s ago',
    '  ← request at its inbound URL: resolved',
    '    \\u001b[2J',
    '2030-01-01 12:00:10.000  20 s ago',
    '  ● task.completed',
    '2030-01-01 12:00:10.000  20 s ago',
    '  → task.completed goes to',
    '    https://example.com/callbacks',
  ])
  assert.ok(lines.includes('    018f0000-0000-7000-8000-00000000000d'))
})

test('an open task tells its last change and its end, and one being sent plans only what follows', () => {
  const sending = delivery({ state: 'sending', plan: [time(30), time(36)] })
  const failed = delivery({ state: 'failed', reason: 'gone', settled_at: time(12) })
  const open = taskText({
    status: 'processing',
    audit_status: null,
    expires_at: time(50),
    callback_url: null,
  })
  const lines = at(Number.POSITIVE_INFINITY, {
    task: open,
    attempts: [],
    events: [],
    arrivals: [],
    deliveries: [sending, failed].map((one) => JSON.stringify(one)),
  })
  const told = lines.filter((line) => line.startsWith('2030')).map((line) => line.slice(37))
  assert.ok(lines.includes('It has no callback URL, so nobody is told.'))
  assert.deepEqual(told, [
    '● created',
    '→ task.completed goes to https://example.com/callbacks',
    '→ task.completed goes to https://example.com/callbacks: being sent now',
    '✗ task.completed failed (gone)',
    '● processing from here on',
    '○ attempt 2 of task.completed, if needed',
    '○ expires, if it is not settled before',
  ])
})

test('a task that something is called for tells every request with its answer, and when the first will be made', () => {
  const attempts = [
    { step: 'request', ...attempt(1, 1, { outcome: 'timeout', error: 'No answer within 30 s.' }) },
    { step: 'request', ...attempt(2, 2, { outcome: 'delivered', status: 202, response_body: '{"id":"j"}' }) },
    { step: 'poll', ...attempt(3, 5, { status: 503 }) },
  ].map((one) => JSON.stringify(one))
  const nothing = { attempts: [], events: [], arrivals: [], deliveries: [] }
  const told = (story: Story) =>
    at(Number.POSITIVE_INFINITY, story)
      .filter((line) => /^(2030| {39})/.test(line))
      .map((line) => line.slice(37))
  assert.deepEqual(told({ ...nothing, task: taskText(), attempts }), [
    '● created',
    '  params {"n":1.0}',
    '✗ attempt 1, the request: timeout in 500 ms',
    '  No answer within 30 s.',
    '✓ attempt 2, the request: answered 202 in 500 ms',
    '  {"id":"j"}',
    '✗ attempt 3, a poll: answered 503 in 500 ms',
  ])
  const later = { status: 'pending', not_before: time(40), updated_at: time(0) }
  assert.deepEqual(told({ ...nothing, task: taskText(later) }).slice(2), ['○ its request is made'])
})
