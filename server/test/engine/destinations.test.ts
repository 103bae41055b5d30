// What holds a destination back, with real sockets: pause, breaker, limits, and the pause after a day of failures.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test, type TestContext } from 'node:test'
import type { Delivery } from '../../src/domain/delivery.ts'
import { createOperatorCall } from '../../src/engine/operator-call.ts'
import { createResolver } from '../../src/engine/resolver.ts'
import { startEngine, startWorld, type World } from '../support/engine.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'

// After a claim that found nothing the next one waits so long.
const REST_MS = 10

/** A receiver that counts, and answers what it is told to. */
async function startCounting(t: TestContext) {
  const state = { status: 200, requests: 0, most: 0, under_way: 0 }
  const receiver = await using(
    t,
    startReceiver((_request, response) => {
      state.requests++
      state.most = Math.max(state.most, ++state.under_way)
      // Long enough for another request to come in, if there is one.
      setTimeout(() => {
        state.under_way--
        response.statusCode = state.status
        response.end()
      }, 5)
    }),
  )
  return { ...receiver, url: receiver.url, state }
}

/** Somebody who wants to be told, and does not take it the first time. */
async function startOperator(t: TestContext) {
  const told: { authorization: string | undefined; body: unknown }[] = []
  let refusals = 1
  const receiver = await using(
    t,
    startReceiver(({ headers: { authorization } }, response, body) => {
      if (refusals-- > 0) response.statusCode = 500
      else told.push({ authorization, body: JSON.parse(body) as unknown })
      response.end()
    }),
  )
  const resolver = createResolver()
  const call = createOperatorCall({
    url: receiver.url.replace('//', '//ops:secret@'),
    version: '0',
    resolver,
  })
  t.after(async () => {
    await call.close()
    resolver.close()
  })
  return { told, tell: call.tell }
}

const destinationsOf = async ({ store, project }: World) =>
  (await store.listDestinations({ project_id: project.id, mode: 'live' }, { limit: 10, after: null })).rows

/** Resolves when something is so; looked at again whenever sockets and database have had their say. */
async function until(so: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await so())) await new Promise(setImmediate)
}

test('a paused destination gets nothing and fails nothing, and all that waited once it is resumed', async (t) => {
  const world = await startWorld(t)
  const { url, state } = await startCounting(t)
  const first = await world.completeTask(url)
  const { attempted } = await startEngine(t, world)
  await attempted(1)
  const [destination] = await destinationsOf(world)
  await world.store.pauseDestination(destination!.id)
  await Promise.all(Array.from({ length: 300 }, () => world.completeTask(url)))
  const other = await startCounting(t)
  await world.completeTask(other.url)
  await attempted(2)
  assert.deepEqual([state.requests, other.state.requests], [1, 1])
  const paused = (await destinationsOf(world)).find(({ id }) => id === destination!.id)
  assert.deepEqual([paused!.waiting, paused!.pause_reason], [300, 'operator'])

  await world.store.resumeDestination(destination!.id)
  await attempted(302)
  assert.equal(state.requests, 301)
  const settled = await world.deliveries()
  assert.ok(settled.every(({ state: now, attempt_count }) => now === 'delivered' && attempt_count === 1))
  assert.ok(first.id)
})

test('what is queued in memory when its destination is paused is given back without an attempt', async (t) => {
  const world = await startWorld(t, { settings: { limits: { in_flight: 1, per_second: null } } })
  const answers = new EventEmitter()
  const receiver = await using(
    t,
    startReceiver((_request, response) => {
      answers.emit('request')
      answers.once('answer', () => response.end())
    }),
  )
  await Promise.all(Array.from({ length: 4 }, () => world.completeTask(receiver.url)))
  const asked = once(answers, 'request')
  const { attempted, attempts } = await startEngine(t, world)
  await asked
  const [destination] = await destinationsOf(world)
  await world.store.pauseDestination(destination!.id)
  answers.emit('answer')
  await attempted(1)
  await until(async () => (await world.deliveries()).every(({ state }) => state !== 'sending'))
  assert.deepEqual(
    (await world.deliveries()).map(({ state, attempt_count }) => `${state} ${attempt_count}`).toSorted(),
    ['delivered 1', 'pending 0', 'pending 0', 'pending 0'],
  )
  assert.equal(attempts.length, 1)
})

test('an open breaker lets one probe at a time through, half a minute apart at most, and a success lets all go', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock })
  const { url, state } = await startCounting(t)
  state.status = 503
  await Promise.all(Array.from({ length: 600 }, () => world.completeTask(url)))
  const { attempts, attempted } = await startEngine(t, world)
  const destination = async () => (await destinationsOf(world))[0]!
  const sending = async () =>
    (
      await world.store.listDeliveries(
        { project_id: world.project.id, mode: 'live' },
        { state: 'sending' },
        { limit: 1, after: null },
      )
    ).rows.length
  await until(async () => (await destination()).opened_at !== null && (await sending()) === 0)
  assert.ok(attempts.length < 400, `${attempts.length} attempts to open it`)

  state.most = 0
  for (let probe = 1; probe <= 8; probe++) {
    // While a probe is under way its destination's next time is the end of its lease.
    await until(async () => (await destination()).due_at! <= clock.now() + 30_000)
    const { due_at } = await destination()
    assert.ok(due_at! > clock.now(), 'probes never come at once')
    const made = attempts.length
    clock.advanceTo(due_at!)
    await clock.advanceUntil(attempted(made + 1))
    assert.equal(attempts.length, made + 1)
  }
  assert.equal(state.most, 1)

  state.status = 200
  await until(async () => (await destination()).due_at! <= clock.now() + 30_000)
  while ((await world.store.countWaiting(1)) > 0 || (await sending()) > 0) {
    const { due_at } = await destination()
    if ((await sending()) === 0) clock.advanceTo(Math.max(due_at ?? 0, clock.now() + REST_MS))
    await new Promise(setImmediate)
  }
  assert.equal((await destination()).opened_at, null)
  const last = new Map(attempts.map(({ delivery, outcome }) => [delivery.id, outcome.kind]))
  assert.deepEqual([last.size, new Set(last.values())], [600, new Set(['delivered'])])
})

