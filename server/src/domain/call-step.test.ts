import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noReport, type Call, type CallPlan, type PollPlan, type RequestPlan } from './call.ts'
import { afterCall, backoffMs, type CallAnswer, type CallContext, type CallRules } from './call-step.ts'

const now = 1_000_000

const request: RequestPlan = {
  url: 'https://provider.test/run',
  method: 'POST',
  headers: {},
  body: null,
  timeout_ms: 30_000,
  retries: 3,
  backoff: 'exponential',
  priority: 5,
}
const poll: PollPlan = {
  url_template: 'https://provider.test/jobs/{startResult.body.id}',
  status_path: 'status',
  done_values: ['done'],
  fail_values: ['failed'],
  interval_ms: 5000,
  max_duration_ms: 600_000,
  result_path: 'output',
  result_url_template: null,
  error_path: 'error',
  forward_auth: true,
}
const rules: CallRules = {
  verdict: (status) => (status >= 500 ? 'again' : status >= 400 ? 'bad' : 'good'),
  heeds_retry_after: true,
  response: (text) => text,
}

function context(
  call: Partial<Call> = {},
  plan: Partial<CallPlan> = {},
  changed: Partial<RequestPlan> = {},
): CallContext {
  const asked = { ...request, ...changed }
  return {
    call: {
      task_id: 't',
      project_id: 'p',
      mode: 'live',
      destination_id: 'd',
      step: 'request',
      state: 'sending',
      url: asked.url,
      result_url: null,
      callback_id: null,
      priority: 5,
      timeout_ms: 30_000,
      due_at: null,
      attempt_count: 0,
      failure_count: 0,
      unknown_streak: 0,
      lease_owner: 'me',
      lease_until: now,
      fence: 1,
      created_at: 0,
      ...call,
    },
    plan: {
      request: asked,
      not_before: null,
      waits: false,
      wait_ms: null,
      poll: null,
      resolve: null,
      ...plan,
    },
    request: asked,
    report: { ...noReport, started_at: now - 700 },
  }
}

const answered = (status: number, body = '', more: Partial<CallAnswer> = {}): CallAnswer =>
  ({
    kind: 'answered',
    status,
    headers: { 'x-from': 'provider' },
    body,
    error: status < 400 ? null : `HTTP ${status}`,
    retry_after_ms: null,
    duration_ms: 12,
    ...more,
  }) as CallAnswer

const after = (state: CallContext, answer: CallAnswer) => afterCall(state, answer, rules, now)
const messageOf = (move: ReturnType<typeof after>) =>
  (JSON.parse(move.task?.input.error ?? '{}') as { message?: string }).message

test('retries wait 1, 2, 4, 8 seconds, or 1, 2, 3', () => {
  const retries = [1, 2, 3, 4, 10]
  assert.deepEqual(
    retries.map((retry) => backoffMs({ backoff: 'exponential' }, retry)),
    [1000, 2000, 4000, 8000, 512_000],
  )
  assert.deepEqual(
    retries.map((retry) => backoffMs({ backoff: 'linear' }, retry)),
    [1000, 2000, 3000, 4000, 10_000],
  )
})

test('an answer completes a task that waits for nothing, with its status, headers and time', () => {
  const { task, call } = after(context(), answered(200, '{"n":1950000000000000001}'))
  assert.equal(task?.verb, 'complete')
  assert.equal(task.input.response, '{"n":1950000000000000001}')
  assert.deepEqual(JSON.parse(task.input.call_report ?? ''), {
    started_at: now - 700,
    retry_count: 0,
    answer: { status: 200, headers: { 'x-from': 'provider' }, duration_ms: 12 },
  })
  assert.deepEqual([call.state, call.due_at], ['ended', null])
})

test('what fails is retried as often as planned, and then fails with the last error', () => {
  for (const answer of [answered(503), { kind: 'unanswered', error: 'HTTP 503' } as const]) {
    const { task, call } = after(context({ failure_count: 1 }), answer)
    assert.deepEqual(
      [task?.verb, call.state, call.due_at, call.failure_count],
      ['retry', 'pending', now + 2000, 2],
    )
    const last = after(context({ failure_count: 3 }), answer)
    assert.deepEqual([last.task?.verb, last.call.state, messageOf(last)], ['fail', 'ended', 'HTTP 503'])
  }
  const wished = after(context(), answered(503, '', { retry_after_ms: 30_000 }))
  assert.equal(wished.call.due_at, now + 30_000)
  const never = after(context({}, {}, { retries: 0 }), answered(503))
  assert.equal(never.task?.verb, 'fail')
})

test('an attempt whose end nobody saw burns no retry, and five in a row wait for an hour', () => {
  const { task, call } = after(context({ failure_count: 2 }), { kind: 'unknown' })
  assert.deepEqual([task?.verb, call.due_at, call.failure_count, call.unknown_streak], ['retry', now, 2, 1])
  assert.equal(after(context({ unknown_streak: 4 }), { kind: 'unknown' }).call.due_at, now + 3_600_000)
  const polling = after(context({ step: 'poll' }, { poll }), { kind: 'unknown' })
  assert.deepEqual([polling.task, polling.call.due_at], [null, now])
})

