// What the bench found, as plain data: the table and the JSON file are made from the same.
import { median } from './figures.ts'

type Column = { title: string; unit: string; digits: number }

// In the order of the table. `broken_per_s` are the tasks for the broken receiver, beside those counted; `alone` is the same load
// without it or without the siege, `held` how many connections of each kind there were on average, `first_ms` from the start of
// the process to the first delivery, `rise_mib` what a straight line through the memory of the whole time rises by. What begins
// with `all` is of what all rounds measured, taken together.
const columns = {
  per_s: { title: 'per second', unit: '', digits: 0 },
  ratio_to_raw: { title: 'to raw', unit: '', digits: 2 },
  ratio_to_sqlite: { title: 'to SQLite', unit: '', digits: 2 },
  ratio_to_empty: { title: 'to empty', unit: '', digits: 2 },
  p50_ms: { title: 'p50', unit: ' ms', digits: 1 },
  p99_ms: { title: 'p99', unit: ' ms', digits: 1 },
  broken_per_s: { title: 'to the broken one', unit: '', digits: 0 },
  alone_per_s: { title: 'per second alone', unit: '', digits: 0 },
  alone_p50_ms: { title: 'p50 alone', unit: ' ms', digits: 1 },
  alone_p99_ms: { title: 'p99 alone', unit: ' ms', digits: 1 },
  ratio_to_alone: { title: 'to alone', unit: '', digits: 2 },
  held: { title: 'held', unit: '', digits: 0 },
  p99_to_alone: { title: 'p99 / alone', unit: '', digits: 2 },
  all_alone_p99_ms: { title: 'p99 of all rounds alone', unit: ' ms', digits: 1 },
  all_p99_ms: { title: 'p99 of all rounds', unit: ' ms', digits: 1 },
  all_p99_to_alone: { title: 'of all / alone', unit: '', digits: 2 },
  first_ms: { title: 'first delivery', unit: ' ms', digits: 0 },
  resident_mib: { title: 'resident', unit: ' MiB', digits: 0 },
  rise_mib: { title: 'rise', unit: ' MiB', digits: 1 },
} satisfies Record<string, Column>

type Measure = keyof typeof columns

/** What one round measured: only what the scenario is about. */
export type Figures = Partial<Record<Measure, number>>

/** Whose figures they are; `size` is how much there was of what the scenario varies. */
type Subject = { group: string; scenario: string; database: string; size?: string }

/** A scenario's medians, the rounds that they are of, and what is of all rounds together. */
export type Result = Subject & Figures & { rounds: Figures[] }

const measures = Object.keys(columns) as Measure[]

/** Makes a result of the figures of its rounds, and of those that are of all rounds together. */
export function resultOf(subject: Subject, rounds: Figures[], together: Figures = {}): Result {
  const medians = measures.flatMap((measure) => {
    const values = valuesOf(rounds, measure)
    return values.length === 0 ? [] : [[measure, median(values)] as const]
  })
  return { ...subject, ...Object.fromEntries(medians), ...together, rounds }
}

const valuesOf = (rounds: readonly Figures[], measure: Measure): number[] =>
  rounds.flatMap((figures) => figures[measure] ?? [])

/** One Markdown table a group, with medians, and the spread behind them where there was more than one round. */
export function resultTables(results: readonly Result[]): string {
  const groups = Map.groupBy(results, ({ group }) => group)
  return Array.from(groups, ([group, members]) => `### ${group}\n\n${table(members)}`).join('\n\n')
}

function table(results: readonly Result[]): string {
  const found = measures.filter((measure) => results.some((result) => result[measure] !== undefined))
  const withSize = results.some(({ size }) => size !== undefined)
  const sizeCell = (text: string) => (withSize ? [text] : [])
  const head = [
    'scenario',
    'database',
    ...sizeCell('size'),
    ...found.map((measure) => columns[measure].title),
  ]
  const rows = results.map((result) => [
    result.scenario,
    result.database,
    ...sizeCell(result.size ?? ''),
    ...found.map((measure) => cell(result, measure)),
  ])
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function cell({ rounds, ...result }: Figures & { rounds: Figures[] }, measure: Measure): string {
  const value = result[measure]
  if (value === undefined) return ''
  const { unit, digits } = columns[measure]
  const show = (shown: number) =>
    shown.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  const values = valuesOf(rounds, measure)
  if (values.length < 2) return `${show(value)}${unit}`
  return `${show(value)}${unit} (${show(Math.min(...values))}–${show(Math.max(...values))})`
}

/** One round in a line, for whoever waits for the others. */
export const figuresLine = (figures: Figures): string =>
  measures
    .filter((measure) => figures[measure] !== undefined)
    .map((measure) => `${columns[measure].title} ${cell({ ...figures, rounds: [] }, measure)}`)
    .join(', ')
