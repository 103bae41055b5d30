import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventTypes, type EventType, type TaskEvent } from '../../domain/event.ts'
import { unanswered } from '../../domain/outcome.ts'
import { defaultSettings, type Project, type Secret } from '../../domain/project.ts'
import { taskStatuses, type Task } from '../../domain/task.ts'
import type { Ready } from '../../store/store.ts'
import { newProject, newTask } from '../../../test/support/store.ts'
import { isScaleId, scaleId } from './id.ts'
import { createScale } from './scale.ts'

const scale = createScale({ version: '1.2.3' })
const now = Date.UTC(2030, 0, 1)

const task = newTask(newProject(), {
  id: '01b78220-9c00-7000-8123-456789abcdef',
  external_id: '703ee30008123456789abcdef',
  type: 'categorization',
  status: 'completed',
  params: '{"instruction":"Ripe?","attachment":"pear","row":1950000000000000001}',
  response: '{"n":1.0}',
  metadata: '{"big":1E400}',
  ext: null,
  callback_url: 'https://hooks.test/in',
  destination_id: 'd',
  event_count: 1,
  created_at: now,
  updated_at: now + 1000,
  completed_at: now + 1000,
  version: 2,
})
const eventOf = (type: EventType, detail: string | null = null): TaskEvent => ({
  id: 'e',
  task_id: task.id,
  sequence: 1,
  type,
  detail,
  created_at: now + 2000,
})

test('a callback has the documented keys, the task without keys that are not there yet, and JSON digit by digit', () => {
  const id = scaleId(task.id)
  assert.equal(
    scale.callback(eventOf('task.completed'), task),
    `{"task_id":"${id}","status":"completed","response":{"n":1.0},"task":{"task_id":"${id}",` +
      '"created_at":"2030-01-01T00:00:00.000Z","updated_at":"2030-01-01T00:00:01.000Z",' +
      '"completed_at":"2030-01-01T00:00:01.000Z","type":"categorization","status":"completed","instruction":"Ripe?",' +
      '"params":{"attachment":"pear","row":1950000000000000001},"callback_url":"https://hooks.test/in",' +
      '"response":{"n":1.0},"metadata":{"big":1E400},"is_test":false}}',
  )
})

test('an id is 24 hex digits that begin with the second of its making, and our own ids are none', () => {
  const id = scaleId(task.id)
  assert.match(id, /^[0-9a-f]{24}$/)
  assert.equal(Number.parseInt(id.slice(0, 8), 16), Math.floor(0x01b782209c00 / 1000))
  assert.equal(id.slice(8), '8123456789abcdef')
  assert.deepEqual([isScaleId(id), isScaleId(task.id), isScaleId('nope')], [true, false, false])
})

test('customers are told of completion, errors, audits and recalls, and of nothing else', () => {
  const detail = '{"verdict":"approved"}'
  const told = eventTypes.filter((type) => {
    const amended = { ...task, ...scale.amend?.(eventOf(type, detail), task) }
    return scale.callback(eventOf(type, detail), amended) !== null
  })
  assert.deepEqual(told, [
    'task.errored',
    'task.completed',
    'task.failed',
    'task.expired',
    'task.audit.approved',
    'task.audit.rejected',
    'task.audit.fixed',
    'task.recalled',
  ])
})

test('each of our statuses has one of the four words', () => {
  const words = Object.fromEntries(
    taskStatuses.map((status) => [status, scale.statusWord({ ...task, status }, now)]),
  )
  assert.deepEqual(words, {
    pending: 'pending',
    processing: 'pending',
    waiting: 'pending',
    polling: 'pending',
    suspended: 'pending',
    completed: 'completed',
    failed: 'error',
    canceled: 'canceled',
    expired: 'error',
  })
})

const responseOf = (changes: Partial<Task>) =>
  /"response":(.*?),"task"/.exec(
    scale.callback(eventOf('task.failed'), { ...task, response: null, ...changes }) ?? '',
  )?.[1]

test('what went wrong is the response: the message as error, and what the details have beside it', () => {
  const failed = (error: object) => responseOf({ status: 'failed', error: JSON.stringify(error) })
  assert.equal(failed({ message: 'no file' }), '{"error":"no file"}')
  assert.equal(
    failed({ message: 'no file', details: { error: 'x', attachments: [{ statusCode: 403, url: 'u' }] } }),
    '{"error":"no file","attachments":[{"statusCode":403,"url":"u"}]}',
  )
  assert.equal(failed({ message: 'no file', code: 'x', details: [1] }), '{"error":"no file"}')
  assert.equal(responseOf({ status: 'expired' }), '{"error":"The task was not done in time"}')
  assert.equal(responseOf({ status: 'pending' }), 'null')
})

