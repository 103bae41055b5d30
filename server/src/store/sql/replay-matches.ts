// Which deliveries a replay is about: one condition, for counting them, for finding the next, and for making sure of them once
// their tasks are locked. Counting and finding are reads, since they may look at much that does not match.
import { firstIdAt } from '../../domain/id.ts'
import type { Replay, ReplayFilter } from '../../domain/replay.ts'
import { bulk, type Row, type SqlValue, type Transaction } from '../database.ts'
import type { NewDelivery } from '../store.ts'

const isMatch = `d.id >= v.from_id and d.id < v.to_id and d.state = v.delivery_state and d.settled_at <= v.settled_until
  and (v.destination_id is null or d.destination_id = v.destination_id)
  and not exists (select 1 from deliveries later
    where later.task_id = d.task_id and later.seq > d.seq and later.sequence = d.sequence)`

const matchesOfFilter = `(select cast($1 as text) as project_id, cast($2 as text) as mode,
    cast($3 as text) as delivery_state, cast($4 as text) as destination_id, cast($5 as text) as from_id,
    cast($6 as text) as to_id, cast($7 as bigint) as settled_until) as v
  join deliveries d on d.project_id = v.project_id and d.mode = v.mode and ${isMatch}`

type Bounds = { from_id: string; to_id: string }

const boundsOf = ({ from_at, to_at }: ReplayFilter): Bounds => ({
  from_id: firstIdAt(from_at ?? 0),
  to_id: firstIdAt(to_at),
})

const bindsOf = (filter: ReplayFilter, { from_id, to_id }: Bounds): SqlValue[] => [
  filter.project_id,
  filter.mode,
  filter.delivery_state,
  filter.destination_id,
  from_id,
  to_id,
  filter.created_at,
]

/** How many deliveries match. */
export async function countMatches(tx: Transaction, filter: ReplayFilter): Promise<number> {
  const [row] = await tx.all(
    `select count(*) as n from ${matchesOfFilter}`,
    bindsOf(filter, boundsOf(filter)),
  )
  return Number(row?.n)
}

/** The tasks of the next matches, and the cursor behind them: null at the end. */
export type NextMatches = { task_ids: string[]; next: string | null }

// So many deliveries are looked at for one step, whether or not they match: it bounds how long other reads wait.
const LOOKED_AT = 2000

const windowEnd = `select id from deliveries where project_id = $1 and mode = $2 and id >= $3 and id < $4
  order by id limit 1 offset ${LOOKED_AT}`

/** Finds the next matches from the cursor on, at most `limit`. */
export async function nextMatches(tx: Transaction, replay: Replay, limit: number): Promise<NextMatches> {
  const { project_id, mode, cursor } = replay
  const { to_id } = boundsOf(replay)
  const [beyond] = await tx.all(windowEnd, [project_id, mode, cursor, to_id])
  const end = beyond === undefined ? null : String(beyond.id)
  const rows = await tx.all(`select d.id, d.task_id from ${matchesOfFilter} order by d.id limit $8`, [
    ...bindsOf(replay, { from_id: cursor, to_id: end ?? to_id }),
    limit + 1,
  ])
  const task_ids = [...new Set(rows.slice(0, limit).map(({ task_id }) => String(task_id)))]
  const first_left = rows[limit]
  return { task_ids, next: first_left === undefined ? end : String(first_left.id) }
}

/** A match, as the delivery of its event that comes next. */
export type Match = Pick<
  NewDelivery,
  'project_id' | 'mode' | 'task_id' | 'event_id' | 'event_type' | 'sequence' | 'destination_id' | 'url'
>

const matchesOfTask = bulk(
  {
    task_id: 'text',
    delivery_state: 'text',
    destination_id: 'text',
    from_id: 'text',
    to_id: 'text',
    settled_until: 'bigint',
  },
  (
    v,
  ) => `select d.project_id, d.mode, d.task_id, d.event_id, d.event_type, d.sequence, d.destination_id, d.url
    from ${v} join deliveries d on d.task_id = v.task_id and ${isMatch}
    join events e on e.task_id = d.task_id and e.sequence = d.sequence and e.body is not null`,
)

/** All matches of these tasks that there are still bytes of, each task's in the order of its events. */
export async function matchesOfTasks(
  tx: Transaction,
  filter: ReplayFilter,
  task_ids: readonly string[],
): Promise<Match[]> {
  const { delivery_state, destination_id, created_at } = filter
  const common = { ...boundsOf(filter), delivery_state, destination_id, settled_until: created_at }
  const rows = await tx.bulk(
    matchesOfTask,
    task_ids.map((task_id) => ({ task_id, ...common })),
  )
  return (rows as (Match & Row)[]).toSorted((a, b) => a.sequence - b.sequence)
}
