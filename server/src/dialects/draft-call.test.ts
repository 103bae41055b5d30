import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PollPlan, RequestPlan } from '../domain/call.ts'
import type { Scope } from '../domain/project.ts'
import { draftCall } from './draft-call.ts'

const request: RequestPlan = {
  url: 'https://run.test/',
  method: 'POST',
  headers: {},
  body: null,
  timeout_ms: 1000,
  retries: 0,
  backoff: 'linear',
  priority: 5,
}
const options = {
  placeholder: '{{callback_url}}',
  callback_id: null,
  now: 0,
  fields: { url: 'request.url', poll: 'poll.url', result: 'poll.result_url' },
}
const scope: Scope = { project_id: 'p', mode: 'live' }

test('all URLs of a call are judged at once, and the first that is refused is named', async () => {
  const asked: string[] = []
  const { promise: allAsked, resolve } = Promise.withResolvers<void>()
  // A name that DNS does not answer takes a second; three of them must not take three.
  const checkUrl = async ({ hostname }: URL) => {
    if (asked.push(hostname) === 3) resolve()
    await allAsked
    return hostname === 'run.test'
      ? { ok: true as const }
      : { ok: false as const, reason: `${hostname} is not public.` }
  }
  const poll: PollPlan = {
    url_template: 'https://poll.test/{id}',
    status_path: 'status',
    done_values: ['done'],
    fail_values: [],
    interval_ms: 1000,
    max_duration_ms: 60_000,
    result_path: '',
    result_url_template: 'https://result.test/{id}',
    error_path: null,
    forward_auth: false,
  }
  const plan = { request, poll, not_before: null, waits: false, wait_ms: null, resolve: null }
  await assert.rejects(draftCall({ egress: { checkUrl } }, scope, plan, options), {
    message: 'poll.url: poll.test is not public.',
  })
  assert.deepEqual(asked, ['run.test', 'poll.test', 'result.test'])
})

test('a request that tells its inbound URL very often is refused', async () => {
  const egress = { checkUrl: async () => ({ ok: true as const }) }
  const draft = (times: number) =>
    draftCall(
      { egress },
      scope,
      {
        request: { ...request, body: '{{callback_url}}'.repeat(times) },
        poll: null,
        not_before: null,
        waits: true,
        wait_ms: null,
        resolve: null,
      },
      options,
    )
  assert.equal((await draft(32)).url, request.url)
  await assert.rejects(draft(33), {
    code: 'invalid_request',
    message: '{{callback_url}}: stands 33 times in the request; at most 32 are filled in',
  })
})
