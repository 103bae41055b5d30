// A story as lines: when, how long ago, what. On a narrow screen what happened goes below its time.
import type { Task } from '@ringback/sdk'
import { members } from '../../domain/json.ts'
import { printable } from '../dev/words.ts'
import { pad, wrap, type Screen } from '../screen.ts'
import { momentsOf, noteOf, type Moment, type Story } from './moments.ts'
import { ago, stateCell } from './words.ts'

const WIDE = 100
const AGO_COLUMNS = 12

/** Writes the story of a task, the past and then what is planned. */
export function timeline(story: Story, screen: Screen, now: number): string {
  const moments = momentsOf(story)
  const past = moments.filter(({ planned }) => !planned)
  const future = moments.filter(({ planned }) => planned)
  const lines = (some: readonly Moment[]) => some.flatMap((moment) => momentLines(moment, screen, now))
  const plan =
    future.length === 0
      ? []
      : [
          '',
          ...wrap('Still to come:', screen.width).map((line) => screen.paint('dim', line)),
          ...lines(future),
        ]
  return [...heading(story.task, screen), '', ...lines(past), ...plan].join('\n')
}

function heading(text: string, { width, paint }: Screen): string[] {
  const { id, type, status, audit_status, mode, callback_url } = JSON.parse(text) as Task
  const state = [status, audit_status].flatMap((word) => (word === null ? [] : [stateCell(word)]))
  const states = state
    .map((cell) => (cell.tone === undefined ? cell.text : paint(cell.tone, cell.text)))
    .join(', ')
  const parts = members(text)
  const results = ['response', 'error'].filter((name) => parts.get(name) !== 'null')
  return [
    ...wrap(`task ${id}`, width).map((line) => paint('bold', line)),
    states,
    ...wrap(printable(`${type}, ${mode} mode`), width),
    ...results.flatMap((name) => wrap(`${name} ${noteOf(parts.get(name) ?? '')}`, width)),
    ...(callback_url === null ? wrap('It has no callback URL, so nobody is told.', width) : []),
    paint('dim', 'Times are UTC.'),
  ]
}

function momentLines(
  { time, mark, tone, text, notes }: Moment,
  { width, paint }: Screen,
  now: number,
): string[] {
  const when = new Date(time).toISOString().replace('T', ' ').slice(0, -1)
  const since = ago(new Date(time).toISOString(), now)
  const wide = width >= WIDE
  const left = wide ? when.length + 2 + AGO_COLUMNS : 2
  const shown = (line: string) => wrap(line, width - left - 2)
  const body = [...shown(text), ...notes.flatMap((note) => shown(note).map((line) => paint('dim', line)))]
  const marked = tone === undefined ? mark : paint(tone, mark)
  const lines = body.map((line, index) => `${index === 0 ? marked : ' '} ${line}`)
  if (!wide) return [paint('dim', `${when}  ${since}`), ...lines.map((line) => pad('', left) + line)]
  const head = paint('dim', pad(`${when}  ${since}`, left))
  return lines.map((line, index) => (index === 0 ? head : pad('', left)) + line)
}
