import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { createTestLog } from '../../test/support/log.ts'
import { defaultSettings } from '../domain/project.ts'
import { createDispatcher } from './dispatcher.ts'
import type { Terms } from './terms.ts'

type Leased = { id: string; project_id: string; destination_id: string; lease_until: number }

const one = (id: string): Leased => ({ id, project_id: 'p', destination_id: 'd', lease_until: 0 })
const oneAtATime = { ...defaultSettings, limits: { in_flight: 1, per_second: null } }
const terms = { project: { id: 'p', settings: oneAtATime } } as Terms
const nothing = { claimed: [], more: [], cut: {}, further: false, spent: [], probes: [], next_due_at: null }

test('what has no terms any more when its turn comes is given back, and holds no place', async () => {
  const clock = createManualClock()
  const begun: string[] = []
  const released: unknown[] = []
  const end = Promise.withResolvers<void>()
  let known: Terms | undefined = terms
  const dispatcher = createDispatcher<Leased>({
    name: 'test',
    claim: async () => nothing,
    attempts: {
      async attempt(leased, _, answered) {
        begun.push(leased.id)
        await end.promise
        answered(leased, true)
      },
      release: async ({ id }, due_at) => void released.push([id, due_at]),
    },
    order: { bytesOf: () => 1 },
    terms: { get: () => known, load: () => Promise.reject(new Error('no database')), forget() {} },
    clock,
    onProbe() {},
    log: createTestLog(),
  })
  dispatcher.start()
  for (const id of ['first', 'second']) {
    assert.ok(dispatcher.admit(one(id), 1))
    dispatcher.launch(one(id), 1)
  }
  known = undefined
  end.resolve()
  await dispatcher.idle()
  assert.deepEqual(begun, ['first'])
  assert.deepEqual(released, [['second', clock.now() + 1000]])
  await dispatcher.stop()
})
