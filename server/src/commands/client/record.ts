// One object, a line a field. Values that are JSON of a caller are shown as the very text of the answer.
import { members } from '../../domain/json.ts'
import { printable } from '../dev/words.ts'
import type { Screen } from '../screen.ts'
import { stacked, type Cell } from '../table.ts'
import { ago, stateCell, textCell, urlCell } from './words.ts'

const states = new Set(['status', 'state', 'audit_status', 'verdict'])
// Shown as the JSON they are: what a caller gave may be a bare text.
const json = new Set(['params', 'response'])
const urls = new Set(['url', 'callback_url', 'default_callback_url'])

/** Writes an object of an answer; what is null is left out. */
export function record(answer: string, screen: Screen, now: number, without: readonly string[] = []): string {
  const shown = [...members(answer)].filter(([name, text]) => text !== 'null' && !without.includes(name))
  return stacked(
    shown.map(([name]) => ({ name })),
    shown.map(([name, text]) => valueCell(name, text, now)),
    screen,
  )
}

function valueCell(name: string, text: string, now: number): Cell {
  if (json.has(name) || !text.startsWith('"')) return { text: printable(text) }
  const value = JSON.parse(text) as string
  if (states.has(name)) return stateCell(value)
  if (urls.has(name)) return urlCell(value)
  return name.endsWith('_at') ? { text: `${value} (${ago(value, now)})` } : textCell(value)
}
