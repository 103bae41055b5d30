// "The fence is lost" was also said of what no other process had taken away: of a rescue that another node was quicker with,
// and of a settlement whose commit succeeded although its answer did not arrive.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import { startEngine, startWorld } from '../support/engine.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { claimAll } from '../support/claims.ts'

test(
  'an outcome that was committed though the answer got lost is reported like any other',
  { timeout: 20_000 },
  async (t) => {
    const world = await startWorld(t)
    const receiver = await using(
      t,
      startReceiver((_request, response) => response.end()),
    )
    let unheard = true
    const store: Store = {
      ...world.store,
      async settle(input) {
        const won = await world.store.settle(input)
        if (!unheard) return won
        unheard = false
        throw new Error('Connection terminated unexpectedly')
      },
    }
    const { attempts, attempted, log } = await startEngine(t, world, { store })
    await world.completeTask(receiver.url)
    await attempted(1)
    assert.deepEqual(
      attempts.map(({ outcome, settlement }) => [outcome.kind, settlement.state]),
      [['delivered', 'delivered']],
    )
    assert.deepEqual(
      log.lines.filter(({ level }) => level !== 'info').map(({ message }) => message),
      ['settle.failed'],
    )
  },
)

test('a rescue that another node was quicker with is nothing to talk about', async (t) => {
  const killed = await startWorld(t)
  const receiver = await using(
    t,
    startReceiver((_request, response) => response.end()),
  )
  await killed.completeTask(receiver.url)
  const { claimed: deliveries } = await killed.store.claim({
    ...claimAll,
    destinations: 1,
    per_destination: 1,
  })
  await killed.store.close()

  const world = await startWorld(t, { folder: killed.folder })
  let rescues = 0
  const store: Store = {
    ...world.store,
    lostLeases: async () => (rescues === 0 ? deliveries : []),
    async settle(input) {
      if (rescues++ === 0) assert.equal(await world.store.settle(input), true)
      return world.store.settle(input)
    },
  }
  const { attempts, attempted, log } = await startEngine(t, world, { store })
  await attempted(1)
  assert.deepEqual(
    attempts.map(({ outcome, attempt }) => [outcome.kind, attempt.number]),
    [['delivered', 2]],
  )
  assert.deepEqual(
    log.lines.filter(({ level }) => level !== 'info'),
    [],
  )
})
