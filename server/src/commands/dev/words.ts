// How `dev` puts times, texts and receivers into words, in the terminal and on its page. What comes from outside may hold
// anything, so text meant for a terminal loses its control characters.

/** The time of day in UTC, with milliseconds. */
export const clock = (time_ms: number): string => new Date(time_ms).toISOString().slice(11, 23)

/** A length of time, rounded to what one would say. */
export function span(length_ms: number): string {
  const seconds = Math.round(length_ms / 1000)
  if (length_ms < 1000) return `${Math.round(length_ms)} ms`
  if (length_ms < 10_000) return `${(length_ms / 1000).toFixed(1)} s`
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}

/** When something comes: how long from now, and the time of day. */
export const when = (time_ms: number, now: number): string =>
  time_ms <= now ? 'now' : `in ${span(time_ms - now)}, at ${clock(time_ms)} UTC`

/** The first `limit` characters, and how many there are. */
export const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length} characters)`

/** Text that a terminal only shows: control characters become escapes, so that no escape sequence is left. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** A callback URL without the password that it may carry. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return url
  const parsed = new URL(url)
  if (parsed.username === '' && parsed.password === '') return url
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}
