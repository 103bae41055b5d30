// How a delivery enters the table: behind its unsettled elder (held), leased to this process, or pending. The caller has
// locked the task's row in an earlier statement; deciding and locking in one strands deliveries for ever on PostgreSQL.
import { untried, type DeliveryState } from '../../domain/delivery.ts'
import { bulk, type Transaction } from '../database.ts'
import type { NewDelivery } from '../store.ts'
import { deliveryColumns, list } from './columns.ts'
import type { WriteContext } from './context.ts'
import { wake } from './destinations.ts'

/** `leased` says that a slot is reserved for it. */
export type InsertDelivery = NewDelivery & { leased: boolean }

/** What the store decided about a new delivery. */
export type Inserted = { state: DeliveryState; seq: number; lease_until: number | null }

const findElders = bulk(
  { task_id: 'text' },
  (v) => `select d.task_id, max(d.seq) as seq,
      max(case when d.ordered = 1 and d.state in ('held', 'pending', 'sending') then 1 else 0 end) as unsettled
    from deliveries d join ${v} on d.task_id = v.task_id group by d.task_id`,
)

const insertDelivery = bulk(
  deliveryColumns,
  (v) => `insert into deliveries (${list(deliveryColumns)}) select ${list(deliveryColumns, 'v')} from ${v}`,
)

const closedDestinations = bulk(
  { id: 'text', now: 'bigint' },
  (v) => `select d.id, d.pause_reason from ${v} join destinations d on d.id = v.id
    where d.not_before > v.now or d.opened_at is not null`,
)

/** Where a delivery must queue though a slot is reserved for it. A re-send by hand passes what was not closed by hand. */
async function closedFor({ tx, now }: WriteContext, inputs: InsertDelivery[]) {
  const ids = new Set(inputs.flatMap(({ leased, destination_id }) => (leased ? destination_id : [])))
  const rows = await tx.bulk(
    closedDestinations,
    Array.from(ids, (id) => ({ id, now })),
  )
  const byHand = new Map(rows.map(({ id, pause_reason }) => [id, pause_reason === 'operator']))
  return ({ destination_id, resend }: InsertDelivery) =>
    byHand.get(destination_id) === true || (byHand.has(destination_id) && resend === 0)
}

/** Inserts deliveries, those of one task in the given order; returns by id what was decided. */
export async function insertDeliveries(
  context: WriteContext,
  inputs: InsertDelivery[],
): Promise<Map<string, Inserted>> {
  const { tx, now, owner } = context
  const decided = new Map<string, Inserted>()
  if (inputs.length === 0) return decided
  const elders = await eldersOf(tx, inputs)
  const isClosed = await closedFor(context, inputs)
  const rows = inputs.map((input) => {
    const { leased, lease_ms, ...delivery } = input
    const elder = elders.get(delivery.task_id) ?? { seq: 0, unsettled: 0 }
    const held = delivery.ordered === 1 && elder.unsettled === 1
    const state: DeliveryState = held ? 'held' : leased && !isClosed(input) ? 'sending' : 'pending'
    const sending = state === 'sending'
    const inserted = { state, seq: elder.seq + 1, lease_until: sending ? now + lease_ms : null }
    decided.set(delivery.id, inserted)
    elders.set(delivery.task_id, { seq: inserted.seq, unsettled: delivery.ordered || elder.unsettled })
    return {
      ...delivery,
      ...untried,
      ...inserted,
      due_at: state === 'pending' ? now : null,
      lease_owner: sending ? owner : null,
      fence: sending ? 1 : 0,
    }
  })
  await tx.bulk(insertDelivery, rows)
  await wake(
    tx,
    rows.flatMap((row) => (row.state === 'pending' ? { id: row.destination_id, due_at: now } : [])),
  )
  return decided
}

async function eldersOf(tx: Transaction, inputs: InsertDelivery[]) {
  // A task's first event has no predecessor, and most tasks have only one: they skip the look-up.
  const later = inputs.filter(({ sequence, resend }) => sequence > 1 || resend === 1)
  const rows = await tx.bulk(
    findElders,
    Array.from(new Set(later.map(({ task_id }) => task_id)), (task_id) => ({ task_id })),
  )
  return new Map(
    rows.map((row) => [String(row.task_id), { seq: Number(row.seq), unsettled: Number(row.unsettled) }]),
  )
}
