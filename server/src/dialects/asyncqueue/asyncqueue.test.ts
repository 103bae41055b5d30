import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newProject, newTask } from '../../../test/support/store.ts'
import { print } from '../../domain/json.ts'
import { eventTypes } from '../../domain/event.ts'
import { taskStatuses, type TaskStatus } from '../../domain/task.ts'
import { createAsyncqueue } from './asyncqueue.ts'
import { sign } from './signature.ts'
import { filterOf, statusWords } from './status.ts'
import { createWindowCounter } from '../window-counter.ts'

const asyncqueue = createAsyncqueue({ version: '1.2.3' })
const now = Date.UTC(2026, 10, 20, 8)
const task = newTask(newProject(), {
  id: '019e7c10-0000-7000-8000-0000000000aa',
  status: 'completed',
  response: '"{\\"ok\\":1}"',
  call_report: print({
    started_at: now,
    retry_count: 0,
    answer: { status: 200, headers: { 'content-type': 'application/json' }, duration_ms: 812 },
  }),
  created_at: now,
  completed_at: now + 1100,
})
const eventOf = (type: (typeof eventTypes)[number]) => ({
  id: 'e',
  task_id: task.id,
  sequence: 1,
  type,
  detail: null,
  created_at: now,
})

test('signatures are those of the platform', () => {
  const body =
    '{"event":"task.completed","task":{"id":"019e7c10-0000-7000-8000-0000000000aa","status":"completed"}}'
  for (const [text, v1] of [
    [body, '32356208286314f0324a18632cdf15201cab83121888d4775b7375c848a4f368'],
    ['', '1d7f733b232ae99e77743e7a5a18c1c40a35ee62a30302d24a54e988525121e7'],
  ] as const) {
    assert.equal(sign('whsec_example_only', 1_790_000_000, text), v1)
  }
})

test('a webhook is that of the platform, byte for byte', () => {
  assert.equal(
    asyncqueue.callback(eventOf('task.completed'), task),
    '{"event":"task.completed","task":{"id":"019e7c10-0000-7000-8000-0000000000aa","status":"completed",' +
      '"result":{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\\"ok\\":1}","duration":812},' +
      '"error":null,"retryCount":0,"createdAt":"2026-11-20T08:00:00.000Z","completedAt":"2026-11-20T08:00:01.100Z"}}',
  )
})

test('customers are told of four events, in three words', () => {
  const statuses: Partial<Record<string, TaskStatus>> = {
    'task.failed': 'failed',
    'task.errored': 'failed',
    'task.expired': 'expired',
  }
  const told = eventTypes.flatMap((type) => {
    const body = asyncqueue.callback(eventOf(type), { ...task, status: statuses[type] ?? 'completed' })
    return body === null ? [] : [[type, (JSON.parse(body) as { event: string }).event]]
  })
  assert.deepEqual(Object.fromEntries(told), {
    'task.errored': 'task.failed',
    'task.completed': 'task.completed',
    'task.failed': 'task.failed',
    'task.expired': 'task.timeout',
  })
})

test('every status has a word, by which it is found again', () => {
  const plan = (not_before: number | null) =>
    print({ request: null, not_before, waits: false, wait_ms: null, poll: null, resolve: null })
  const words = taskStatuses.map((status) =>
    asyncqueue.statusWord({ ...task, status, resume_status: 'polling' }, now),
  )
  assert.deepEqual(words, [
    'pending',
    'processing',
    'waiting',
    'polling',
    'polling',
    'completed',
    'failed',
    'cancelled',
    'timeout',
  ])
  for (const word of statusWords) assert.notEqual(filterOf(word, now), undefined, word)
  assert.equal(filterOf('canceled', now), undefined)
  const pending = { ...task, status: 'pending' as const, call_report: null, call_plan: plan(now + 1) }
  assert.equal(asyncqueue.statusWord(pending, now), 'delayed')
  assert.equal(asyncqueue.statusWord(pending, now + 1), 'pending')
  assert.equal(asyncqueue.statusWord({ ...pending, call_report: task.call_report }, now), 'pending')
})

test('a window is counted to its end, and the next one begins with a request', () => {
  const counted = createWindowCounter({ count: 2, window_s: 10 })
  assert.deepEqual(counted('a', 1000), { remaining: 1, resets_at: 11_000, isOver: false })
  assert.deepEqual(counted('a', 10_999), { remaining: 0, resets_at: 11_000, isOver: false })
  assert.deepEqual(counted('a', 10_999), { remaining: 0, resets_at: 11_000, isOver: true })
  assert.deepEqual(counted('b', 10_999), { remaining: 1, resets_at: 20_999, isOver: false })
  assert.deepEqual(counted('a', 13_000), { remaining: 1, resets_at: 23_000, isOver: false })
})
