// The official packages are the judges here; that our signatures please ourselves proves nothing.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { createSigner, sign, verifyCallback, webhookHeaders } from './index.ts'
import type { VerificationError, VerificationCode } from './index.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const otherSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const nowS = 1_790_000_000
const now = () => nowS * 1000
const body = '{"id":"evt_1","type":"task.completed","task_id":"t_1","sequence":1,"response":"grüezi 🪁"}'

const failsWith = (code: VerificationCode) => (error: VerificationError) =>
  error.name === 'VerificationError' && error.code === code

test('a signature is the one that the official package makes', () => {
  const official = new Webhook(secret).sign('evt_1', new Date(nowS * 1000), body)
  assert.equal(sign(secret, 'evt_1', nowS, body), official)
  assert.equal(sign(secret, 'evt_1', nowS, Buffer.from(body)), official)
  assert.equal(new SvixWebhook(secret).sign('evt_1', new Date(nowS * 1000), body), official)
})

// The official packages read the real clock.
test('the official packages accept our headers, from either secret of a rotation', () => {
  const headers = webhookHeaders(
    createSigner([secret, otherSecret]),
    'evt_1',
    Math.floor(Date.now() / 1000),
    body,
  )
  assert.equal(headers['webhook-signature'].split(' ').length, 2)
  for (const each of [secret, otherSecret]) {
    assert.deepEqual(new Webhook(each).verify(body, headers), JSON.parse(body))
    assert.doesNotThrow(() => new SvixWebhook(each).verify(body, headers))
  }
})

test('a callback signed by the official packages verifies', () => {
  for (const signer of [new Webhook(secret), new SvixWebhook(secret)]) {
    const headers = {
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(nowS),
      'webhook-signature': signer.sign('evt_1', new Date(nowS * 1000), body),
    }
    assert.deepEqual(verifyCallback(headers, body, secret, { now }), JSON.parse(body))
  }
})

test('any body, id, time and secret makes the round trip, here and through the official package', () => {
  const arbitrary = fc.record({
    key: fc.uint8Array({ minLength: 24, maxLength: 64 }),
    id: fc.stringMatching(/^[\w-]{1,40}$/),
    ageS: fc.integer({ min: -300, max: 300 }),
    response: fc.json(),
    asBytes: fc.boolean(),
  })
  fc.assert(
    fc.property(arbitrary, ({ key, id, ageS, response, asBytes }) => {
      const anySecret = `whsec_${Buffer.from(key).toString('base64')}`
      const text = `{"id":"e","type":"task.completed","task_id":"t","response":${response}}`
      const raw = asBytes ? Buffer.from(text) : text
      const headers = webhookHeaders(createSigner(anySecret), id, nowS - ageS, raw)
      assert.deepEqual(verifyCallback(headers, raw, [anySecret], { now }), JSON.parse(text))
      assert.equal(
        headers['webhook-signature'],
        new Webhook(anySecret).sign(id, new Date((nowS - ageS) * 1000), text),
      )
    }),
    { numRuns: 200, seed: 7464 },
  )
})

test('a callback with any one byte changed, in the body or in a header, is refused', () => {
  const headers = webhookHeaders(createSigner(secret), 'evt_1', nowS, body)
  const parts = { ...headers, body }
  const tampering = fc
    .constantFrom<keyof typeof parts>(
      'webhook-id',
      'webhook-timestamp',
      'webhook-signature',
      'webhook-signature',
      'body',
    )
    .chain((part) =>
      fc.record({
        part: fc.constant(part),
        at: fc.nat(Buffer.byteLength(parts[part]) - 1),
        flip: fc.integer({ min: 1, max: 255 }),
      }),
    )
  fc.assert(
    fc.property(tampering, ({ part, at, flip }) => {
      const bytes = Buffer.from(parts[part])
      bytes[at] = bytes[at]! ^ flip
      const tampered = { ...parts, [part]: bytes.toString('latin1') }
      const raw = part === 'body' ? bytes : body
      assert.throws(() => verifyCallback(tampered, raw, secret, { now }), { name: 'VerificationError' })
    }),
    { numRuns: 1000, seed: 7464 },
  )
})

test('a signature whose spare base64 bits were changed is refused, although it decodes to the same bytes', () => {
  const headers = webhookHeaders(createSigner(secret), 'evt_1', nowS, body)
  const text = headers['webhook-signature']
  const twins = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    .split('')
    .map((char) => `${text.slice(0, -2)}${char}=`)
    .filter(
      (twin) =>
        twin !== text && Buffer.from(twin.slice(3), 'base64').equals(Buffer.from(text.slice(3), 'base64')),
    )
  assert.equal(twins.length, 3)
  for (const twin of twins) {
    assert.throws(
      () => verifyCallback({ ...headers, 'webhook-signature': twin }, body, secret, { now }),
      failsWith('no_matching_signature'),
    )
  }
})

test('a malformed secret is named as such, without showing it', () => {
  const malformed = [
    '',
    'whsec_',
    'rb_live_notasigningsecret',
    secret.slice('whsec_'.length),
    `${secret}\n`,
    `whsec_${'_'.repeat(32)}`,
    otherSecret.slice(0, -1),
    `whsec_${randomBytes(23).toString('base64')}`,
  ]
  for (const each of malformed) {
    assert.throws(
      () => createSigner([secret, each]),
      (error: VerificationError) =>
        error.code === 'malformed_secret' && !(each.length > 10 && error.message.includes(each.slice(6))),
      JSON.stringify(each),
    )
  }
  assert.throws(() => createSigner([]), failsWith('malformed_secret'))
})

test('signing for a time that is not in whole seconds is an error at once', () => {
  assert.throws(() => sign(secret, 'evt_1', nowS + 0.5, body), RangeError)
  assert.throws(() => sign(secret, 'evt_1', Number.NaN, body), RangeError)
})
