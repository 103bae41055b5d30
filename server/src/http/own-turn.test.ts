import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import type { Task } from '../domain/task.ts'
import { parseJsonBody } from './body.ts'
import { createWaiters } from './waiters.ts'

/** How many of these are over after each of the next turns of the event loop, as steps from one to the next. */
async function stepsOf(promises: readonly Promise<unknown>[]): Promise<number[]> {
  let over = 0
  for (const promise of promises) void promise.then(() => over++)
  const steps: number[] = []
  while (over < promises.length) {
    const before = over
    await nextTurn()
    steps.push(over - before)
  }
  return steps
}

test('large bodies are read one in a turn of the event loop, small ones at once', async () => {
  const parse = (length: number) =>
    parseJsonBody({ headers: {} } as FastifyRequest, Buffer.from(JSON.stringify('x'.repeat(length))))
  const large = await stepsOf(Array.from({ length: 5 }, () => parse(100_000)))
  assert.equal(Math.max(...large), 1)
  assert.deepEqual(await stepsOf(Array.from({ length: 5 }, () => parse(1000))), [5])
})

test('of those who wait for a task one is woken in a turn of the event loop', async () => {
  const { wait, notify, stop } = createWaiters()
  const waits = Array.from({ length: 5 }, () => wait('a', 60_000).moved)
  const steps = stepsOf(waits)
  const task = { id: 'a', status: 'completed' } as Task
  notify(task)
  assert.equal(Math.max(...(await steps)), 1)
  assert.deepEqual(
    await Promise.all(waits),
    Array.from({ length: 5 }, () => task),
  )
  stop()
})
