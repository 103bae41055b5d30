// What becomes of AsyncQueue's tasks on a whole platform: what is called, when again, what it means, and what the completion webhook
// says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startAsyncqueue } from './asyncqueue-platform.ts'

test('a task calls its target as it was told to, and tells of the answer', async (t) => {
  const { answerCalls, assertSigned, called, create, done, hook, told } = await startAsyncqueue(t)
  answerCalls({ status: 201, headers: { 'X-Kind': 'a' }, body: '{ "n": 1950000000000000001 }' })
  const body = '{"prompt":"ein rötes Kite"}'
  const { task } = await create({ method: 'PUT', headers: { 'X-Demo': '1' }, body, onCompleteUrl: hook })
  assert.equal(task.status, 'pending')
  const call = await called(1)
  assert.deepEqual([call.method, call.path, call.text], ['PUT', '/run', body])
  assert.equal(call.headers['x-demo'], '1')
  assertSigned(call)
  const completed = await done(task.id)
  assert.equal(completed.status, 'completed')
  assert.deepEqual(completed.result, {
    statusCode: 201,
    headers: { ...completed.result?.headers, 'x-kind': 'a' },
    body: '{ "n": 1950000000000000001 }',
    duration: completed.result?.duration,
  })
  const { id, status, result, error, retryCount, createdAt, completedAt } = completed
  assert.deepEqual(await told(1), [
    {
      event: 'task.completed',
      task: { id, status, result, error, retryCount, createdAt, completedAt },
    },
  ])
  assert.deepEqual([error, retryCount], [null, 0])
})
