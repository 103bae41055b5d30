// SIGKILL at random moments, over and over on one data folder. Ten rounds prove little about rare moments: CRASH_ROUNDS=100
// is the long form. What a kill cannot show is a power cut: the page cache outlives the process.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { runLoad } from './load.ts'
import { between, createRandom } from './random.ts'
import { assertFaultless, chooseSeed, setStage } from './stage.ts'

const rounds = Number(process.env['CRASH_ROUNDS'] ?? 10)
// So often the server dies before it listens, amid the rescue of what its predecessor left.
const STILLBORN_SHARE = 0.15

test(`a server killed ${rounds} times under load loses nothing and repeats only what was in flight`, async (t) => {
  const seed = chooseSeed(t)
  const stage = await setStage(t, seed)
  const { journal, receiver } = stage
  const random = createRandom(seed, 1)
  const started = performance.now()
  for (let round = 0; round < rounds; round++) {
    const { number, server } = await stage.boot()
    if (random() < STILLBORN_SHARE) {
      await delay(between(random, 100, 600))
      await server.end('SIGKILL')
      continue
    }
    await using api = stage.connect(await server.ready)
    const load = runLoad({ api, journal, boot: number, seed, callback_url: receiver.url })
    await delay(between(random, 50, 600))
    await server.end('SIGKILL')
    await load
  }
  const { faults, figures } = await stage.judge('killed')
  const seconds = Math.round((performance.now() - started) / 1000)
  t.diagnostic(JSON.stringify({ rounds, ...figures, seconds }))
  assertFaultless(faults, seed)
  assert.ok(figures.lost_answers > 0 && figures.unknown_attempts > 0, 'the kills met nothing under way')
})
