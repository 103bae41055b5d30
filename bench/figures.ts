// Numbers of the bench: the clock that all processes share, medians and percentiles.

/** Now, in milliseconds of the machine's monotonic clock: comparable between processes, not with the time of day. */
export const milliseconds = (): number => Number(process.hrtime.bigint()) / 1e6

/** The value that a share of `p` (0–1) of the values is not above. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}

/** How much the straight line through evenly spaced values (least squares) rises from the first to the last. */
export function rise(values: readonly number[]): number {
  const steps = values.length - 1
  const away = (i: number) => i - steps / 2
  const spread = values.reduce((sum, _, i) => sum + away(i) ** 2, 0)
  const slope = values.reduce((sum, value, i) => sum + away(i) * value, 0) / spread
  return slope * steps
}
