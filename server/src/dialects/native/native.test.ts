import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sign } from '@ringback/sdk'
import { defaultSettings, type Project, type Secret } from '../../domain/project.ts'
import { unanswered } from '../../domain/outcome.ts'
import type { Task } from '../../domain/task.ts'
import type { Ready } from '../../store/store.ts'
import { createNative } from './native.ts'

const native = createNative({ version: '1.2.3' })
const now = Date.UTC(2030, 0, 1)
const secretText = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString('base64')}`
const secret = (changes: Partial<Secret>): Secret => ({
  id: 's',
  project_id: 'p',
  kind: 'signing',
  mode: null,
  value: secretText(1),
  created_at: now,
  expires_at: null,
  ...changes,
})
const ready = { event_id: 'event-1', mode: 'test', resend: 0, body: '{"task_id":"t"}' } as Ready

test('an attempt is signed for its own time with every secret that still holds', () => {
  const secrets = [
    secret({ value: secretText(2) }),
    secret({ expires_at: now + 1 }),
    secret({ value: secretText(3), expires_at: now }),
    secret({ kind: 'callback_auth', mode: 'live', value: 'live' }),
    secret({ kind: 'callback_auth', mode: 'test', value: 'test' }),
  ]
  const headers = native.headers(ready, { secrets, attempt: 3, now })
  const signatures = [2, 1].map((fill) => sign(secretText(fill), 'event-1', now / 1000, ready.body))
  assert.equal(headers['webhook-signature'], signatures.join(' '))
  const { 'webhook-signature': _, ...rest } = headers
  assert.deepEqual(rest, {
    'content-type': 'application/json',
    'user-agent': 'Ringback/1.2.3',
    'webhook-id': 'event-1',
    'webhook-timestamp': '1893456000',
    'ringback-attempt': '3',
    'ringback-callback-auth': 'test',
  })
  assert.equal(native.headers({ ...ready, resend: 1 }, { secrets, attempt: 1, now })['ringback-resend'], '1')
})

test('the callback auth key is the oldest that still holds, since a header has one value', () => {
  const key = (value: string, expires_at: number | null) =>
    secret({ kind: 'callback_auth', mode: 'test', value, expires_at })
  const secrets = [secret({}), key('new', null), key('old', now + 2), key('older', now + 1), key('gone', now)]
  const at = (time: number) =>
    native.headers(ready, { secrets, attempt: 1, now: time })['ringback-callback-auth']
  assert.deepEqual([at(now), at(now + 1), at(now + 2)], ['older', 'old', 'new'])
})

test('a callback has the documented fields in their order, and JSON digit by digit', () => {
  const task: Task = {
    id: 't',
    project_id: 'p',
    mode: 'live',
    external_id: null,
    type: 'task',
    status: 'completed',
    resume_status: null,
    audit_status: 'fixed',
    params: '1E400',
    response: '{"n":1.0}',
    error: null,
    metadata: '{}',
    unique_id: null,
    ext: null,
    call_plan: null,
    call_report: null,
    callback_url: null,
    destination_id: null,
    callback_succeeded: null,
    callback_succeeded_at: null,
    callback_hash: 'ours',
    callback_used: 1,
    event_count: 2,
    last_told: null,
    created_at: now,
    updated_at: now,
    completed_at: now,
    expires_at: null,
    version: 3,
  }
  const event = {
    id: 'e',
    task_id: 't',
    sequence: 2,
    type: 'task.audit.fixed' as const,
    detail: '{"verdict":"fixed"}',
    created_at: now,
  }
  const body = native.callback(event, task) ?? ''
  assert.match(
    body,
    /^\{"id":"e","type":"task\.audit\.fixed","timestamp":"2030-01-01T00:00:00\.000Z","sequence":2,"task_id":"t","status":"completed","response":\{"n":1\.0\},"detail":\{"verdict":"fixed"\},"task":\{/,
  )
  assert.match(body, /"params":1E400/)
  assert.doesNotMatch(body, /ours/)
})

const statusOutcome = (code: number) => ({
  ...unanswered('timeout', ''),
  kind: 'status' as const,
  status: code,
})

test('the policy is the project’s own, and only 410 ends it at once', () => {
  const project = { settings: { ...defaultSettings, retry: { retries: 3, window_s: 60 } } } as Project
  const policy = native.policy(project)
  assert.deepEqual([policy.waits.length, policy.window_ms, policy.timeout_ms], [3, 60_000, 30_000])
  assert.equal(native.policy(project), policy)
  assert.equal(policy.retryable(statusOutcome(410)), false)
  assert.equal(policy.retryable(statusOutcome(404)), true)
})
