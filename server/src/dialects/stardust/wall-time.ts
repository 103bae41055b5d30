// Times as this platform writes them: `YYYY-MM-DD HH:mm:ss` without a zone, which is the local time of the server (the
// process's TZ), since its customers read them beside those of their own Stardust consoles.

const two = (number: number) => String(number).padStart(2, '0')

/** Writes a time in milliseconds as local time, such as `2026-03-02 17:00:00`. */
export function wallTime(time_ms: number): string {
  const date = new Date(time_ms)
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()]
  return `${wallDate(time_ms)} ${clock.map(two).join(':')}`
}

/** Writes the local date of a time in milliseconds, such as `2026-03-02`. */
export function wallDate(time_ms: number): string {
  const date = new Date(time_ms)
  return [String(date.getFullYear()).padStart(4, '0'), two(date.getMonth() + 1), two(date.getDate())].join(
    '-',
  )
}

const WALL = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d))?$/

/** Reads a local date, or date and time, in milliseconds; a date is its first moment. Undefined for any other text. */
export function parseWallTime(text: string): number | undefined {
  const match = WALL.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0))
  const time_ms = new Date(year ?? 0, (month ?? 0) - 1, day, hour, minute, second).getTime()
  // What does not exist, such as the 30th of February, would come out as another day.
  return wallTime(time_ms).startsWith(text.replace('T', ' ')) ? time_ms : undefined
}
