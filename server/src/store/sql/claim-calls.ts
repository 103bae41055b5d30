// What a claim takes of calls: by priority, but nobody starves, since each step of it is worth only so much waiting.
import type { Call } from '../../domain/call.ts'
import { leaseMs } from '../../domain/delivery.ts'
import type { Task } from '../../domain/task.ts'
import { bulk, type Row, type Transaction } from '../database.ts'
import type { ReadyCall } from '../call-verbs.ts'
import { claimFrom } from './claim.ts'
import { callColumns, list } from './columns.ts'

// A call of one priority more goes before those that have been due so much longer.
const PRIORITY_STEP_MS = 60_000
const PRIORITIES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

const columns = { id: 'text', priority: 'bigint', now: 'bigint', room: 'bigint' } as const

// The first of each priority by an index; sorting all that is due would read a whole backlog for each claim.
const selectPending = {
  sqlite: bulk(
    columns,
    () => `select ${list(callColumns)}, task_id as id from calls
      where destination_id = ?1 and state = 'pending' and priority = ?2 and due_at <= ?3 order by due_at limit ?4`,
  ),
  postgres: bulk(
    columns,
    (v) => `select c.* from ${v} cross join lateral (select ${list(callColumns)}, task_id as id from calls
      where destination_id = v.id and state = 'pending' and priority = v.priority and due_at <= v.now
      order by due_at limit v.room for update skip locked) as c`,
  ),
}

const leaseCall = bulk(
  { id: 'text', lease_owner: 'text', lease_until: 'bigint' },
  (v) => `update calls set state = 'sending', due_at = null, lease_owner = v.lease_owner,
      lease_until = v.lease_until, fence = calls.fence + 1
    from ${v} where calls.task_id = v.id`,
)

// As domain/weight.ts weighs a call; neither is read for it.
const selectSizes = bulk(
  { id: 'text' },
  (v) =>
    `select t.id, coalesce(octet_length(t.call_plan), 0) + octet_length(t.params) as bytes
     from ${v} join tasks t on t.id = v.id`,
)

const selectTasks = bulk({ id: 'text' }, (v) => `select t.* from ${v} join tasks t on t.id = v.id`)

type CallRow = Call & { id: string } & Row

const rankOf = ({ due_at, priority }: Call) => (due_at ?? 0) - priority * PRIORITY_STEP_MS

/** Leases due calls. */
export const claimCalls = claimFrom<CallRow, ReadyCall>({
  kind: 'call',
  async pending(tx, now, open) {
    const rows = (await tx.bulk(
      selectPending[tx.flavor.name],
      open.flatMap((destination) => PRIORITIES.map((priority) => ({ ...destination, priority, now }))),
    )) as CallRow[]
    const room = new Map(open.map((destination) => [destination.id, destination.room]))
    const ranked = Map.groupBy(
      rows.toSorted((a, b) => rankOf(a) - rankOf(b)),
      ({ destination_id }) => destination_id,
    )
    return [...ranked].flatMap(([id, calls]) => calls.slice(0, room.get(id)))
  },
  lease_ms: ({ timeout_ms }) => leaseMs(timeout_ms),
  lease: (tx, claimed) =>
    tx.bulk(
      leaseCall,
      claimed.map(({ id, lease_owner, lease_until }) => ({ id, lease_owner, lease_until })),
    ),
  async weigh(tx, rows) {
    const sizes = await tx.bulk(
      selectSizes,
      rows.map(({ id }) => ({ id })),
    )
    return new Map(sizes.map(({ id, bytes }) => [String(id), Number(bytes)]))
  },
  ready: ({ tx }, rows) => withTasks(tx, rows),
})

/** Calls with their tasks; without one there is no call either. */
export async function withTasks(tx: Transaction, calls: readonly Call[]): Promise<ReadyCall[]> {
  const rows = await tx.bulk(
    selectTasks,
    calls.map(({ task_id }) => ({ id: task_id })),
  )
  const tasks = new Map(rows.map((row) => [String(row.id), row as Task & Row]))
  return calls.flatMap((call) => {
    const task = tasks.get(call.task_id)
    return task === undefined ? [] : { ...call, id: call.task_id, task }
  })
}
