import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainStart } from './postgres-start.ts'

test('a password that was not given is asked for, where the URL stood', () => {
  const error = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')
  const explained = explainStart(error, 'postgres://somebody@db.example:5433/callbacks', '--to')
  assert.ok(explained instanceof Error)
  assert.equal(
    explained.message,
    'PostgreSQL at db.example:5433 wants a password of somebody: put it into --to, or set PGPASSWORD',
  )
})
