import assert from 'node:assert/strict'
import test from 'node:test'
import { createSigner, verifyCallback, webhookHeaders } from './index.ts'
import type { HeadersLike, VerificationCode, VerificationError } from './index.ts'

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const oldSecret = `whsec_${Buffer.alloc(32, 2).toString('base64')}`
const strangerSecret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`
const nowS = 1_790_000_000
const now = () => nowS * 1000 + 999
const body = '{"id":"evt_1","type":"task.completed","task_id":"t_1","sequence":1}'
const event = JSON.parse(body)

const headersOf = (signedBody: string | Uint8Array = body, timestampS = nowS, secrets = [secret]) =>
  webhookHeaders(createSigner(secrets), 'evt_1', timestampS, signedBody)

function refused(
  code: VerificationCode,
  headers: HeadersLike,
  rawBody: string | Uint8Array = body,
  secrets = [secret],
) {
  assert.throws(
    () => verifyCallback(headers, rawBody, secrets, { now }),
    (error: VerificationError) => error.name === 'VerificationError' && error.code === code,
  )
}

test('headers are read from every usual form, whatever their case', () => {
  const headers = headersOf()
  const capitals = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]),
  )
  const forms: HeadersLike[] = [
    headers,
    capitals,
    new Headers(headers),
    new Map(Object.entries(capitals)),
    Object.entries(capitals),
    { ...headers, 'set-cookie': ['a', 'b'], host: undefined },
    { ...headers, 'webhook-signature': [headers['webhook-signature']] },
  ]
  for (const form of forms) assert.deepEqual(verifyCallback(form, body, secret, { now }), event)
})

test('each missing or empty header is a missing_header', () => {
  for (const name of Object.keys(headersOf())) {
    refused('missing_header', { ...headersOf(), [name]: undefined })
    refused('missing_header', { ...headersOf(), [name]: '' })
  }
})

test('a timestamp that is no Unix time in seconds is a bad_timestamp', () => {
  for (const timestamp of [
    'soon',
    '-1',
    '1e9',
    `0${nowS}`,
    `${nowS}.0`,
    '2026-09-21T14:13:20Z',
    '9'.repeat(16),
  ]) {
    refused('bad_timestamp', { ...headersOf(), 'webhook-timestamp': timestamp })
  }
})

test('a timestamp may be five minutes off in either direction and not a second more', () => {
  assert.deepEqual(verifyCallback(headersOf(body, nowS - 300), body, secret, { now }), event)
  assert.deepEqual(verifyCallback(headersOf(body, nowS + 300), body, secret, { now }), event)
  refused('too_old', headersOf(body, nowS - 301))
  refused('too_new', headersOf(body, nowS + 301))
  refused('too_new', headersOf(body, nowS * 1000))
})

test('the tolerance can be set', () => {
  const headers = headersOf(body, nowS - 301)
  assert.deepEqual(verifyCallback(headers, body, secret, { now, toleranceS: 301 }), event)
})

test('one matching pair among several signatures and several secrets is enough', () => {
  const rotating = headersOf(body, nowS, [secret, oldSecret])
  assert.deepEqual(verifyCallback(rotating, body, [oldSecret], { now }), event)
  assert.deepEqual(verifyCallback(headersOf(), body, [strangerSecret, oldSecret, secret], { now }), event)
  const mixed = {
    ...headersOf(),
    'webhook-signature': `v1a,AAAA v2,x  v1, ${headersOf()['webhook-signature']}`,
  }
  assert.deepEqual(verifyCallback(mixed, body, secret, { now }), event)
  refused('no_matching_signature', rotating, body, [strangerSecret])
})

test('a signature under another version is not read as v1', () => {
  const signature = headersOf()['webhook-signature'].replace('v1,', 'v2,')
  refused('no_matching_signature', { ...headersOf(), 'webhook-signature': signature })
})

test('a body that was parsed and written again has no matching signature', () => {
  const spaced = '{"id": "evt_1", "type": "task.completed", "task_id": "t_1"}'
  refused('no_matching_signature', headersOf(spaced), JSON.stringify(JSON.parse(spaced)))
})

test('a signed body that is not a Ringback event is invalid_json', () => {
  for (const odd of ['', '{"id":', 'null', '[]', '"evt_1"', '{"id":1,"type":"a","task_id":"b"}']) {
    refused('invalid_json', headersOf(odd), odd)
  }
  const notUtf8 = Buffer.from([0x7b, 0xff, 0x7d])
  refused('invalid_json', headersOf(notUtf8), notUtf8)
})
