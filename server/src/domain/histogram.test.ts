import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { count, durationBounds, emptyHistogram, quantile, sum } from './histogram.ts'

const histogramOf = (durations: readonly number[]) => {
  const histogram = emptyHistogram()
  for (const duration of durations) count(histogram, duration)
  return histogram
}

test('a quantile lies in the bucket of the duration that it stands for', () => {
  const upTo = fc.array(fc.nat(120_000), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(upTo, fc.double({ min: 0.01, max: 1, noNaN: true }), (durations, share) => {
      const exact = durations.toSorted((a, b) => a - b)[Math.ceil(share * durations.length) - 1]!
      const high = durationBounds.find((bound) => exact <= bound)!
      const low = durationBounds[durationBounds.indexOf(high) - 1] ?? 0
      const found = quantile(histogramOf(durations), share)!
      assert.ok(found >= low && found <= high, `${found} for ${exact}`)
    }),
  )
})

test('histograms add up, and nothing has no quantile', () => {
  assert.deepEqual(sum([histogramOf([1, 7]), histogramOf([7, 999_999])]), histogramOf([1, 7, 7, 999_999]))
  assert.equal(quantile(emptyHistogram(), 0.5), null)
})