/** The task after these verdicts and recalls, and whether the last of them was told. */
function afterwards(...happened: ('approved' | 'rejected' | 'fixed' | 'recalled')[]) {
  const audited = { ...task }
  let told = false
  for (const what of happened) {
    const type = what === 'recalled' ? ('task.recalled' as const) : (`task.audit.${what}` as const)
    const event = eventOf(type, JSON.stringify({ verdict: what, comments: what, by: 'customer' }))
    Object.assign(audited, scale.amend?.(event, audited))
    told = scale.callback(event, audited) !== null
  }
  return { audited, told }
}

test('the same verdict again is written down and not told, unless it fixes anew or came before a recall', () => {
  const told = (...happened: Parameters<typeof afterwards>) => afterwards(...happened).told
  assert.equal(told('approved', 'approved'), false)
  assert.equal(told('rejected', 'approved'), true)
  assert.equal(told('fixed', 'fixed'), true)
  assert.equal(told('approved', 'recalled', 'approved'), true)
  const { audits } = JSON.parse(afterwards('approved', 'approved', 'rejected').audited.ext!)
  assert.deepEqual(
    audits.map((audit: { audit_result: string; audit_source: string; comments: string }) => [
      audit.audit_result,
      audit.audit_source,
      audit.comments,
    ]),
    [
      ['rejected', 'customer', 'rejected'],
      ['accepted', 'customer', 'approved'],
      ['accepted', 'customer', 'approved'],
    ],
  )
})

test('a unique id is freed by an error only where the customer asked for it', () => {
  const clearing = { ...task, unique_id: 'u', ext: '{"clear_unique_id_on_error":true}' }
  assert.deepEqual(scale.amend?.(eventOf('task.errored'), clearing), { unique_id: null })
  assert.deepEqual(scale.amend?.(eventOf('task.completed'), clearing), {})
  assert.deepEqual(scale.amend?.(eventOf('task.errored'), { ...clearing, ext: '{}' }), {})
})

test('an attempt carries the auth key of its mode: the oldest that holds, and none is a fault of ours', () => {
  const secret = (changes: Partial<Secret>): Secret => ({
    id: 's',
    project_id: 'p',
    kind: 'callback_auth',
    mode: 'live',
    value: 'live_auth_new',
    created_at: now,
    expires_at: null,
    ...changes,
  })
  const secrets = [
    secret({}),
    secret({ mode: 'test', value: 'test_auth' }),
    secret({ value: 'live_auth_old', expires_at: now + 1 }),
    secret({ kind: 'signing', mode: null, value: 'signing' }),
  ]
  const headers = (mode: 'live' | 'test', at: number) =>
    scale.headers({ mode } as Ready, { secrets, attempt: 1, now: at })
  assert.deepEqual(headers('live', now), {
    'content-type': 'application/json',
    'user-agent': 'Ringback/1.2.3',
    'scale-callback-auth': 'live_auth_old',
  })
  assert.equal(headers('live', now + 1)['scale-callback-auth'], 'live_auth_new')
  assert.equal(headers('test', now)['scale-callback-auth'], 'test_auth')
  assert.throws(() => scale.headers({ mode: 'live' } as Ready, { secrets: [], attempt: 1, now }), /auth key/)
})

test('twenty retries double from 15 s up to 7080 s within the day, unless the project has a plan of its own', () => {
  const policy = (settings: object) =>
    scale.policy({ settings: { ...defaultSettings, ...settings } } as Project)
  const { waits, window_ms, timeout_ms, retryable } = policy({})
  assert.deepEqual(
    [waits.length, waits[0], waits[8], waits[9], waits[19]],
    [20, 15e3, 3840e3, 7080e3, 7080e3],
  )
  assert.equal(
    waits.reduce((sum, wait) => sum + wait, 0),
    (23 * 3600 + 45 * 60 + 45) * 1000,
  )
  assert.deepEqual([window_ms, timeout_ms], [86_400_000, 30_000])
  assert.equal(retryable({ ...unanswered('timeout', ''), kind: 'status', status: 410 }), true)
  assert.equal(policy({ retry: { retries: 3, window_s: 60 } }).waits.length, 3)
})
