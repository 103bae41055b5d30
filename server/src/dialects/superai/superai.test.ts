import assert from 'node:assert/strict'
import { verify } from 'node:crypto'
import { test } from 'node:test'
import { AppError } from '../../domain/errors.ts'
import { eventTypes } from '../../domain/event.ts'
import { unanswered } from '../../domain/outcome.ts'
import { defaultSettings, type Project, type Secret } from '../../domain/project.ts'
import { taskStatuses, type Task } from '../../domain/task.ts'
import type { Ready } from '../../store/store.ts'
import { newProject, newTask } from '../../../test/support/store.ts'
import { jobStates, offsetTime, presentJob, printFields, statusesOf } from './job.ts'
import { createSigningKey, publicKeyOf } from './signature.ts'
import { createSuperai } from './superai.ts'

const superai = createSuperai({ version: '1.2.3' })
const now = Date.UTC(2024, 2, 5, 9, 10, 11)

const task = newTask(newProject(), {
  id: '0b8f6f0c-6a0e-4a41-9a7e-3c1f5f0d2b77',
  external_id: '480123',
  type: '9a3c2f44-58c1-4c1e-bb0d-7d1a6a0e4f21',
  status: 'completed',
  params: '{"n":1950000000000000001}',
  response: '{}',
  metadata: '{"orderId":1.0}',
  ext: printFields({ batch_id: '5d1f4b0e', tags: ['march'], has_metadata: true }),
  callback_url: 'https://hooks.example.com/superai/',
  destination_id: 'd',
  event_count: 1,
  created_at: now,
  updated_at: now,
  completed_at: now + 149_512,
  version: 2,
})

test('every event is told by its action and the state right after it, but for a recall', () => {
  const told = eventTypes.map((type) => {
    const event = { id: 'e', task_id: task.id, sequence: 1, type, detail: null, created_at: now }
    return [type, superai.callback(event, task)]
  })
  const body = (action: string) =>
    `{"action": "${action}", "id": "480123", "state": "COMPLETED", "uuid": "0b8f6f0c-6a0e-4a41-9a7e-3c1f5f0d2b77"}`
  assert.deepEqual(Object.fromEntries(told), {
    'task.errored': body('RESOLVED'),
    'task.completed': body('RESOLVED'),
    'task.failed': body('RESOLVED'),
    'task.canceled': body('RESOLVED'),
    'task.expired': body('RESOLVED'),
    'task.suspended': body('RESOLVED'),
    'task.edited': body('EDITED'),
    'task.audit.approved': body('ACCEPTED'),
    'task.audit.rejected': body('DECLINED'),
    'task.audit.fixed': body('EDITED'),
    'task.recalled': null,
  })
})

test('every status has a word, and a task that was born suspended is PENDING', () => {
  const wordOf = (status: Task['status'], resume_status: Task['status'] | null = null) =>
    superai.statusWord({ ...task, status, resume_status }, now)
  assert.deepEqual(
    taskStatuses.map((status) => wordOf(status, status === 'suspended' ? 'waiting' : null)),
    [
      'SCHEDULED',
      'IN_PROGRESS',
      'IN_PROGRESS',
      'IN_PROGRESS',
      'SUSPENDED',
      'COMPLETED',
      'FAILED',
      'CANCELED',
      'EXPIRED',
    ],
  )
  assert.equal(wordOf('suspended'), 'PENDING')
  const found = new Set(jobStates.flatMap(statusesOf))
  assert.equal(found.size, taskStatuses.length)
  assert.deepEqual(statusesOf('PENDING'), ['suspended'])
})

test('a job carries what came in digit by digit, its verdict, and times with an offset', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(presentJob(task), textOf)), {
    id: '480123',
    uuid: task.id,
    appId: task.type,
    batchId: '5d1f4b0e',
    status: 'COMPLETED',
    input: task.params,
    metadata: task.metadata,
    tags: ['march'],
    callbackUrl: 'https://hooks.example.com/superai/',
    correct: null,
    jobType: 'DEFAULT',
    created: '2024-03-05T09:10:11+00:00',
    completed: '2024-03-05T09:12:40.512000+00:00',
  })
  const correct = (['approved', 'rejected', 'fixed'] as const).map(
    (audit_status) => presentJob({ ...task, audit_status })['correct'],
  )
  assert.deepEqual(correct, [true, false, null])
  const bare = { ...task, ext: printFields({ batch_id: 'b', tags: [], has_metadata: false }) }
  assert.equal(presentJob(bare)['metadata'], null)
  assert.equal(offsetTime(now + 7), '2024-03-05T09:10:11.007000+00:00')
})

const textOf = (_name: string, value: unknown) =>
  typeof value === 'object' && value !== null && 'text' in value ? value.text : value

const secret = (changes: Partial<Secret>): Secret => ({
  id: 's',
  project_id: 'p',
  kind: 'signing',
  mode: null,
  value: createSigningKey(),
  created_at: now,
  expires_at: null,
  ...changes,
})
const ready = { event_id: 'event-1', mode: 'live', resend: 0, body: '{"action": "RESOLVED"}' } as Ready

test('an attempt is signed over its very bytes with the oldest key that holds, r and s side by side', () => {
  const [young, old, gone] = [secret({}), secret({ expires_at: now + 1 }), secret({ expires_at: now })]
  const headers = (secrets: Secret[], changes: Partial<Ready> = {}) =>
    superai.headers({ ...ready, ...changes }, { secrets, attempt: 3, now })
  const { 'x-superai-webhook-signature': text = '', ...rest } = headers([young, old, gone])
  const signature = Buffer.from(text, 'base64')
  assert.equal(signature.length, 64)
  const holds = ({ value }: Secret) =>
    verify(
      'sha256',
      Buffer.from(ready.body),
      { key: publicKeyOf(value), dsaEncoding: 'ieee-p1363' },
      signature,
    )
  assert.deepEqual([young, old, gone].map(holds), [false, true, false])
  assert.deepEqual(rest, {
    'content-type': 'application/json',
    'user-agent': 'Ringback/1.2.3',
    'webhook-id': 'event-1',
    'ringback-attempt': '3',
  })
  assert.equal(headers([young], { resend: 1 })['ringback-resend'], '1')
  assert.equal('x-superai-webhook-signature' in headers([]), false)
})

test('a new project shows the public key that its receivers check with', () => {
  const signing_secret = superai.credentials.signingSecret((size) => Buffer.alloc(size, 1))
  const shown = superai.credentials.aliases?.({ live_key: '', signing_secret })
  assert.match(shown?.['signing_public_key'] ?? '', /^-----BEGIN PUBLIC KEY-----\n/)
  assert.match(signing_secret, /^-----BEGIN PRIVATE KEY-----\n/)
})

test('everything but a 2xx is retried, 20 times in 24 hours', () => {
  const policy = superai.policy({ settings: defaultSettings } as Project)
  assert.deepEqual([policy.waits.length, policy.window_ms, policy.timeout_ms], [20, 86_400_000, 30_000])
  const gone = { ...unanswered('timeout', ''), kind: 'status' as const, status: 410 }
  assert.ok(policy.retryable(gone))
})

test('an error is said as one message, and never as a word that clients repeat themselves for', () => {
  const codes = ['unauthorized', 'destination_forbidden', 'body_too_large', 'conflict'] as const
  const said = codes.map((code) => superai.front!.refuse(new AppError(code, 'why')))
  assert.deepEqual(
    said.map(({ status }) => status),
    [401, 400, 413, 409],
  )
  assert.equal(said[0]?.body, '{"message":"why"}')
  assert.match(said[2]?.body ?? '', /longer than 4194304 bytes/)
})
