// How the commands put an answer's values into words: states by colour, times by how long ago they were.
import { printable, span, withoutPassword } from '../dev/words.ts'
import type { Tone } from '../screen.ts'
import type { Cell } from '../table.ts'

const tones: Readonly<Record<string, Tone>> = {
  completed: 'green',
  delivered: 'green',
  approved: 'green',
  fixed: 'green',
  resolved: 'green',
  progress: 'green',
  failed: 'red',
  expired: 'red',
  rejected: 'red',
  conflicting: 'red',
  invalid: 'red',
  canceled: 'yellow',
  suspended: 'yellow',
  held: 'yellow',
  active: 'green',
  paused: 'yellow',
}

/** A state in its colour, as far as it has one. */
export const stateCell = (state: string): Cell => ({ text: state, tone: tones[state] })

/** A text from outside, or nothing for null. */
export const textCell = (text: string | null): Cell => ({ text: text === null ? '' : printable(text) })

/** A receiver; a password in its URL is not for onlookers. */
export const urlCell = (url: string | null): Cell => textCell(url === null ? null : withoutPassword(url))

/** How long ago, or in how long. */
export function ago(time: string, now: number): string {
  const length_ms = now - Date.parse(time)
  return length_ms >= 0 ? `${span(length_ms)} ago` : `in ${span(-length_ms)}`
}

/** A time by how long ago it was; nothing for null. */
export const agoCell = (time: string | null, now: number): Cell => ({
  text: time === null ? '' : ago(time, now),
})
