// Finding tasks by a filter, in the order of their ids, which is that of their creation. Most conditions are looked at task by
// task on the way; ids, unique ids and labels lead to their tasks.
import { firstIdAt } from '../../domain/id.ts'
import type { Page } from '../../domain/page.ts'
import type { Scope } from '../../domain/project.ts'
import type { Task } from '../../domain/task.ts'
import { bulk, type Flavor, type Row, type Transaction } from '../database.ts'
import type { TaskFilter } from '../store.ts'
import { boundedPage } from './bounded-page.ts'
import { taskBytes } from './columns.ts'
import { countUpTo, inScope, isInState, where, type Condition } from './where.ts'

export type TaskPageRequest = {
  limit: number
  /** How many to pass over, behind `after`. */
  offset: number
  order: 'newest' | 'oldest'
  /** The id of the last task seen. */
  after?: string | null
  /** A part of a list that has begun: it is not refused, however many wait to be read for whoever asks. */
  goes_on?: boolean
}

/** A page of the tasks that match; it ends sooner where they come to 1 MiB. */
export async function findTasks(
  tx: Transaction,
  { scope, filter, page }: { scope: Scope; filter: TaskFilter; page: TaskPageRequest },
): Promise<Page<Task>> {
  const { limit, offset, order } = page
  const [behind, direction] = order === 'newest' ? (['<', 'desc'] as const) : (['>', 'asc'] as const)
  const { from, key, conditions } = await matches(tx, scope, filter)
  const { sql, binds } = where([...conditions, [`${key} ${behind} $`, page.after ?? undefined]])
  const bytes = taskBytes('tasks')
  return boundedPage(tx, { table: 'tasks', from, where: sql, binds, key, bytes, direction, limit, offset })
}

/** How many tasks match; counts no further than `limit`. */
export async function countTasks(
  tx: Transaction,
  { scope, filter, limit }: { scope: Scope; filter: TaskFilter; limit: number },
): Promise<number> {
  const { from, conditions } = await matches(tx, scope, filter)
  const { sql, binds } = where(conditions)
  return countUpTo(tx, `${from} where ${sql}`, binds, limit)
}

type Matches = { from: string; key: 'id' | 'task_id'; conditions: Condition[] }

/** Where the tasks of a filter are found, and what must hold of each. */
async function matches(tx: Transaction, scope: Scope, filter: TaskFilter): Promise<Matches> {
  const { flavor } = tx
  const conditions = [...inScope(scope), ...(await named(tx, scope, filter)), ...conditionsOf(flavor, filter)]
  const groups = filter.labels ?? []
  const single = groups.find(({ length }) => length === 1)
  const labeled = 'select task_id, label from labels where project_id = $1 and mode = $2'
  if (single === undefined) {
    const found = `id in (select task_id from (${labeled}) as labeled where label ${flavor.oneOf('$')})`
    conditions.push(...groups.map((group): Condition => [found, textOf(group)]))
    return { from: 'tasks', key: 'id', conditions }
  }
  // A single label gives its tasks in order, so that a page costs what it shows, however many they are. The cross join tells
  // SQLite where to begin; the other labels are looked up task by task.
  const also = `exists (${labeled} and task_id = id and label ${flavor.oneOf('$')})`
  conditions.push(['id = task_id and label = $', single[0]])
  conditions.push(
    ...groups.filter((group) => group !== single).map((group): Condition => [also, textOf(group)]),
  )
  return { from: `(${labeled}) as labeled cross join tasks`, key: 'task_id', conditions }
}

const lookUp = (column: 'id' | 'external_id' | 'unique_id') =>
  bulk(
    { project_id: 'text', mode: 'text', name: 'text' },
    (v) => `select t.id from ${v}
      join tasks t on t.project_id = v.project_id and t.mode = v.mode and t.${column} = v.name`,
  )
const byId = lookUp('id')
const byExternalId = lookUp('external_id')
const byUniqueId = lookUp('unique_id')

// Looked up first and by themselves: SQLite would rather walk all tasks than go through an index for each of a list.
async function named(tx: Transaction, scope: Scope, { ids, unique_ids }: TaskFilter): Promise<Condition[]> {
  const { project_id, mode } = scope
  const isOneOf = `id ${tx.flavor.oneOf('$')}`
  const conditions: Condition[] = []
  for (const [names, statements] of [
    [ids, [byId, byExternalId]],
    [unique_ids, [byUniqueId]],
  ] as const) {
    if (names === undefined) continue
    const rows = names.map((name) => ({ project_id, mode, name }))
    const found: Row[] = []
    for (const statement of statements) found.push(...(await tx.bulk(statement, rows)))
    conditions.push([isOneOf, JSON.stringify(found.map(({ id }) => id))])
  }
  return conditions
}

const callLater = `exists (select 1 from calls where calls.task_id = tasks.id and calls.attempt_count = 0
  and calls.due_at > $)`

function conditionsOf(flavor: Flavor, filter: TaskFilter): Condition[] {
  const { callback_succeeded, audit_statuses, suspended_at_birth } = filter
  const verdicts = audit_statuses?.filter((status) => status !== null)
  const unaudited = audit_statuses?.includes(null) ? 'or audit_status is null' : ''
  const isOneOf = (column: string, texts: readonly string[] | undefined): Condition => [
    `${column} ${flavor.oneOf('$')}`,
    textOf(texts),
  ]
  return [
    isInState('status', filter.status),
    isOneOf('status', filter.statuses),
    isOneOf(
      `(case when status = 'suspended' then coalesce(resume_status, 'pending') else status end)`,
      filter.resumed_statuses,
    ),
    [callLater, filter.first_call_after],
    [`not ${callLater}`, filter.first_call_by],
    [
      `(status <> 'suspended' or case when resume_status is null then 1 else 0 end = $)`,
      suspended_at_birth === undefined ? undefined : Number(suspended_at_birth),
    ],
    ['type = $', filter.type],
    isOneOf('type', filter.types),
    ['audit_status = $', filter.audit_status],
    [`(audit_status ${flavor.oneOf('$')} ${unaudited})`, textOf(verdicts)],
    isOneOf(
      `(status || '/' || coalesce(audit_status, ''))`,
      filter.states?.map(([status, verdict]) => `${status}/${verdict ?? ''}`),
    ),
    ['callback_succeeded = $', callback_succeeded === undefined ? undefined : Number(callback_succeeded)],
    ['unique_id = $', filter.unique_id],
    ['id >= $', startOf(filter.created_from)],
    ['id < $', startOf(filter.created_to)],
    ['completed_at >= $', filter.completed_from],
    ['completed_at < $', filter.completed_to],
    ['updated_at >= $', filter.updated_from],
    ['updated_at < $', filter.updated_to],
  ]
}

const textOf = (texts: readonly string[] | undefined) =>
  texts === undefined ? undefined : JSON.stringify(texts)

// An id begins with the time of its task's creation.
const startOf = (time_ms: number | undefined) => (time_ms === undefined ? undefined : firstIdAt(time_ms))
