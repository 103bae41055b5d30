// SIGTERM under load: unlike a kill it may tear nothing at all. What was answered is done, what was not is not, and no
// callback comes twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { TaskView } from './api.ts'
import { createTask, runLoad } from './load.ts'
import { between, createRandom } from './random.ts'
import { stopInOrder } from './server-process.ts'
import { assertFaultless, chooseSeed, setStage } from './stage.ts'

const STOPS = 3
const GRACE_S = 10

test('a server stopped under load answers who waits, finishes what it began and repeats nothing', async (t) => {
  const seed = chooseSeed(t)
  const stage = await setStage(t, seed, { RINGBACK_STOP_GRACE: String(GRACE_S) })
  const { journal, receiver } = stage
  const random = createRandom(seed, 2)
  for (let stop = 0; stop < STOPS; stop++) {
    const { number: boot, server } = await stage.boot()
    await using api = stage.connect(await server.ready)
    const options = { api, journal, boot, seed, callback_url: receiver.url }
    const { task } = await createTask(options, random, `open${stop}`)
    let answered = false
    const waiting = api.send('GET', `/v1/tasks/${task?.id}?wait=30`).finally(() => (answered = true))
    // Whoever comes after the waiting request shows that it has come in.
    await api.get('/v1/project')
    const load = runLoad(options)
    await delay(between(random, 100, 500))

    assert.equal(answered, false)
    const signaled = performance.now()
    await stopInOrder(server)
    assert.ok(performance.now() - signaled < GRACE_S * 1000, 'the stop outlasted its grace')
    await load
    const answer = await waiting
    assert.equal(answer?.status, 200)
    assert.equal((answer.body as TaskView).status, 'waiting')
  }
  const { faults, figures } = await stage.judge('stopped')
  t.diagnostic(JSON.stringify({ stops: STOPS, ...figures }))
  assertFaultless(faults, seed)
  assert.ok(figures.callbacks > 0 && figures.turned_away + figures.lost_answers > 0, 'the stops met no load')
})
