// Claims: due destinations first, then a few deliveries of each, in separate statements: lock, lease, recompute. One
// statement for all three works on a snapshot older than its locks and strands work (measured).
import { leaseMs, type Delivery } from '../../domain/delivery.ts'
import type { ProjectSettings } from '../../domain/project.ts'
import { bulk, type Row, type Transaction } from '../database.ts'
import type { ClaimRequest, ClaimResult } from '../store.ts'
import { deliveryColumns, list } from './columns.ts'
import type { WriteContext } from './context.ts'
import { recomputeDueAt } from './destinations.ts'
import { bodiesOf } from './settle.ts'

// A destination without room is looked at again after this long, should the wake-up of its freed slot get lost.
const PARKED_MS = 1000

type Due = { id: string; project_id: string; opened_at: number | null; settings: string }

const selectPending = {
  sqlite: bulk(
    { id: 'text', now: 'bigint', room: 'bigint' },
    () => `select ${list(deliveryColumns)} from deliveries
      where destination_id = ?1 and state = 'pending' and due_at <= ?2 order by due_at limit ?3`,
  ),
  postgres: bulk(
    { id: 'text', now: 'bigint', room: 'bigint' },
    (v) => `select d.* from ${v} cross join lateral (select ${list(deliveryColumns)} from deliveries
      where destination_id = v.id and state = 'pending' and due_at <= v.now order by due_at limit v.room
      for update skip locked) as d`,
  ),
}

const leaseDelivery = bulk(
  { id: 'text', lease_owner: 'text', lease_until: 'bigint' },
  (v) => `update deliveries set state = 'sending', due_at = null, lease_owner = v.lease_owner,
      lease_until = v.lease_until, fence = deliveries.fence + 1
    from ${v} where deliveries.id = v.id`,
)

const parkDestination = bulk(
  { id: 'text', due_at: 'bigint' },
  (v) => `update destinations set due_at = v.due_at from ${v} where destinations.id = v.id`,
)

/** Leases due deliveries; a batch holds at most one claim. */
export async function claimDeliveries(context: WriteContext, inputs: ClaimRequest[]): Promise<ClaimResult[]> {
  const results: ClaimResult[] = []
  for (const input of inputs) results.push(await claim(context, input))
  return results
}

async function claim(context: WriteContext, request: ClaimRequest): Promise<ClaimResult> {
  const { tx, now, owner } = context
  const due = await dueDestinations(tx, now, request)
  const opened = new Set(due.flatMap(({ id, opened_at }) => (opened_at === null ? [] : id)))
  const roomOf = (id: string) => {
    const room = request.room[id] ?? request.per_destination
    return opened.has(id) ? Math.min(room, 1) : room
  }
  const open = due.filter(({ id }) => roomOf(id) > 0)
  const rows = (await tx.bulk(
    selectPending[tx.flavor.name],
    open.map(({ id }) => ({ id, now, room: roomOf(id) })),
  )) as (Delivery & Row)[]

  const leases = new Map(open.map(({ id, settings }) => [id, now + leaseOf(settings)]))
  const leased = rows.map((row) => ({
    ...row,
    state: 'sending' as const,
    due_at: null,
    lease_owner: owner,
    lease_until: leases.get(row.destination_id) ?? now,
    fence: row.fence + 1,
  }))
  await tx.bulk(
    leaseDelivery,
    leased.map(({ id, lease_owner, lease_until }) => ({ id, lease_owner, lease_until })),
  )
  const probes = leased.filter(({ destination_id }) => opened.has(destination_id))
  await tx.bulk(
    closeForProbe,
    probes.map(({ destination_id, lease_until }) => ({ id: destination_id, not_before: lease_until })),
  )
  await tx.bulk(
    recomputeDueAt,
    open.map(({ id }) => ({ id, now })),
  )
  await tx.bulk(
    parkDestination,
    due.filter(({ id }) => roomOf(id) <= 0).map(({ id }) => ({ id, due_at: now + PARKED_MS })),
  )
  const bodies = await bodiesOf(context, leased)
  const counts = Map.groupBy(rows, ({ destination_id }) => destination_id)
  const next = await tx.all('select min(due_at) as due_at from destinations where due_at is not null')
  return {
    deliveries: leased.map((row) => ({ ...row, body: bodies.get(row.id) ?? '' })),
    more: due
      .filter(({ id }) => !opened.has(id) && (counts.get(id)?.length ?? 0) >= roomOf(id))
      .map(({ id }) => id),
    probes: probes.map(({ id }) => id),
    next_due_at: (next[0]?.due_at as number | null | undefined) ?? null,
  }
}

// Nothing else goes to a destination with an open breaker until its probe is settled, or its lease is over.
const closeForProbe = bulk(
  { id: 'text', not_before: 'bigint' },
  (v) =>
    `update destinations set not_before = v.not_before from ${v}
     where destinations.id = v.id and destinations.not_before < v.not_before`,
)

const selectNamed = bulk(
  { id: 'text', now: 'bigint' },
  (v) => `select d.id, d.project_id, d.opened_at, p.settings from ${v}
    join destinations d on d.id = v.id join projects p on p.id = d.project_id where d.not_before <= v.now`,
)

/** Those whose time has come, and those named with room: a freed slot must not wait until its destination's parking ends. */
async function dueDestinations(tx: Transaction, now: number, request: ClaimRequest): Promise<Due[]> {
  const due = (await tx.all(
    `select d.id, d.project_id, d.opened_at, p.settings from destinations d join projects p on p.id = d.project_id
     where d.due_at <= $1 order by d.due_at limit $2 ${tx.flavor.skipLocked === '' ? '' : 'for no key update of d skip locked'}`,
    [now, request.destinations],
  )) as Due[]
  const taken = new Set(due.map(({ id }) => id))
  const named = Object.keys(request.room).filter((id) => !taken.has(id) && (request.room[id] ?? 0) > 0)
  if (named.length === 0) return due
  const locked = tx.flavor.skipLocked === '' ? named : await lockFree(tx, named)
  const rows = await tx.bulk(
    selectNamed,
    locked.map((id) => ({ id, now })),
  )
  return [...due, ...(rows as Due[])]
}

const lockNamed = bulk(
  { id: 'text' },
  (v) =>
    `select d.id from destinations d join ${v} on d.id = v.id order by d.id for no key update of d skip locked`,
)

async function lockFree(tx: Transaction, ids: string[]): Promise<string[]> {
  const rows = await tx.bulk(
    lockNamed,
    ids.map((id) => ({ id })),
  )
  return rows.map(({ id }) => String(id))
}

const leaseBySettings = new Map<string, number>()

// Settings texts repeat from claim to claim; parsing each once is enough.
function leaseOf(settings: string): number {
  const known = leaseBySettings.get(settings)
  if (known !== undefined) return known
  if (leaseBySettings.size > 1000) leaseBySettings.clear()
  const lease = leaseMs((JSON.parse(settings) as ProjectSettings).timeout_ms)
  leaseBySettings.set(settings, lease)
  return lease
}