test('what can never succeed fails at once', () => {
  const { task, call } = after(context(), { kind: 'unusable', error: 'The token tok_1 is revoked.' })
  assert.deepEqual([task?.verb, call.state], ['fail', 'ended'])
})

test('a good answer lets a task wait, for as long as planned', () => {
  const { task, call } = after(context({}, { waits: true, wait_ms: 60_000 }), answered(202))
  assert.deepEqual(task, { verb: 'listen', input: { expires_at: now + 60_000 } })
  assert.equal(call.state, 'ended')
  assert.deepEqual(after(context({}, { waits: true }), answered(202)).task?.input, {})
  assert.equal(after(context({}, { waits: true }), answered(422)).task?.verb, 'fail')
})

test('a good answer begins to poll at the URL that it names', () => {
  const { task, call } = after(context({}, { poll, waits: true }), answered(201, '{"id":"a/../b"}'))
  assert.deepEqual(task, { verb: 'poll', input: { expires_at: now + 600_000 } })
  assert.deepEqual(
    [call.step, call.url, call.due_at, call.failure_count],
    ['poll', 'https://provider.test/jobs/a%2F..%2Fb', now + 5000, 0],
  )
})

test('an answer without what the template asks for fails the task and names it', () => {
  for (const body of ['{}', '{"id":null}', '{"id":{}}', 'no JSON', '']) {
    const move = after(context({}, { poll }), answered(201, body))
    assert.equal(move.task?.verb, 'fail')
    assert.match(messageOf(move) ?? '', /nothing at "id", which \{startResult\.body\.id\} stands for/)
  }
})

test('a poll goes on until its status is one of those that end it', () => {
  const polling = context({ step: 'poll', url: 'https://provider.test/jobs/1' }, { poll })
  for (const body of ['{"status":"running"}', '{}', '{"status":null}', 'no JSON', ''])
    assert.deepEqual(
      [after(polling, answered(200, body)).task, after(polling, answered(200, body)).call.due_at],
      [null, now + 5000],
    )
  const done = after(polling, answered(200, '{"status":"done","output":[1.0,2]}'))
  assert.deepEqual([done.task?.verb, done.task?.input.response], ['complete', '[1.0,2]'])
  assert.equal(
    (JSON.parse(done.task?.input.call_report ?? '') as { answer: { duration_ms: number } }).answer
      .duration_ms,
    700,
  )
  const nowhere = after(polling, answered(200, '{"status":"done"}'))
  assert.equal(nowhere.task?.input.response, '{"status":"done"}')
  const failed = after(polling, answered(200, '{"status":"failed","error":"no GPU"}'))
  assert.deepEqual([failed.task?.verb, messageOf(failed)], ['fail', 'no GPU'])
  const mute = after(polling, answered(200, '{"status":"failed"}'))
  assert.match(messageOf(mute) ?? '', /reported the status "failed"/)
})

test('a poll outlives the provider’s troubles, but not three refusals in a row', () => {
  const polling = (failure_count: number) => context({ step: 'poll', failure_count }, { poll })
  for (const answer of [
    answered(500),
    answered(429),
    answered(408),
    { kind: 'unanswered', error: 'x' } as const,
  ]) {
    const { task, call } = after(polling(2), answer)
    assert.deepEqual([task, call.failure_count], [null, 0])
  }
  for (const status of [401, 403, 404]) {
    assert.equal(after(polling(1), answered(status)).call.failure_count, 2)
    const last = after(polling(2), answered(status))
    assert.deepEqual([last.task?.verb, messageOf(last)], ['fail', `Polling failed. HTTP ${status}`])
  }
})

test('a result with a URL of its own is read there, and its refusal is a failure', () => {
  const urls = { step: 'poll', result_url: 'https://provider.test/results/1' } as const
  const plan = { poll: { ...poll, result_path: '', error_path: 'detail' } }
  const { task, call } = after(context(urls, plan), answered(200, '{"status":"done"}'))
  assert.deepEqual([task, call.step, call.url, call.due_at], [null, 'result', urls.result_url, now])
  const reading = (failure_count = 0) =>
    context({ step: 'result', url: urls.result_url, failure_count }, plan)
  assert.equal(after(reading(), answered(200, ' {"images": []} ')).task?.input.response, '{"images":[]}')
  assert.equal(messageOf(after(reading(), answered(422, '{"detail":"unsafe"}'))), 'unsafe')
  assert.equal(messageOf(after(reading(), answered(404))), 'Reading the result failed. HTTP 404')
  assert.equal(after(reading(), answered(500)).task, null)
  assert.equal(after(reading(2), answered(500)).task?.verb, 'fail')
})
