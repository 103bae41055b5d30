import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { attemptPlan, type Delivery } from '../../src/domain/delivery.ts'
import { createNative } from '../../src/dialects/native/native.ts'
import { startEngine, startWorld } from '../support/engine.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { claimAll } from '../support/claims.ts'

const scopeOf = ({ project_id, mode }: Delivery) => ({ project_id, mode })

test('events of a task arrive in order though the first fails three times, and other tasks do not wait', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock })
  const seen: string[] = []
  let failures = 3
  const receiver = await using(
    t,
    startReceiver((request, response, body) => {
      const { type } = JSON.parse(body) as { type: string }
      seen.push(`${request.url} ${type}`)
      response.statusCode = request.url === '/a' && failures-- > 0 ? 500 : 200
      response.end()
    }),
  )
  const { attempts, attempted } = await startEngine(t, world)
  const first = await world.completeTask(`${receiver.url}/a`)
  await world.apply(first, 'edit', { response: '1' })
  await world.completeTask(`${receiver.url}/b`)
  await attempted(2)
  assert.deepEqual(seen.toSorted(), ['/a task.completed', '/b task.completed'])
  for (let retry = 1; retry <= 3; retry++) {
    clock.advanceTo(attempts.findLast(({ delivery }) => delivery.url.endsWith('/a'))!.settlement.due_at!)
    await attempted(2 + retry)
  }
  await attempted(6)
  assert.deepEqual(
    seen.filter((line) => line.startsWith('/a')),
    [...Array.from({ length: 4 }, () => '/a task.completed'), '/a task.edited'],
  )
  assert.equal((await world.store.findTask(scopeOf(attempts[0]!.delivery), first.id))?.callback_succeeded, 1)
})

test('a receiver that always fails gets 21 requests, exactly on the plan that was shown after the first', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock })
  const requests: number[] = []
  let status = 500
  const receiver = await using(
    t,
    startReceiver((_request, response) => {
      requests.push(clock.now())
      response.statusCode = status
      response.end()
    }),
  )
  const { attempts, attempted } = await startEngine(t, world)
  const started_at = clock.now()
  const task = await world.completeTask(receiver.url)
  await attempted(1)
  const delivery = (await world.deliveries(task.id))[0]!
  const policy = createNative({ version: '0' }).policy(world.project)
  const plan = attemptPlan(delivery, policy, clock.now())
  assert.equal(plan.length, 20)
  for (const [i, time] of plan.entries()) {
    clock.advanceTo(time)
    await attempted(i + 2)
  }
  assert.deepEqual(
    attempts.map(({ attempt }) => attempt.started_at),
    [started_at, ...plan],
  )
  const failed = (await world.deliveries(task.id))[0]!
  assert.deepEqual([failed.state, failed.reason, failed.attempt_count], ['failed', 'retries_exhausted', 21])
  const elapsed = plan.at(-1)! - started_at
  assert.ok(elapsed > 0.9 * 86_400_000 && elapsed < 0.98 * 86_400_000)
  assert.deepEqual(requests, [started_at, ...plan])
  const succeeded = async () => (await world.store.findTask(scopeOf(failed), task.id))?.callback_succeeded
  assert.equal(await succeeded(), 0)

  clock.advance(7 * 86_400_000)
  assert.equal(requests.length, 21)
  status = 200
  await world.resend(failed)
  await attempted(22)
  assert.equal(await succeeded(), 1)
})

test('a hung receiver with more deliveries than slots does not delay another', async (t) => {
  const world = await startWorld(t)
  const hung = await using(
    t,
    startReceiver(() => {}),
  )
  const healthy = await using(
    t,
    startReceiver((_request, response) => response.end()),
  )
  const { attempted, attempts } = await startEngine(t, world)
  await Promise.all(Array.from({ length: 150 }, () => world.completeTask(hung.url)))
  await Promise.all(Array.from({ length: 40 }, () => world.completeTask(healthy.url)))
  await attempted(40)
  assert.ok(attempts.every(({ delivery }) => delivery.url === healthy.url))
})

test('a project may have more than 64 attempts at a time at one receiver', async (t) => {
  const world = await startWorld(t, { settings: { limits: { in_flight: 100, per_second: null } } })
  const all = Promise.withResolvers<void>()
  let requests = 0
  const receiver = await using(
    t,
    startReceiver(() => {
      if (++requests === 100) all.resolve()
    }),
  )
  await startEngine(t, world)
  await Promise.all(Array.from({ length: 120 }, () => world.completeTask(receiver.url)))
  await all.promise
  assert.equal(requests, 100)
})

