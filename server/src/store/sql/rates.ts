// How destinations fare: counts of attempts by five minutes, written from memory now and then, and since when a destination
// has done nothing but fail, on which it is paused.
import { bulk } from '../database.ts'
import type { WriteContext } from './context.ts'
import { pauseFailingDestinations, resumeDestinations } from './closing.ts'
import { lockDestinations } from './destinations.ts'

/** This process's counts of a destination in the slot that began at `slot_at`; `durations` is a histogram as text. */
export type RateRow = {
  destination_id: string
  slot_at: number
  delivered: number
  failed: number
  durations: string
}

/**
 * What changed with a destination since the last flush: whether anything succeeded, since when it failed after that (null:
 * it did not), and before which `failing_since` it is to be paused.
 */
export type HealthRow = {
  id: string
  succeeded: 0 | 1
  failing_since: number | null
  failing_before: number
}

export type Rates = { rates: RateRow[]; health: HealthRow[] }
/** Ids of destinations that were paused or resumed by this flush. */
export type RatesResult = { paused: string[]; resumed: string[] }

const upsertRate = bulk(
  {
    destination_id: 'text',
    slot_at: 'bigint',
    owner: 'text',
    delivered: 'bigint',
    failed: 'bigint',
    durations: 'text',
  },
  (v) => `insert into destination_rates (destination_id, slot_at, owner, delivered, failed, durations)
    select v.destination_id, v.slot_at, v.owner, v.delivered, v.failed, v.durations from ${v} where true
    on conflict (destination_id, slot_at, owner) do update set
      delivered = excluded.delivered, failed = excluded.failed, durations = excluded.durations`,
)

const updateFailingSince = bulk(
  { id: 'text', succeeded: 'bigint', failing_since: 'bigint' },
  (v) => `update destinations set failing_since = case when v.succeeded = 1 then v.failing_since
      else coalesce(destinations.failing_since, v.failing_since) end
    from ${v} where destinations.id = v.id`,
)

/** Writes counts and health; pauses what has failed for too long, resumes what had and succeeded since. */
export async function recordRates(context: WriteContext, { rates, health }: Rates): Promise<RatesResult> {
  const { tx, owner } = context
  await lockDestinations(
    tx,
    health.map(({ id }) => id),
  )
  await tx.bulk(
    upsertRate,
    rates.map((row) => ({ ...row, owner })),
  )
  await tx.bulk(
    updateFailingSince,
    health.map(({ id, succeeded, failing_since }) => ({ id, succeeded, failing_since })),
  )
  const well = health.filter(({ succeeded }) => succeeded === 1).map(({ id }) => id)
  const ill = health.filter(({ failing_since }) => failing_since !== null)
  return {
    resumed: await resumeDestinations(context, well, 'failing'),
    paused: await pauseFailingDestinations(
      context,
      ill.map(({ id, failing_before }) => ({ id, failing_before })),
    ),
  }
}

/** The operator was told of these pauses. */
export async function markReported({ tx, now }: WriteContext, { id }: { id: string }): Promise<null> {
  await tx.all('update destinations set reported_at = $2 where id = $1 and paused_at is not null', [id, now])
  return null
}
