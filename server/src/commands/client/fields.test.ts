import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyText, queryOf, type Fields } from './fields.ts'

const fields: Fields = {
  type: { doc: '' },
  params: { doc: '', kind: 'json' },
  expires_in_s: { doc: '', kind: 'whole' },
  message: { doc: '', within: 'error' },
  details: { doc: '', kind: 'json', within: 'error' },
}

test('flags become a body, JSON as it was typed and what belongs together under one name', () => {
  assert.equal(bodyText(fields, {}), '{}')
  assert.equal(
    bodyText(fields, {
      type: '"quoted"',
      params: '{"b": 1950000000000000001, "a":1.0,"a":2}',
      'expires-in-s': '60',
      message: 'no',
      details: '1E400',
      json: true,
    }),
    '{"type":"\\"quoted\\"","params":{"b": 1950000000000000001, "a":1.0,"a":2},"expires_in_s":60,"error":{"message":"no","details":1E400}}',
  )
})

test('flags become a query as the texts they are, and others are left alone', () => {
  const query = queryOf(fields, { type: 'a&b', 'expires-in-s': '60', limit: '1' })
  assert.deepEqual(query, { type: 'a&b', expires_in_s: '60' })
})

test('a flag that is not what it should be is named', () => {
  const strict: Fields = { ...fields, verdict: { doc: 'How.', choices: ['good', 'bad'], required: true } }
  const bad: [flags: Record<string, string>, message: RegExp][] = [
    [{}, /^--verdict is missing: How\.$/],
    [{ verdict: 'so' }, /^--verdict is not valid: use good, bad$/],
    [{ verdict: 'bad', 'expires-in-s': '060' }, /^--expires-in-s is not valid: use a whole number$/],
    [{ verdict: 'bad', params: '{}, "x": 1' }, /^--params is not valid JSON: /],
  ]
  for (const [flags, message] of bad)
    assert.throws(() => bodyText(strict, flags), { name: 'UsageError', message })
})