test('a receiver that refuses single requests opens no breaker', async (t) => {
  const world = await startWorld(t)
  const { url, state } = await startCounting(t)
  state.status = 404
  const { attempted } = await startEngine(t, world)
  await Promise.all(Array.from({ length: 60 }, () => world.completeTask(url)))
  await attempted(60)
  assert.equal((await destinationsOf(world))[0]!.opened_at, null)
})

test('no more attempts begin in a second than a project allows', async (t) => {
  const world = await startWorld(t, { settings: { limits: { in_flight: 64, per_second: 100 } } })
  const { url } = await startCounting(t)
  const { attempts, attempted } = await startEngine(t, world)
  await Promise.all(Array.from({ length: 150 }, () => world.completeTask(url)))
  await attempted(150)
  const times = attempts.map(({ attempt }) => attempt.started_at).toSorted((a, b) => a - b)
  for (const [i, time] of times.entries()) {
    const within = times.filter((other) => other >= time && other < time + 1000).length
    // A tenth of a second's worth may come at once.
    assert.ok(within <= 111, `${within} in the second after number ${i}`)
  }
  assert.ok((await world.deliveries()).every(({ attempt_count }) => attempt_count === 1))
})

test('a day of nothing but failures pauses a destination, tells the operator, and a re-send that succeeds resumes it', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock })
  const { url, state } = await startCounting(t)
  state.status = 500
  const { told, tell } = await startOperator(t)
  const { log, attempted, attempts } = await startEngine(t, world, { tellOperator: tell })
  const first_at = clock.now()
  const first = await world.completeTask(url)
  for (let made = 1; made <= 21; made++) {
    await attempted(made)
    clock.advanceTo(attempts.at(-1)!.settlement.due_at ?? 0)
  }
  const [failed] = (await world.deliveries(first.id)) as [Delivery]
  assert.deepEqual([failed.state, failed.attempt_count], ['failed', 21], 'alone it has all its attempts')
  const destination = async () => (await destinationsOf(world))[0]!
  clock.advanceTo(first_at + 86_400_000)
  assert.equal((await destination()).pause_reason, null)

  const second = await world.completeTask(url)
  await clock.advanceUntil(attempted(22))
  clock.advance(10_000)
  await clock.advanceUntil(until(async () => (await destination()).pause_reason === 'failing'))
  // It is told once the write is known here, which a reader may see before.
  const isPaused = () =>
    log.lines.some((line) => line.message === 'destination.paused' && line.level === 'warn')
  await clock.advanceUntil(until(isPaused))
  clock.advance(10_000)
  await clock.advanceUntil(until(() => log.lines.some(({ message }) => message === 'operator.not_told')))
  clock.advance(60_000)
  await clock.advanceUntil(until(() => told.length === 1))
  const { authorization, body } = told[0]!
  assert.equal(authorization, `Basic ${btoa('ops:secret')}`)
  const { id, paused_at } = await destination()
  assert.deepEqual(body, {
    id: `${id}.${paused_at}`,
    type: 'destination.paused',
    timestamp: new Date(paused_at!).toISOString(),
    destination: {
      id,
      project_id: world.project.id,
      mode: 'live',
      origin: url,
      failing_since: new Date(first_at).toISOString(),
      waiting: 1,
    },
  })

  clock.advance(3_600_000)
  state.status = 200
  await world.resend(failed)
  await attempted(23)
  await until(async () => (await destination()).paused_at === null)
  await clock.advanceUntil(attempted(24))
  assert.deepEqual(
    attempts.slice(22).map(({ delivery, outcome }) => [delivery.task_id, outcome.kind]),
    [
      [first.id, 'delivered'],
      [second.id, 'delivered'],
    ],
  )
  const { paused_at: now_paused, failing_since } = await destination()
  assert.deepEqual([now_paused, failing_since, told.length], [null, null, 1])
})

test('a destination tells of the last hour how many of its attempts succeeded and how long they took', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock })
  const { url, state } = await startCounting(t)
  const { attempted } = await startEngine(t, world)
  await Promise.all(Array.from({ length: 3 }, () => world.completeTask(url)))
  await attempted(3)
  state.status = 404
  await world.completeTask(url)
  await attempted(4)
  const attemptsOf = async () => (await destinationsOf(world))[0]!.attempts
  clock.advance(10_000)
  await clock.advanceUntil(until(async () => (await attemptsOf()).failed === 1))
  assert.equal((await attemptsOf()).delivered, 3)
  clock.advance(2 * 3_600_000)
  assert.equal((await attemptsOf()).delivered, 0)
})
