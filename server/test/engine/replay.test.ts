// Replays by a whole engine with real sockets: they are sent like any backlog, a few at a time, also after a restart.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { newReplay } from '../../src/domain/replay.ts'
import { startEngine, startWorld, type World } from '../support/engine.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { newId } from '../support/store.ts'

// How often a replay is looked for, the pause between two steps, and that after a claim that found nothing.
const LOOK_MS = 1000
const PAUSE_MS = 25
const REST_MS = 10
const noRetries = { retry: { retries: 0, window_s: 60 } }

/** A receiver that was deployed wrongly, until `mend`; it keeps the headers of what it took. */
async function startBroken(t: TestContext) {
  let status_code = 404
  const taken: { event: string; resend: unknown }[] = []
  const receiver = await using(
    t,
    startReceiver(({ headers }, response) => {
      if (status_code === 200)
        taken.push({ event: String(headers['webhook-id']), resend: headers['ringback-resend'] })
      response.statusCode = status_code
      response.end()
    }),
  )
  return { url: receiver.url, taken, mend: () => (status_code = 200) }
}

/** Writes down a replay of all that has failed so far. */
async function replayFailed({ store, project, clock }: World) {
  const now = clock.now()
  const filter = {
    project_id: project.id,
    mode: 'live' as const,
    delivery_state: 'failed' as const,
    destination_id: null,
    from_at: null,
    to_at: now,
    created_at: now,
  }
  const replay = newReplay(newId(), filter, await store.countReplay(filter))
  await store.createReplay({ replay, idempotency: null })
  return { replay, now: async () => (await store.findReplay(filter, replay.id))! }
}

/** Starts an engine and tells of the steps that it makes, and when so many are made. */
async function startReplaying(t: TestContext, world: World) {
  const steps: { began_at: number; ended_at: number }[] = []
  const made = new EventEmitter()
  const engine = await startEngine(t, world, {
    store: {
      ...world.store,
      async stepReplay(limit) {
        const began_at = world.clock.now()
        const replay = await world.store.stepReplay(limit)
        if (replay !== undefined) {
          steps.push({ began_at, ended_at: world.clock.now() })
          made.emit('step')
        }
        return replay
      },
    },
  })
  return {
    ...engine,
    steps,
    stepped: async (count: number) => {
      while (steps.length < count) await once(made, 'step')
      // The loop has yet to hear of it.
      await new Promise(setImmediate)
    },
  }
}

test('a replay sends what failed once more, a few at a time with pauses between', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock, settings: noRetries })
  const receiver = await startBroken(t)
  const { attempts, attempted, steps, stepped, log } = await startReplaying(t, world)
  await Promise.all(Array.from({ length: 60 }, () => world.completeTask(receiver.url)))
  await attempted(60)
  clock.advance(1)
  receiver.mend()
  const { replay, now } = await replayFailed(world)
  assert.equal(replay.count, 60)
  clock.advance(LOOK_MS)
  await stepped(1)
  assert.equal((await now()).replayed, 50)
  clock.advance(PAUSE_MS)
  await stepped(2)
  assert.equal(steps[1]!.began_at - steps[0]!.ended_at, PAUSE_MS)
  clock.advance(REST_MS)
  await attempted(120)
  assert.deepEqual(
    attempts.slice(60).map(({ delivery, settlement }) => [delivery.resend, settlement.state]),
    Array.from({ length: 60 }, () => [1, 'delivered']),
  )
  assert.equal(new Set(receiver.taken.map(({ event }) => event)).size, 60)
  assert.ok(receiver.taken.every(({ resend }) => resend === '1'))
  const { state, replayed, skipped } = await now()
  assert.deepEqual([state, replayed, skipped], ['done', 60, 0])
  assert.deepEqual(
    log.lines.filter(({ message }) => message === 'replay.done'),
    [{ level: 'info', message: 'replay.done', replay_id: replay.id, count: 60, replayed: 60, skipped: 0 }],
  )
})

test('a replay whose process died goes on at the next start, and sends nothing twice', async (t) => {
  const clock = createManualClock()
  const killed = await startWorld(t, { clock, settings: noRetries })
  const receiver = await startBroken(t)
  const first = await startEngine(t, killed)
  await Promise.all(Array.from({ length: 40 }, () => killed.completeTask(receiver.url)))
  await first.attempted(40)
  await first.engine.stop(0)
  clock.advance(1)
  receiver.mend()
  await replayFailed(killed)
  assert.equal((await killed.store.stepReplay(25))?.replayed, 25)
  await killed.store.close()

  const world = await startWorld(t, { clock, folder: killed.folder })
  const { attempted, stepped } = await startReplaying(t, world)
  await stepped(1)
  clock.advance(REST_MS)
  await attempted(40)
  const deliveries = await world.deliveries()
  assert.equal(deliveries.length, 80)
  const byTask = Map.groupBy(deliveries, ({ task_id }) => task_id)
  assert.equal(byTask.size, 40)
  for (const [newest, oldest, ...none] of byTask.values())
    assert.deepEqual([newest!.state, newest!.resend, oldest!.state, none], ['delivered', 1, 'failed', []])
})

test('what is replayed waits at a paused destination like any other backlog', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock, settings: noRetries })
  const receiver = await startBroken(t)
  const { attempts, attempted, stepped } = await startReplaying(t, world)
  const task = await world.completeTask(receiver.url)
  await attempted(1)
  clock.advance(1)
  receiver.mend()
  await world.store.pauseDestination(task.destination_id!)
  await replayFailed(world)
  clock.advance(LOOK_MS)
  await stepped(1)
  clock.advance(5000)
  const [waiting] = await world.deliveries(task.id)
  assert.deepEqual([waiting!.state, waiting!.attempt_count, attempts.length], ['pending', 0, 1])
  await world.store.resumeDestination(task.destination_id!)
  clock.advance(REST_MS)
  await attempted(2)
  assert.equal(receiver.taken.length, 1)
})
