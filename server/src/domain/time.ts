// Times are integer milliseconds everywhere inside, and ISO text at the edges.

/** Writes a time in milliseconds as ISO 8601 UTC with milliseconds. */
export const isoTime = (time_ms: number): string => new Date(time_ms).toISOString()

/** Like `isoTime`; null stays null. */
export const isoTimeOrNull = (time_ms: number | null): string | null =>
  time_ms === null ? null : isoTime(time_ms)
