// Tables, fitted to the screen. What does not fit beside one another is written below one another: an id must stay whole,
// since it is there to be copied.
import { columnsOf, fit, pad, wrap, type Screen, type Tone } from './screen.ts'

export type Cell = { text: string; tone?: Tone | undefined }
export type Column = {
  name: string
  /** May be cut when the rows are too long. */
  flexible?: boolean
  /** May be left out: when cutting is not enough, and when it is empty in every row. */
  optional?: boolean
}

type Row = readonly Cell[]

const GAP = 2
const FLEXIBLE_MIN = 8

/** Writes rows of as many cells as there are columns. Texts must be free of control characters. */
export function table(columns: readonly Column[], rows: readonly Row[], screen: Screen): string {
  const widths = widthsOf(columns, rows, screen.width)
  if (widths === undefined) return rows.map((row) => stacked(columns, row, screen)).join('\n\n')
  const line = (cells: Row) =>
    cells
      .flatMap(({ text, tone }, index) => {
        const width = widths[index]
        if (width === undefined) return []
        const fitted = fit(text, width)
        const shown = tone === undefined ? fitted : screen.paint(tone, fitted)
        return [shown + pad('', width - columnsOf(fitted))]
      })
      .join(pad('', GAP))
      .trimEnd()
  const head = columns.map(({ name }): Cell => ({ text: name.toUpperCase(), tone: 'dim' }))
  return [head, ...rows].map(line).join('\n')
}

/** The columns' widths, without those left out; undefined when they cannot be made to fit. */
function widthsOf(columns: readonly Column[], rows: readonly Row[], room: number) {
  const natural = columns.map(({ name }, index) =>
    Math.max(columnsOf(name), ...rows.map((row) => columnsOf(row[index]?.text ?? ''))),
  )
  const least = natural.map((width, index) =>
    columns[index]?.flexible === true ? Math.min(width, FLEXIBLE_MIN) : width,
  )
  const optional = (index: number) => columns[index]?.optional === true
  const kept = new Set(columns.keys())
  for (const index of columns.keys()) {
    if (optional(index) && rows.every((row) => row[index]?.text === '')) kept.delete(index)
  }
  const total = (widths: readonly number[]) =>
    [...kept].reduce((sum, index) => sum + (widths[index] ?? 0) + GAP, -GAP)
  for (const index of [...columns.keys()].toReversed()) {
    if (total(least) > room && optional(index)) kept.delete(index)
  }
  if (total(least) > room) return undefined
  const widths = natural.map((width, index) => (kept.has(index) ? width : undefined))
  for (let excess = total(natural) - room; excess > 0; excess--) {
    const widest = widestOf(widths, least)
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

/** The widest of those that can be cut further. */
function widestOf(widths: readonly (number | undefined)[], least: readonly number[]): number {
  let widest = -1
  for (const [index, width = 0] of widths.entries()) {
    if (width > (least[index] ?? 0) && width > (widths[widest] ?? 0)) widest = index
  }
  return widest
}

/** One row as lines of name and value. */
export function stacked(columns: readonly Column[], row: readonly Cell[], { width, paint }: Screen): string {
  const left = Math.max(...columns.map(({ name }) => columnsOf(name))) + GAP
  const beside = width - left
  return columns
    .flatMap(({ name }, index) => {
      const { text, tone } = row[index] ?? { text: '' }
      const painted = (part: string) => (tone === undefined ? part : paint(tone, part))
      if (text === '') return []
      // A word that is longer than the room beside its name gets lines of its own.
      if (text.split(' ').every((word) => columnsOf(word) <= beside)) {
        return wrap(text, beside).map(
          (part, at) => paint('dim', pad(at === 0 ? name : '', left)) + painted(part),
        )
      }
      return [paint('dim', name), ...wrap(text, width - GAP).map((part) => pad('', GAP) + painted(part))]
    })
    .join('\n')
}
