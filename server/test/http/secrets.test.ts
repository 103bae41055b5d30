// Secrets in their operators' hands: read again and rotated over HTTP, and what that means at a real receiver, by a clock
// that the test moves.
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { test, type TestContext } from 'node:test'
import { verifyCallback, VerificationError } from '@ringback/sdk'
import { startEngine, startWorld } from '../support/engine.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { startApi, type Row } from './start-api.ts'

const LIST = '/v1/project/secrets'
const ROTATE = '/v1/project/secrets/rotate'

/** What is told of secrets but their ids and times of birth. */
const told = (rows: Row[]) => rows.map(({ kind, mode, value, expires_at }) => [kind, mode, value, expires_at])

test('an operator reads the secrets of the key’s mode, as they were made', async (t) => {
  const { call, credentials } = await startApi(t)
  const { signing_secret, callback_auth_key, test_callback_auth_key } = credentials
  const { status, body } = await call('GET', LIST, { key: credentials.operator_key })
  assert.equal(status, 200)
  assert.equal(body.next_cursor, null)
  assert.deepEqual(told(body.data), [
    ['callback_auth', 'live', callback_auth_key, null],
    ['signing', null, signing_secret, null],
  ])
  assert.equal(body.data[0]!.created_at, '2030-01-01T00:00:00.000Z')
  const other = await call('GET', LIST, { key: credentials.test_operator_key })
  assert.deepEqual(told(other.body.data), [
    ['callback_auth', 'test', test_callback_auth_key, null],
    ['signing', null, signing_secret, null],
  ])
})

test('a rotation gives a new secret and keeps the old one for its grace', async (t) => {
  const { call, clock, credentials } = await startApi(t)
  const key = credentials.operator_key
  const rotated = await call('POST', ROTATE, { key, json: { which: 'signing', grace_s: 60 } })
  assert.equal(rotated.status, 201, rotated.text)
  const { id: _, value, ...rest } = rotated.body
  assert.match(value, /^whsec_[\w+/]{43}=$/)
  assert.notEqual(value, credentials.signing_secret)
  assert.deepEqual(rest, {
    kind: 'signing',
    mode: null,
    created_at: '2030-01-01T00:00:00.000Z',
    expires_at: null,
    older_expire_at: '2030-01-01T00:01:00.000Z',
  })
  const auth = await call('POST', ROTATE, { key, json: { which: 'callback_auth' } })
  assert.match(auth.body.value, /^rb_auth_live_[0-9a-f]{48}$/)
  assert.equal(auth.body.older_expire_at, '2030-01-02T00:00:00.000Z', 'a day unless told otherwise')

  const secrets = async () => told((await call('GET', LIST, { key })).body.data)
  const current = [
    ['callback_auth', 'live', auth.body.value, null],
    ['signing', null, value, null],
  ]
  const older = ['callback_auth', 'live', credentials.callback_auth_key, '2030-01-02T00:00:00.000Z']
  assert.deepEqual(await secrets(), [
    ...current,
    older,
    ['signing', null, credentials.signing_secret, '2030-01-01T00:01:00.000Z'],
  ])
  clock.time += 60_000
  assert.deepEqual(await secrets(), [...current, older], 'what has expired is not told any more')
})

test('a rotation with an idempotency key is made once', async (t) => {
  const { call, credentials } = await startApi(t)
  const headers = { 'idempotency-key': 'leak' }
  const rotate = (which: string) =>
    call('POST', ROTATE, { key: credentials.operator_key, headers, json: { which } })
  const all = await Promise.all([rotate('signing'), rotate('signing'), rotate('signing')])
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([201]))
  assert.equal(new Set(all.map(({ text }) => text)).size, 1)
  assert.equal((await rotate('callback_auth')).body.code, 'idempotency_key_reused')
  const { data } = (await call('GET', LIST, { key: credentials.operator_key })).body
  assert.equal(data.length, 3)
})

