// Durations as counts in fixed buckets: histograms of many processes add up, and what is kept does not grow with traffic.

/** The upper bounds of the buckets in milliseconds; what is longer falls into the last one. */
export const durationBounds = [
  5, 10, 20, 50, 100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 7500, 10_000, 15_000, 20_000, 30_000,
  60_000, 120_000,
] as const

/** How many durations fell into each bucket, in the order of `durationBounds`. */
export type Histogram = number[]

/** Makes an empty histogram. */
export const emptyHistogram = (): Histogram => durationBounds.map(() => 0)

/** Counts a duration in. */
export function count(histogram: Histogram, duration_ms: number): void {
  const found = durationBounds.findIndex((bound) => duration_ms <= bound)
  const bucket = found < 0 ? durationBounds.length - 1 : found
  histogram[bucket] = (histogram[bucket] ?? 0) + 1
}

/** The sum of histograms. */
export const sum = (histograms: readonly Histogram[]): Histogram =>
  durationBounds.map((_, i) => histograms.reduce((total, histogram) => total + (histogram[i] ?? 0), 0))

/** The duration in milliseconds that this share (0–1) did not exceed, evenly spread within its bucket; null of nothing. */
export function quantile(histogram: Histogram, share: number): number | null {
  const total = histogram.reduce((a, b) => a + b, 0)
  if (total === 0) return null
  let below = 0
  for (const [i, bound] of durationBounds.entries()) {
    const inside = histogram[i] ?? 0
    if (below + inside >= share * total) {
      const from = durationBounds[i - 1] ?? 0
      return Math.round(from + ((bound - from) * (share * total - below)) / Math.max(1, inside))
    }
    below += inside
  }
  return durationBounds.at(-1) ?? null
}
