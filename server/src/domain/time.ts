// Times are integer milliseconds everywhere inside, and ISO text at the edges.

// The second written last: a callback has a dozen times in it, nearly all of one second, and `Date` takes half a microsecond.
let second = Number.NaN
let written = ''

/** Writes a time in whole milliseconds as ISO 8601 UTC with milliseconds. Throws a RangeError for what is no time. */
export function isoTime(time_ms: number): string {
  const ofSecond = ((time_ms % 1000) + 1000) % 1000
  if (time_ms - ofSecond !== second) {
    // Everything but the milliseconds and the Z.
    written = new Date(time_ms).toISOString().slice(0, -4)
    second = time_ms - ofSecond
  }
  return `${written}${String(ofSecond).padStart(3, '0')}Z`
}

/** Like `isoTime`; null stays null. */
export const isoTimeOrNull = (time_ms: number | null): string | null =>
  time_ms === null ? null : isoTime(time_ms)
