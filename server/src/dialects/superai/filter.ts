// The query of the job list and of whatever else takes its filters (contract §1.6): lists are repeated keys, not texts with
// commas, and booleans come in Python's spelling. What is not known is ignored, as its customers' clients send more than this.
import { AppError } from '../../domain/errors.ts'
import type { TaskStatus } from '../../domain/task.ts'
import type { TaskFilter } from '../../store/store.ts'
import { appLabel, batchLabel, jobStates, statusesOf, tagLabel, type JobState } from './job.ts'

/** A query as it was parsed: a repeated key gives a list. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** The tasks of an app's jobs that a query asks for. Throws `invalid_request` naming the key. */
export function filterOf(app: string, query: Query): TaskFilter {
  const labels = [[appLabel(app)]]
  const batches = listOf(query, 'batchId')
  if (batches !== undefined) labels.push(batches.map((batch_id) => batchLabel(batch_id.toLowerCase())))
  const tags = listOf(query, 'tags')
  if (tags !== undefined) labels.push(tags.map(tagLabel))
  const ids = listOf(query, 'idSearch')?.map((id) => id.toLowerCase())
  const correct = booleanOf(query, 'correct')
  return {
    labels,
    ...(ids === undefined ? {} : { ids }),
    ...(correct === undefined ? {} : { audit_statuses: [correct ? 'approved' : 'rejected'] }),
    ...stateFilter(listOf(query, 'statusIn')),
    ...periodOf(query, 'created'),
    ...periodOf(query, 'completed'),
  }
}

function stateFilter(words: readonly string[] | undefined): TaskFilter {
  if (words === undefined) return {}
  const states = words.map((word) => {
    const state = word.toUpperCase() as JobState
    if (jobStates.includes(state)) return state
    throw new AppError('invalid_request', `statusIn: ${word} is not a state; use ${jobStates.join(', ')}`)
  })
  const parked = states.includes('PENDING')
  const statuses = Array.from(new Set(states.flatMap((state): TaskStatus[] => statusesOf(state))))
  // The two states of suspended tasks.
  return parked === states.includes('SUSPENDED') ? { statuses } : { statuses, suspended_at_birth: parked }
}

/** Both ends are included. */
function periodOf(query: Query, what: 'created' | 'completed'): TaskFilter {
  const from = timeOf(query, `${what}StartDate`)
  const to = timeOf(query, `${what}EndDate`)
  return {
    ...(from === undefined ? {} : { [`${what}_from`]: from }),
    ...(to === undefined ? {} : { [`${what}_to`]: to + 1 }),
  }
}

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/

function timeOf(query: Query, name: string): number | undefined {
  const text = lastOf(query, name)
  if (text === undefined) return undefined
  const time = TIME.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new AppError('invalid_request', `${name}: give a time such as 2024-03-05T09:10:11Z`)
}

/** The texts of a key that may be repeated; empty ones do not count. */
function listOf(query: Query, name: string): string[] | undefined {
  const texts = [query[name] ?? []].flat().filter((text) => text !== '')
  return texts.length === 0 ? undefined : texts
}

/** The text of a key; of a repeated one the last. */
const lastOf = (query: Query, name: string): string | undefined => listOf(query, name)?.at(-1)

/** Reads `true` or `false` in any case of letters; throws `invalid_request` for anything else. */
export function booleanOf(query: Query, name: string): boolean | undefined {
  const text = lastOf(query, name)?.toLowerCase()
  if (text === undefined) return undefined
  if (text === 'true' || text === 'false') return text === 'true'
  throw new AppError('invalid_request', `${name}: give true or false`)
}

/** Reads a whole number of the query within bounds; throws `invalid_request`. */
export function numberOf(
  query: Query,
  name: string,
  { min, max, other }: { min: number; max: number; other: number },
): number {
  const text = lastOf(query, name)
  if (text === undefined) return other
  const number = /^\d{1,9}$/.test(text) ? Number(text) : -1
  if (number >= min && number <= max) return number
  throw new AppError('invalid_request', `${name}: give a whole number from ${min} to ${max}`)
}

/** Reads one of some words; throws `invalid_request`. */
export function wordOf<W extends string>(query: Query, name: string, words: readonly [W, ...W[]]): W {
  const text = lastOf(query, name) ?? words[0]
  const word = words.find((known) => known.toLowerCase() === text.toLowerCase())
  if (word !== undefined) return word
  throw new AppError('invalid_request', `${name}: ${text} is not known; use ${words.join(' or ')}`)
}
