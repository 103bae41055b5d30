import assert from 'node:assert/strict'
import { test } from 'node:test'
import { providerOf } from '../providers/index.ts'
import { reported, type Reported } from './reported.ts'

const cases = (provider: string): ((body: unknown) => Reported) => {
  const plan = providerOf(provider)?.resolve
  assert.ok(plan)
  return (body) => reported(plan, JSON.stringify(body))
}

test('without a plan anything is done', () => {
  for (const body of ['null', '7', '{"status":"ERROR"}'])
    assert.deepEqual(reported(null, body), { kind: 'done' })
})

test('what fal reports is told by its status', () => {
  const fal = cases('fal')
  assert.deepEqual(fal({ status: 'OK', payload: {} }), { kind: 'done' })
  assert.deepEqual(fal({ status: 'ERROR', error: 'no GPU' }), { kind: 'failed', message: 'no GPU' })
  assert.deepEqual(fal({ status: 'ERROR' }), {
    kind: 'failed',
    message: 'The provider reported the status "ERROR".',
  })
  assert.deepEqual(fal({ status: 'IN_PROGRESS' }), { kind: 'progress' })
})

test('what Replicate reports is told by its status', () => {
  const replicate = cases('replicate')
  assert.deepEqual(replicate({ status: 'succeeded' }), { kind: 'done' })
  assert.deepEqual(replicate({ status: 'failed', error: 'bad input' }), {
    kind: 'failed',
    message: 'bad input',
  })
  assert.equal(replicate({ status: 'canceled', error: null }).kind, 'failed')
  for (const status of ['starting', 'processing'])
    assert.deepEqual(replicate({ status }), { kind: 'progress' })
})

test('a word that the plan does not know, and none at all, are unclear', () => {
  const fal = cases('fal')
  const reason = (body: unknown) => {
    const { kind, ...rest } = fal(body)
    assert.equal(kind, 'unclear')
    return 'reason' in rest ? rest.reason : ''
  }
  assert.match(reason({ status: 'PAUSED' }), /"PAUSED" at "status" \(resolve\.status_path\)/)
  assert.ok(reason({ status: 'x'.repeat(1000) }).length < 300)
  for (const body of [{}, { status: null }, { status: { a: 1 } }, [], 'OK', null])
    assert.match(reason(body), /no status at "status"/)
})

test('a number and a boolean are told by how they are written', () => {
  const plan = {
    status_path: 'data.0.code',
    done_values: ['1.0', 'true'],
    fail_values: [],
    ignore_values: [],
    error_path: null,
  }
  assert.equal(reported(plan, '{"data":[{"code":1.0}]}').kind, 'done')
  assert.equal(reported(plan, '{"data":[{"code":true}]}').kind, 'done')
  assert.equal(reported(plan, '{"data":[{"code":1}]}').kind, 'unclear')
})
