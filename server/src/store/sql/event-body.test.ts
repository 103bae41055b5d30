import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packBody, unpackBody } from './event-body.ts'

const long = JSON.stringify({ text: '$&$1'.repeat(100), n: 1950000000000000001n.toString() })

test('a body is given back to the byte, and a response that repeats is kept once', () => {
  const body = `{"response":${long},"task":{"response":${long},"status":"completed"}}`
  const packed = packBody(body, long)
  assert.equal(unpackBody(packed), body)
  assert.ok(packed.body!.length + packed.payload!.length < body.length - long.length + 10)
})

test('what stands in a body more than twice is kept as often as it is more', () => {
  const body = `[${Array.from({ length: 900 }, () => long).join()}]`
  const packed = packBody(body, long)
  assert.equal(unpackBody(packed), body)
  assert.equal(packed.body!.length + 2 * packed.payload!.length, body.length + 2)
})

test('what does not repeat, is short, or has the mark in it already stays as it is', () => {
  for (const [body, repeated] of [
    [null, long],
    ['{"task":1}', null],
    [`{"response":${long}}`, long],
    ['{"response":1,"task":{"response":1}}', '1'],
    [`\u0001${long}${long}`, long],
  ] as const) {
    assert.deepEqual(packBody(body, repeated), { body, payload: null })
    assert.equal(unpackBody({ body, payload: null }), body)
  }
})