test('what is wrong about a rotation is said with the remedy, and nothing is rotated', async (t) => {
  const { call, credentials, store, project } = await startApi(t)
  const { operator_key, live_key, test_key } = credentials
  const rotate = (key: string | null, json: unknown) => call('POST', ROTATE, { key, json })
  const which = 'signing'
  const scenarios: [string, ReturnType<typeof call>, number, string, RegExp][] = [
    ['no key', rotate(null, { which }), 401, 'unauthorized', /Bearer/],
    ['a customer rotates', rotate(live_key, { which }), 403, 'insufficient_scope', /operator key/],
    ['a test customer rotates', rotate(test_key, { which }), 403, 'insufficient_scope', /operator key/],
    ['a customer sends nonsense', rotate(live_key, { what: 1 }), 403, 'insufficient_scope', /operator key/],
    ['a customer reads', call('GET', LIST), 403, 'insufficient_scope', /operator key/],
    ['no body', rotate(operator_key, undefined), 400, 'invalid_request', /which: required/],
    ['a kind that is none', rotate(operator_key, { which: 'all' }), 400, 'invalid_request', /callback_auth/],
    ['a negative grace', rotate(operator_key, { which, grace_s: -1 }), 400, 'invalid_request', /grace_s/],
    ['half a second', rotate(operator_key, { which, grace_s: 0.5 }), 400, 'invalid_request', /grace_s/],
    ['31 days', rotate(operator_key, { which, grace_s: 2_678_400 }), 400, 'invalid_request', /2592000/],
    ['an unknown field', rotate(operator_key, { which, grace: 1 }), 400, 'unknown_field', /grace/],
  ]
  for (const [name, answering, status, code, detail] of scenarios) {
    await t.test(name, async () => {
      const { body, ...answer } = await answering
      assert.deepEqual([answer.status, body.code], [status, code], answer.text)
      assert.match(body.detail, detail)
    })
  }
  assert.equal((await store.secrets(project.id)).length, 3)
  for (let i = 0; i < 2; i++) assert.equal((await rotate(operator_key, { which })).status, 201)
  const fourth = await rotate(operator_key, { which })
  assert.deepEqual([fourth.status, fourth.body.code], [409, 'conflict'])
  assert.match(fourth.body.detail, /3 of these hold already.*grace_s 0/)
  assert.equal((await rotate(operator_key, { which, grace_s: 0 })).status, 201)
  assert.equal((await store.secrets(project.id)).length, 3)
})

const signatures = ({ headers }: { headers: IncomingHttpHeaders }): number =>
  String(headers['webhook-signature']).split(' ').length

/** An API, an engine and a receiver over one store, by a clock that the test moves. */
async function startAll(t: TestContext) {
  const clock = createManualClock()
  const world = await startWorld(t, { clock })
  const { attempted } = await startEngine(t, world)
  const { call, credentials } = await startApi(t, {}, { over: world.store })
  const seen: { headers: IncomingHttpHeaders; body: string }[] = []
  const receiver = await using(
    t,
    startReceiver(({ headers }, response, body) => {
      seen.push({ headers, body })
      response.end()
    }),
  )
  return {
    clock,
    credentials,
    /** Rotates with an operator key and gives the new text. */
    rotate: async (which: string, grace_s: number, key = credentials.operator_key): Promise<string> => {
      const { status, text, body } = await call('POST', ROTATE, { key, json: { which, grace_s } })
      assert.equal(status, 201, text)
      return body.value
    },
    /** Completes a task and gives the callback that arrives. */
    callback: async (key = credentials.live_key) => {
      const { body: task } = await call('POST', '/v1/tasks', { key, json: { callback_url: receiver.url } })
      await call('POST', `/v1/tasks/${task.id}/complete`, { key, json: { response: 1 } })
      await attempted(seen.length + 1)
      return seen.at(-1)!
    },
    /** Whether a receiver that knows these secrets believes a callback. */
    believes: ({ headers, body }: (typeof seen)[number], ...secrets: string[]): boolean => {
      try {
        verifyCallback(headers, body, secrets, { now: clock.now })
        return true
      } catch (error) {
        assert.ok(error instanceof VerificationError && error.code === 'no_matching_signature', String(error))
        return false
      }
    },
  }
}

test('a receiver with the old signing secret works until the grace ends, one with the new at once', async (t) => {
  const { clock, credentials, rotate, callback, believes } = await startAll(t)
  const old = credentials.signing_secret
  const before = await callback()
  assert.deepEqual([signatures(before), believes(before, old)], [1, true])

  const fresh = await rotate('signing', 3600)
  assert.deepEqual([believes(before, fresh), believes(before, fresh, old)], [false, true])
  // Not a millisecond has passed, so it is not a cache's age that shows the new secret.
  const during = await callback()
  assert.equal(signatures(during), 2)
  assert.deepEqual([believes(during, old), believes(during, fresh)], [true, true])
  assert.ok(believes(await callback(credentials.test_key), fresh), 'signing is for both modes')

  clock.advance(3_599_999)
  const last = await callback()
  assert.deepEqual([believes(last, old), believes(last, fresh)], [true, true])
  clock.advance(1)
  const after = await callback()
  assert.equal(signatures(after), 1)
  assert.deepEqual([believes(after, old), believes(after, fresh)], [false, true])

  const urgent = await rotate('signing', 0)
  const leaked = await callback()
  assert.deepEqual([believes(leaked, fresh), believes(leaked, urgent)], [false, true])
})

test('the callback auth key changes when the grace ends, in the mode of the key', async (t) => {
  const { clock, credentials, rotate, callback } = await startAll(t)
  const authOf = async (key?: string) => (await callback(key)).headers['ringback-callback-auth']
  const fresh = await rotate('callback_auth', 60)
  assert.equal(await authOf(), credentials.callback_auth_key)
  clock.advance(59_999)
  assert.equal(await authOf(), credentials.callback_auth_key)
  clock.advance(1)
  assert.equal(await authOf(), fresh)
  assert.equal(await authOf(credentials.test_key), credentials.test_callback_auth_key)
  const freshTest = await rotate('callback_auth', 0, credentials.test_operator_key)
  assert.deepEqual([await authOf(credentials.test_key), await authOf()], [freshTest, fresh])
})
