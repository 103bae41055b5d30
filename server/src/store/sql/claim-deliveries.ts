// What a claim takes of deliveries: those due longest, with the frozen bytes of their events.
import { leaseMs, type Delivery } from '../../domain/delivery.ts'
import type { ProjectSettings } from '../../domain/project.ts'
import { bodyWeight } from '../../domain/weight.ts'
import { bulk, type Row } from '../database.ts'
import type { Ready } from '../store.ts'
import { claimFrom } from './claim.ts'
import { deliveryColumns, list } from './columns.ts'
import { unpackedLength } from './event-body.ts'
import { bodiesOf } from './settle.ts'

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

const selectLengths = bulk(
  { id: 'text', task_id: 'text', sequence: 'bigint' },
  (v) =>
    `select v.id, ${unpackedLength('e')} as length
     from ${v} join events e on e.task_id = v.task_id and e.sequence = v.sequence`,
)

/** Leases due deliveries. */
export const claimDeliveries = claimFrom<Delivery & Row, Ready>({
  kind: 'callback',
  pending: async (tx, now, open) =>
    (await tx.bulk(
      selectPending[tx.flavor.name],
      open.map((destination) => ({ ...destination, now })),
    )) as (Delivery & Row)[],
  lease_ms: (_, settings) => leaseOf(settings),
  lease: (tx, claimed) =>
    tx.bulk(
      leaseDelivery,
      claimed.map(({ id, lease_owner, lease_until }) => ({ id, lease_owner, lease_until })),
    ),
  async weigh(tx, rows) {
    const found = await tx.bulk(
      selectLengths,
      rows.map(({ id, task_id, sequence }) => ({ id, task_id, sequence })),
    )
    return new Map(found.map(({ id, length }) => [String(id), bodyWeight(Number(length))]))
  },
  async ready(context, rows) {
    const bodies = await bodiesOf(context, rows)
    return rows.map((row) => ({ ...row, body: bodies.get(row.id) ?? '' }))
  },
})

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
