// Destinations: one row says when a receiver next has something due, so that a million waiting deliveries cost the others
// nothing. A wake-up must never be lost: the obvious statements lose them on PostgreSQL.
import { bulk, bulkLock, type Transaction } from '../database.ts'
import type { Destination } from '../store.ts'
import type { WriteContext } from './context.ts'

const insertDestination = bulk(
  { id: 'text', project_id: 'text', mode: 'text', kind: 'text', key: 'text', created_at: 'bigint' },
  (v) => `insert into destinations (id, project_id, mode, kind, key, due_at, not_before, created_at)
    select v.id, v.project_id, v.mode, v.kind, v.key, null, 0, v.created_at from ${v} where true
    on conflict (id) do nothing`,
)

/** Makes sure that these destinations exist. */
export async function ensureDestinations(
  { tx, now }: WriteContext,
  destinations: Destination[],
): Promise<void> {
  const rows = new Map(destinations.map((d) => [d.id, { ...d, created_at: now }]))
  if (rows.size > 0) await tx.bulk(insertDestination, [...rows.values()].toSorted(byId))
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)

/** Something is pending at a destination from `due_at` on. */
export type WakeUp = { id: string; due_at: number }

const lowerDueAt = bulk(
  { id: 'text', due_at: 'bigint' },
  (v) => `update destinations
    set due_at = case when destinations.not_before > v.due_at then destinations.not_before else v.due_at end
    from ${v} where destinations.id = v.id and (destinations.due_at is null or destinations.due_at >
      case when destinations.not_before > v.due_at then destinations.not_before else v.due_at end)`,
)

const insertWakeUp = bulk(
  { id: 'text', due_at: 'bigint' },
  (v) => `insert into wakeups (destination_id, due_at) select v.id, v.due_at from ${v}`,
)

/** Writes wake-ups: the last statement of a transaction that made something pending, one row per destination. */
export async function wake(tx: Transaction, wakeUps: WakeUp[]): Promise<void> {
  if (wakeUps.length === 0) return
  const rows = earliest(wakeUps)
  // With one writer the row can be lowered at once. With many that either strands work or starves claims (measured), so
  // PostgreSQL appends and the claimers drain.
  await tx.bulk(tx.flavor.name === 'sqlite' ? lowerDueAt : insertWakeUp, rows)
}

function earliest(wakeUps: WakeUp[]): WakeUp[] {
  const found = new Map<string, WakeUp>()
  for (const wakeUp of wakeUps) {
    const known = found.get(wakeUp.id)
    if (known === undefined || wakeUp.due_at < known.due_at) found.set(wakeUp.id, wakeUp)
  }
  return [...found.values()].toSorted(byId)
}

const lockDestination = bulkLock(
  { id: 'text' },
  (v) =>
    `select destinations.id from destinations join ${v} on destinations.id = v.id order by destinations.id for no key update of destinations`,
)

/** Locks destinations in the order that every transaction takes them in; SQLite has one writer and needs no locks. */
export async function lockDestinations(tx: Transaction, ids: readonly string[]): Promise<void> {
  if (tx.flavor.forUpdate === '') return
  await tx.bulk(
    lockDestination,
    ids.map((id) => ({ id })),
  )
}

/** So many wake-ups are moved at once at most. */
export const DRAINED = 1000

/**
 * Moves up to that many appended wake-ups into their destinations (PostgreSQL), and gives how many. Runs in a transaction of its own.
 */
export async function drainWakeUps(tx: Transaction): Promise<number> {
  const drained = await tx.all(
    `delete from wakeups where id = any (array (select id from wakeups limit ${DRAINED} for update skip locked))
     returning destination_id as id, due_at`,
  )
  if (drained.length === 0) return 0
  const rows = earliest(drained as WakeUp[])
  await lockDestinations(
    tx,
    rows.map(({ id }) => id),
  )
  await tx.bulk(lowerDueAt, rows)
  return drained.length
}

const earliestOf = (table: string) => `(
      select case when min(p.due_at) < v.floor then v.floor else min(p.due_at) end
      from ${table} p where p.destination_id = destinations.id and p.state = 'pending')`

/**
 * Derives due times anew from what is pending, never before the `now` that is given: so old backlogs go behind those who wait their
 * turn. A destination has deliveries or calls, never both.
 */
export const recomputeDueAt = bulk(
  { id: 'text', now: 'bigint' },
  (v) => `update destinations set due_at = coalesce(${earliestOf('deliveries')}, ${earliestOf('calls')})
    from (select v.id, v.now, case when x.not_before > v.now then x.not_before else v.now end as floor
          from ${v} join destinations x on x.id = v.id) as v
    where destinations.id = v.id`,
)

/** Re-derives a chunk of due times: the net under wake-ups that a crash between two statements might cost. */
export async function sweepDestinations(
  { tx, now }: WriteContext,
  { after, limit }: { after: string; limit: number },
): Promise<string | null> {
  const rows = await tx.all(
    `select id from destinations where id > $1 order by id limit $2 ${tx.flavor.forUpdate}`,
    [after, limit],
  )
  if (rows.length === 0) return null
  await tx.bulk(
    recomputeDueAt,
    rows.map(({ id }) => ({ id: id ?? null, now })),
  )
  return rows.length < limit ? null : String(rows.at(-1)?.id)
}
