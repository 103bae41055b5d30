// The end of an attempt: guarded by the fence alone, since every exit from `sending` raises it. A final outcome writes
// callback_succeeded and releases the task's next held delivery, each in a statement after the task was locked.
import type { Delivery, DeliveryState } from '../../domain/delivery.ts'
import { SMALL_BODY } from '../../domain/weight.ts'
import { bulk, type Row } from '../database.ts'
import type { Ready, Settle } from '../store.ts'
import { attemptColumns, deliveryColumns, list } from './columns.ts'
import type { WriteContext } from './context.ts'
import { wake } from './destinations.ts'
import { unpackBody, unpackedLength, type PackedBody } from './event-body.ts'

/** `leased` says that a slot is reserved for the delivery that this one may release, if that is small. */
export type SettleInput = Settle & { leased: boolean }
export type SettleResult = { won: boolean; released: Released | null }
/** A held delivery whose turn came: leased and ready to be sent, or queued for whoever claims it. */
export type Released = Ready | 'queued'

const updateDelivery = bulk(
  {
    id: 'text',
    fence: 'bigint',
    state: 'text',
    reason: 'text',
    due_at: 'bigint',
    attempt_count: 'bigint',
    unknown_count: 'bigint',
    unknown_streak: 'bigint',
    first_attempt_at: 'bigint',
    give_up_at: 'bigint',
    now: 'bigint',
  },
  // A cancel that came during the attempt takes effect here, unless the attempt succeeded.
  (v) => `update deliveries set
      state = case when v.state = 'pending' and deliveries.cancel_requested = 1 then 'canceled' else v.state end,
      reason = case when v.state = 'pending' and deliveries.cancel_requested = 1 then 'canceled' else v.reason end,
      due_at = case when v.state = 'pending' and deliveries.cancel_requested = 0 then v.due_at end,
      settled_at = case when v.state <> 'pending' or deliveries.cancel_requested = 1 then v.now end,
      attempt_count = v.attempt_count, unknown_count = v.unknown_count, unknown_streak = v.unknown_streak,
      first_attempt_at = v.first_attempt_at, give_up_at = v.give_up_at,
      lease_owner = null, lease_until = null, fence = deliveries.fence + 1
    from ${v} where deliveries.id = v.id and deliveries.fence = v.fence
    returning deliveries.id, deliveries.state`,
)

const insertAttempt = bulk(
  attemptColumns,
  (v) => `insert into attempts (${list(attemptColumns)}) select ${list(attemptColumns, 'v')} from ${v}`,
)

/** Settles attempts; one whose lease was lost writes nothing. */
export async function settleDeliveries(
  context: WriteContext,
  inputs: SettleInput[],
): Promise<SettleResult[]> {
  const { tx, now } = context
  const rows = await tx.bulk(
    updateDelivery,
    inputs.map(({ delivery, settlement }) => ({
      id: delivery.id,
      fence: delivery.fence,
      ...settlement,
      now,
    })),
  )
  const states = new Map(rows.map(({ id, state }) => [id, state as DeliveryState]))
  const winners = inputs.filter(({ delivery }) => states.has(delivery.id))
  await tx.bulk(
    insertAttempt,
    winners.flatMap(({ attempt }) => attempt ?? []),
  )
  const finals = winners.flatMap(({ delivery, lease_ms, leased }) => {
    const state = states.get(delivery.id) ?? 'pending'
    return state === 'pending' ? [] : { ...delivery, state, lease_ms: leased ? lease_ms : null }
  })
  const released = await finishDeliveries(context, finals)
  await wake(
    tx,
    winners.flatMap(({ delivery, settlement }) =>
      states.get(delivery.id) === 'pending'
        ? { id: delivery.destination_id, due_at: settlement.due_at ?? now }
        : [],
    ),
  )
  return inputs.map(({ delivery }) => ({
    won: states.has(delivery.id),
    released: released.get(delivery.task_id) ?? null,
  }))
}

/** A delivery that just got its final state; `lease_ms` not null leases the one it releases, if that is small. */
export type Final = Pick<Delivery, 'task_id' | 'sequence' | 'resend' | 'ordered' | 'state'> & {
  lease_ms: number | null
}

