import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskEvent } from '../../domain/event.ts'
import { unanswered } from '../../domain/outcome.ts'
import { defaultSettings, type Project, type Secret } from '../../domain/project.ts'
import type { Task } from '../../domain/task.ts'
import type { Ready } from '../../store/store.ts'
import { accessKeyIn } from './callback.ts'
import { printExt } from './ext.ts'
import { presentResult } from './present.ts'
import { sign } from './signature.ts'
import { createStardust } from './stardust.ts'

const stardust = createStardust({ version: '1.2.3', window_ms: 300_000 })
const now = Date.UTC(2030, 0, 1)

test('the signature is that of the contract’s vector', () => {
  assert.equal(
    sign('1716000000000', { id: 'ak_made_up_id_0001', secret: 'sk_made_up_secret_0002' }),
    '0c4de0c1248b93ff949704e3f7243841',
  )
})

const task = {
  id: '01890000-0000-7000-8000-000000000000',
  project_id: 'p',
  mode: 'live',
  external_id: '1950000000000000001',
  type: 'IMAGE',
  status: 'completed',
  audit_status: null,
  params: '{"attachmentType":"IMAGE","metadata":{"n":1.0}}',
  response: '{"annotations":[{"id":1950000000000000001}]}',
  error: null,
  ext: printExt({
    access_key: '"ak_0a"',
    project_id: '9007199254740993',
    project_name: '"p"',
    operators: '[{"key":"box2d"}]',
    file_name: '"in.jsonl"',
  }),
  callback_succeeded: null,
  created_at: now,
  updated_at: now,
} as Task
const event: TaskEvent = {
  id: 'e',
  task_id: task.id,
  sequence: 1,
  type: 'task.completed',
  detail: null,
  created_at: now,
}
const readyWith = (body: string) => ({ body, mode: 'live' }) as Ready

test('a callback has three members, the same word in and out of its task, and JSON digit by digit', () => {
  const body = stardust.callback(event, task) ?? ''
  const parsed = JSON.parse(body) as Record<string, unknown> & { task: Record<string, unknown> }
  assert.deepEqual(Object.keys(parsed), ['taskId', 'status', 'task'])
  assert.deepEqual([parsed['taskId'], parsed.task['taskId']], [task.external_id, task.external_id])
  assert.deepEqual([parsed['status'], parsed.task['status']], ['completed', 'completed'])
  assert.equal('callback_succeeded' in parsed.task, false)
  assert.match(
    body,
    /"taskParams":\{"record":\{"attachmentType":"IMAGE","metadata":\{"n":1\.0\}\},"operators":\[\{"key":"box2d"\}\]\}/,
  )
  assert.match(
    body,
    /"result":\{"annotations":\[\{"id":1950000000000000001\}\],"issues":\[\],"hints":\[\],"metadata":\{\}\}/,
  )
  assert.match(body, /"projectId":9007199254740993,"projectName":"p"/)
})

test('a callback that tells of an error says why', () => {
  const error = '{"message":"no such camera","code":"setup"}'
  const failed: Task = { ...task, status: 'failed', response: null, error }
  const body = stardust.callback({ ...event, type: 'task.errored' }, failed) ?? ''
  const { status, task: shown } = JSON.parse(body) as {
    status: string
    task: { status: string; result: unknown; errorMessage: unknown }
  }
  assert.deepEqual([status, shown.status, shown.result], ['error', 'error', null])
  assert.deepEqual(shown.errorMessage, {
    message: 'no such camera',
    pointErrorMsgs: null,
    isPointTimeOut: null,
  })
  assert.equal(stardust.callback({ ...event, type: 'task.recalled' }, task), null)
})

test('a result has all four members; what is no object stays what it is', () => {
  const shown = (response: string | null) => presentResult(response)?.text ?? null
  assert.equal(shown('{}'), '{"annotations":[],"issues":[],"hints":[],"metadata":{}}')
  assert.equal(
    shown('{"metadata":{"a":1},"2":0,"1":0}'),
    '{"metadata":{"a":1},"2":0,"1":0,"annotations":[],"issues":[],"hints":[]}',
  )
  assert.deepEqual([shown('[1]'), shown('null'), shown(null)], ['[1]', 'null', null])
})

const secret = (value: string, expires_at: number | null): Secret => ({
  id: value,
  project_id: 'p',
  kind: 'signing',
  mode: null,
  value,
  created_at: now,
  expires_at,
})

test('an attempt is signed for its own time, with the oldest secret that holds, in the name of the task’s creator', () => {
  const ready = readyWith(stardust.callback(event, task) ?? '')
  const secrets = [secret('sk_new', null), secret('sk_old', now + 2), secret('sk_gone', now)]
  const at = (time: number) => stardust.headers(ready, { secrets, attempt: 1, now: time })
  assert.deepEqual(at(now), {
    'content-type': 'application/json',
    'user-agent': 'Ringback/1.2.3',
    'x-stardust-key': 'ak_0a',
    'x-ts': String(now),
    'x-sign': sign(String(now), { id: 'ak_0a', secret: 'sk_old' }),
  })
  assert.equal(at(now + 2)['x-sign'], sign(String(now + 2), { id: 'ak_0a', secret: 'sk_new' }))
  assert.throws(() => stardust.headers(ready, { secrets: [], attempt: 1, now }), /no AccessKey secret/)
})

test('a callback is signed in the name of its own AccessKey, whatever its record says', () => {
  const params = '{"x":"\\"accessKeyId\\":\\"ak_0b\\"}}","y":{"z":{"accessKeyId":"ak_0b"}}}'
  assert.equal(accessKeyIn(stardust.callback(event, { ...task, params, response: params }) ?? ''), 'ak_0a')
  assert.throws(() => accessKeyIn('{"accessKeyId":"ak_0b"}'), /no AccessKey/)
})

const withSettings = (settings: Partial<Project['settings']>) =>
  ({ settings: { ...defaultSettings, ...stardust.settings, ...settings } }) as Project

test('the retries are the platform’s eight, unless the project has rules of its own', () => {
  const policy = stardust.policy(withSettings({}))
  const hours = policy.waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000
  assert.deepEqual([policy.waits.length, Math.round(hours * 10) / 10], [8, 23.5])
  assert.deepEqual([policy.waits[0], policy.window_ms, policy.timeout_ms], [30_000, 86_400_000, 30_000])
  assert.equal(stardust.policy(withSettings({})), policy)
  assert.equal(policy.retryable({ ...unanswered('timeout', ''), kind: 'status', status: 410 }), true)
  const own = stardust.policy(withSettings({ retry: { retries: 3, window_s: 60 }, timeout_ms: 5000 }))
  assert.deepEqual([own.waits.length, own.window_ms, own.timeout_ms], [3, 60_000, 5000])
})

test('a mail is about the task that its customer knows', () => {
  const ready = { ...readyWith(stardust.callback(event, task) ?? ''), event_type: 'task.completed' } as Ready
  assert.equal(
    stardust.mailHeaders(ready, { secrets: [], attempt: 1, now })['ringback-task'],
    task.external_id,
  )
})
