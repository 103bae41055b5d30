// The list of tasks (contract §2.4), with both ways to page: clients of one age send an offset, those of another the token of
// the page before. The tasks that carry the callbacks of batches are in no list.
import { AppError } from '../../domain/errors.ts'
import { decodeCursor, encodeCursor } from '../../domain/page.ts'
import { auditVerdicts, type TaskStatus } from '../../domain/task.ts'
import type { TaskFilter } from '../../store/store.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { chunksOf, listAnswer, membersBehind } from '../task-list.ts'
import { JSON_TYPE, type Handler } from './answer.ts'
import { label } from './extras.ts'
import { booleanField, invalid } from './fields.ts'
import { presentLimited, presentTask } from './present.ts'
import { lastOf, listOf, pageOf, rangeOf, type Query } from './query.ts'
import { auditResults, statusesOf, statusWords } from './status.ts'
import { taskTypeOf, taskTypes } from './task-types.ts'

const TOTAL_MAX = 10_000

/** Makes the handler of `GET /v1/tasks`. */
export const listRoute =
  ({ store }: FrontDeps): Handler =>
  async (request, reply) => {
    const { scope } = callerOf(request)
    const query = request.query as Query
    const { limit, offset } = pageOf(query)
    const filter = filterOf(query)
    const token = lastOf(query, 'next_token')
    const after = token === undefined ? null : lastIdOf(token)
    const range = { order: 'newest', limit, offset: after === null ? offset : 0, after } as const
    const present = booleanField(query, 'limited_response') === true ? presentLimited : presentTask
    const total = await store.countTasks(scope, filter, TOTAL_MAX)
    reply.code(200).type(JSON_TYPE)
    return listAnswer(chunksOf(store, scope, { filter, range }), {
      before: '{"docs":[',
      present,
      behind({ last_id, has_more }) {
        const next_token = has_more && last_id !== null ? encodeCursor(last_id) : undefined
        return membersBehind({ total, limit, offset, has_more, next_token })
      },
    })
  }

function lastIdOf(token: string): string {
  try {
    return decodeCursor(token)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw invalid('next_token', 'is none of this list; pass it as it was given')
  }
}

/** The filter that a query asks for; keys that it does not know are passed over. */
export function filterOf(query: Query): TaskFilter {
  const created = rangeOf(query, 'start_time', 'end_time')
  const completed = rangeOf(query, 'completed_after', 'completed_before')
  const updated = rangeOf(query, 'updated_after', 'updated_before')
  const types = listOf(query, 'type')
  for (const type of types) taskTypeOf(type)
  const unique_ids = listOf(query, 'unique_id')
  const reviews = listOf(query, 'customer_review_status').flatMap((list) => list.split(','))
  const isDated = completed.from !== undefined || completed.to !== undefined
  const statuses = statusesOfQuery(listOf(query, 'status'), isDated)
  const filter: { [K in keyof TaskFilter]: TaskFilter[K] | undefined } = {
    statuses,
    types: types.length === 0 ? taskTypes : types,
    unique_ids: unique_ids.length === 0 ? undefined : unique_ids,
    audit_statuses: reviews.length === 0 ? undefined : reviews.flatMap(verdictsOf),
    labels: labelsOfQuery(query),
    created_from: created.from,
    created_to: created.to,
    completed_from: completed.from,
    completed_to: completed.to,
    updated_from: updated.from,
    updated_to: updated.to,
  }
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
}

/** Our statuses behind Scale's words. A time of completion is had by completed tasks only: for us, by all that are settled. */
function statusesOfQuery(words: readonly string[], isDated: boolean): TaskStatus[] | undefined {
  for (const word of words) {
    if (statusesOf(word).length === 0) throw invalid('status', `must be one of ${statusWords.join(', ')}`)
  }
  if (words.length === 0) return isDated ? ['completed'] : undefined
  const statuses = words.flatMap(statusesOf)
  return isDated ? statuses.filter((status) => status === 'completed') : statuses
}

/** Our verdicts behind a word for a review; `commented` is one that we never give. */
function verdictsOf(word: string): (string | null)[] {
  if (word === 'pending') return [null]
  if (word === 'commented') return []
  const verdict = auditVerdicts.find((verdict) => auditResults[verdict] === word)
  if (verdict !== undefined) return [verdict]
  throw invalid('customer_review_status', 'must be of pending, accepted, fixed, rejected, commented')
}

/** One of the projects, one of the batches, and one of the tags, which may also stand in one text with commas. */
function labelsOfQuery(query: Query): string[][] | undefined {
  const tags = listOf(query, 'tags').flatMap((text) => [text, ...text.split(',')])
  const groups = [
    listOf(query, 'project').map((name) => label('project', name)),
    listOf(query, 'batch').map((name) => label('batch', name)),
    [...new Set(tags)].map((tag) => label('tag', tag)),
  ].filter((group) => group.length > 0)
  return groups.length === 0 ? undefined : groups
}
