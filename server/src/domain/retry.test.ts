import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jittered, plan, waits, type RetryRule } from './retry.ts'

const rule = fc.record({
  retries: fc.integer({ min: 1, max: 50 }),
  window_ms: fc.integer({ min: 60_000, max: 30 * 86_400_000 }),
})
const start = 1_700_000_000_000

const planOf = (given: RetryRule, id: string) =>
  plan(waits(given), id, { next_at: start, retries_used: 0, give_up_at: start + given.window_ms })

test('the waits grow, are as many as the retries, and fill 90 to 98 percent of any window', () => {
  fc.assert(
    fc.property(rule, fc.uuid(), (given, id) => {
      const all = waits(given)
      assert.equal(all.length, given.retries)
      for (let i = 1; i < all.length; i++) assert.ok((all[i] ?? 0) >= (all[i - 1] ?? 0) - 1e-6)
      const last = planOf(given, id).at(-1) ?? 0
      const filled = (last - start) / given.window_ms
      assert.ok(filled >= 0.899 && filled <= 0.981, `filled ${filled}`)
    }),
  )
})

test('a plan is the same each time it is asked for, and going on with it changes nothing', () => {
  fc.assert(
    fc.property(rule, fc.uuid(), fc.nat(49), (given, id, step) => {
      const whole = planOf(given, id)
      assert.deepEqual(planOf(given, id), whole)
      const used = Math.min(step, given.retries)
      const rest = plan(waits(given), id, {
        next_at: whole[used] ?? 0,
        retries_used: used,
        give_up_at: start + given.window_ms,
      })
      assert.deepEqual(rest, whole.slice(used))
    }),
  )
})

test('the native rule waits about five seconds first and makes 21 attempts', () => {
  const native = { retries: 20, window_ms: 86_400_000 }
  assert.equal(planOf(native, 'd').length, 21)
  const first = jittered(waits(native)[0] ?? 0, 'd', 0)
  assert.ok(first >= 4800 && first <= 5200)
})

test('no retries is one attempt', () => {
  assert.deepEqual(planOf({ retries: 0, window_ms: 1000 }, 'd'), [start])
})
