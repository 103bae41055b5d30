import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draftCall } from './draft-call.ts'

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
  const plan = {
    request: { method: 'POST' as const, url: 'https://run.test/', headers: {}, body: null },
    poll: { url_template: 'https://poll.test/{id}', result_url_template: 'https://result.test/{id}' },
    not_before: null,
  }
  const fields = { url: 'request.url', poll: 'poll.url', result: 'poll.result_url' }
  const options = { placeholder: '{{callback_url}}', callback_id: null, now: 0, fields }
  const scope = { project_id: 'p', mode: 'live' as const }
  await assert.rejects(draftCall({ egress: { checkUrl } }, scope, plan as never, options), {
    message: 'poll.url: poll.test is not public.',
  })
  assert.deepEqual(asked, ['run.test', 'poll.test', 'result.test'])
})