// Only the latest event that became a callback decides. A re-send can turn false into true and never the reverse. `held` is 1 where something is held
// in the task; as a scalar, since PostgreSQL may turn `exists` into a scan of everything that is held.
const updateSucceeded = bulk(
  { task_id: 'text', sequence: 'bigint', succeeded: 'bigint', resend: 'bigint', now: 'bigint' },
  (v) => `update tasks set
      callback_succeeded = case when v.resend = 1 and v.succeeded = 0 then tasks.callback_succeeded else v.succeeded end,
      callback_succeeded_at = case when v.resend = 1 and v.succeeded = 0 then tasks.callback_succeeded_at else v.now end
    from ${v} where tasks.id = v.task_id and coalesce(tasks.last_told, tasks.event_count) = v.sequence
    returning tasks.id, (select 1 from deliveries d where d.task_id = tasks.id and d.state = 'held' limit 1) as held`,
)

/** What follows from final states: `callback_succeeded`, and the release of the next held delivery of each task. */
export async function finishDeliveries(
  context: WriteContext,
  finals: Final[],
): Promise<Map<string, Released>> {
  const { tx, now } = context
  const latest = await tx.bulk(
    updateSucceeded,
    finals.map(({ task_id, sequence, resend, state }) => ({
      task_id,
      sequence,
      resend,
      succeeded: state === 'delivered' ? 1 : 0,
      now,
    })),
  )
  // Behind the latest event's delivery there is mostly nothing, so that most tasks are spared the release.
  const atEnd = new Set(latest.flatMap(({ id, held }) => (held === null ? (id ?? []) : [])))
  return releaseNext(
    context,
    finals.filter(({ task_id, ordered }) => ordered === 1 && !atEnd.has(task_id)),
  )
}

// Its slot was reserved before it was known what it is; a claim weighs what is large.
const mayBeSent = `v.lease_owner is not null
  and (select ${unpackedLength('e')} from events e
    where e.task_id = deliveries.task_id and e.sequence = deliveries.sequence) <= ${SMALL_BODY}
  and not exists (select 1 from destinations x
    where x.id = deliveries.destination_id and (x.not_before > v.now or x.opened_at is not null))`

const releaseDelivery = bulk(
  { task_id: 'text', now: 'bigint', lease_owner: 'text', lease_until: 'bigint' },
  (v) => `update deliveries set
      state = case when ${mayBeSent} then 'sending' else 'pending' end,
      due_at = case when ${mayBeSent} then null else v.now end,
      lease_owner = case when ${mayBeSent} then v.lease_owner end,
      lease_until = case when ${mayBeSent} then v.lease_until end, fence = deliveries.fence + 1
    from ${v}
    where deliveries.state = 'held' and deliveries.task_id = v.task_id
      and deliveries.seq = (select min(d.seq) from deliveries d
        where d.task_id = v.task_id and d.ordered = 1 and d.state in ('held', 'pending', 'sending'))
    returning ${list(deliveryColumns, 'deliveries')}`,
)

/** Releases the held head of each task, straight to `sending` where a slot is reserved and it is small. Returns those released, by task. */
export async function releaseNext(
  { tx, now, owner }: WriteContext,
  tasks: { task_id: string; lease_ms: number | null }[],
): Promise<Map<string, Released>> {
  const rows = (await tx.bulk(
    releaseDelivery,
    tasks.map(({ task_id, lease_ms }) => ({
      task_id,
      now,
      lease_owner: lease_ms === null ? null : owner,
      lease_until: lease_ms === null ? null : now + lease_ms,
    })),
  )) as (Delivery & Row)[]
  await wake(
    tx,
    rows.flatMap((row) => (row.state === 'pending' ? { id: row.destination_id, due_at: now } : [])),
  )
  const bodies = await bodiesOf(
    { tx },
    rows.filter(({ state }) => state === 'sending'),
  )
  return new Map(
    rows.map((row) => [
      row.task_id,
      row.state === 'sending' ? { ...row, body: bodies.get(row.id) ?? '' } : 'queued',
    ]),
  )
}

const selectBodies = bulk(
  { id: 'text', task_id: 'text', sequence: 'bigint' },
  (v) =>
    `select v.id, e.body, e.payload from ${v} join events e on e.task_id = v.task_id and e.sequence = v.sequence`,
)

/** The frozen bytes of deliveries, by delivery id. */
export async function bodiesOf(
  { tx }: Pick<WriteContext, 'tx'>,
  deliveries: readonly Pick<Delivery, 'id' | 'task_id' | 'sequence'>[],
): Promise<Map<string, string>> {
  const rows = await tx.bulk(
    selectBodies,
    deliveries.map(({ id, task_id, sequence }) => ({ id, task_id, sequence })),
  )
  return new Map(rows.map((row) => [String(row.id), unpackBody(row as PackedBody & Row) ?? '']))
}