test('stop lets what is in flight end within its grace, cuts off the rest, and gives back what was not begun', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock, settings: { limits: { in_flight: 1, per_second: null } } })
  const open: ServerResponse[] = []
  const slow = await using(
    t,
    startReceiver((_request, response) => open.push(response)),
  )
  const hung = await using(
    t,
    startReceiver(() => {}),
  )
  const [ends, ...others] = await Promise.all([
    world.completeTask(slow.url),
    world.completeTask(hung.url),
    world.completeTask(hung.url),
  ])
  // The claim brings all three, and one waits in its lane.
  const { engine, attempts, attempted } = await startEngine(t, world)
  while (open.length === 0 || hung.connections.length === 0) await new Promise(setImmediate)
  const stopped_at = clock.now()
  const stopping = engine.stop(25_000)
  const late = await world.completeTask(slow.url)
  open[0]!.end()
  await attempted(1)
  clock.advance(25_000)
  await stopping
  const stateOf = async (task_id: string) => {
    const [{ state, attempt_count, unknown_count, lease_owner }] = (await world.deliveries(task_id)) as [
      Delivery,
    ]
    return [state, attempt_count, unknown_count, lease_owner]
  }
  assert.deepEqual(await stateOf(ends.id), ['delivered', 1, 0, null])
  const [cut, waited] = (await Promise.all(others.map(({ id }) => world.deliveries(id))))
    .flat()
    .toSorted((a, b) => b.attempt_count - a.attempt_count)
  assert.deepEqual(await stateOf(late.id), ['pending', 0, 0, null])
  assert.deepEqual([cut!.state, cut!.unknown_count, cut!.due_at], ['pending', 1, clock.now()])
  assert.deepEqual([waited!.state, waited!.attempt_count, waited!.due_at], ['pending', 0, stopped_at])
  assert.deepEqual(
    attempts.map(({ outcome }) => outcome.kind),
    ['delivered', 'unknown'],
  )
})

test('what a killed process was sending is found at the next start and sent again, burning no retry', async (t) => {
  // Among many nodes it is found when its lease ends.
  const killed = await startWorld(t, { settings: { timeout_ms: 1000 } })
  const receiver = await using(
    t,
    startReceiver((_request, response) => response.end()),
  )
  const task = await killed.completeTask(receiver.url)
  const { claimed: deliveries } = await killed.store.claim({
    ...claimAll,
    destinations: 1,
    per_destination: 1,
  })
  assert.equal(deliveries.length, 1)
  await killed.store.close()

  const world = await startWorld(t, { clock: killed.clock, folder: killed.folder })
  const { attempts, attempted } = await startEngine(t, world)
  await attempted(2)
  assert.deepEqual(
    attempts.map(({ outcome, attempt }) => [outcome.kind, attempt.number]),
    [
      ['unknown', 1],
      ['delivered', 2],
    ],
  )
  const [delivery] = await world.deliveries(task.id)
  assert.deepEqual([delivery!.state, delivery!.unknown_count], ['delivered', 1])
})

test('an attempt whose outcome the store does not take at first is written later', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock })
  const receiver = await using(
    t,
    startReceiver((_request, response) => response.end()),
  )
  let failures = 0
  const failed = new EventEmitter()
  const { attempted, attempts } = await startEngine(t, world, {
    store: {
      ...world.store,
      settle(input) {
        if (failures === 3) return world.store.settle(input)
        failures++
        failed.emit('again')
        return Promise.reject(new Error('the disk is full'))
      },
    },
  })
  let failure = once(failed, 'again')
  await world.completeTask(receiver.url)
  for (const wait_ms of [100, 200, 400]) {
    await failure
    await new Promise(setImmediate)
    failure = once(failed, 'again')
    clock.advance(wait_ms)
  }
  await attempted(1)
  assert.equal(attempts[0]!.settlement.state, 'delivered')
})

test('a task expires when its time has come, and its customer hears of it', async (t) => {
  const world = await startWorld(t)
  const types: string[] = []
  const receiver = await using(
    t,
    startReceiver((_request, response, body) => {
      types.push((JSON.parse(body) as { type: string }).type)
      response.end()
    }),
  )
  await world.createTask(receiver.url, { expires_at: world.clock.now() + 100 })
  const { attempted } = await startEngine(t, world)
  await attempted(1)
  assert.deepEqual(types, ['task.expired'])
})

test('each attempt is one log line without credentials', async (t) => {
  const world = await startWorld(t)
  const receiver = await using(
    t,
    startReceiver((_request, response) => {
      response.statusCode = 503
      response.end()
    }),
  )
  const { attempted, attempts, log } = await startEngine(t, world)
  await world.completeTask(`http://joe:secret@127.0.0.1:${receiver.port}/hook?token=secret`)
  await attempted(1)
  const { delivery, settlement, attempt } = attempts[0]!
  assert.deepEqual(log.lines, [
    {
      level: 'info',
      message: 'delivery.attempted',
      delivery_id: delivery.id,
      task_id: delivery.task_id,
      event: 'task.completed',
      destination: `http://127.0.0.1:${receiver.port}`,
      attempt: 1,
      outcome: 'status',
      status: 503,
      duration_ms: attempt.duration_ms,
      error: null,
      state: 'pending',
      reason: null,
      next_attempt_at: settlement.due_at,
    },
  ])
})
