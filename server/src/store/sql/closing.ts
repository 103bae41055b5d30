// Pause and breaker: both are nothing but a later `not_before` of the destination's row, so that what waits there costs
// the claims nothing and burns no attempt.
import type { Audit } from '../../domain/audit.ts'
import type { PauseReason } from '../../domain/destination.ts'
import { bulk, type Transaction } from '../database.ts'
import { writeAudits } from './audits.ts'
import type { WriteContext } from './context.ts'
import { lockDestinations, recomputeDueAt } from './destinations.ts'

/** Later than any time that ever comes: the last one that a Date can hold, in milliseconds. */
export const NEVER = 8_640_000_000_000_000

const pause = bulk(
  { id: 'text', now: 'bigint' },
  (
    v,
  ) => `update destinations set paused_at = coalesce(destinations.paused_at, v.now), pause_reason = 'operator',
      reported_at = coalesce(destinations.reported_at, v.now), not_before = ${NEVER},
      due_at = case when destinations.due_at is not null then ${NEVER} end
    from ${v} where destinations.id = v.id`,
)

const pauseFailing = bulk(
  { id: 'text', now: 'bigint', failing_before: 'bigint' },
  (v) => `update destinations set paused_at = v.now, pause_reason = 'failing', not_before = ${NEVER},
      due_at = case when destinations.due_at is not null then ${NEVER} end
    from ${v} where destinations.id = v.id and destinations.paused_at is null
      and destinations.failing_since <= v.failing_before
    returning destinations.id`,
)

const resume = bulk(
  { id: 'text', reason: 'text' },
  (
    v,
  ) => `update destinations set paused_at = null, pause_reason = null, reported_at = null, failing_since = null,
      not_before = 0
    from ${v} where destinations.id = v.id and destinations.paused_at is not null
      and (v.reason is null or destinations.pause_reason = v.reason)
    returning destinations.id`,
)

/** Pauses a destination by hand; one that paused by itself is then no more resumed by itself. */
export async function pauseDestination(
  context: WriteContext,
  { id, audit }: { id: string; audit: Audit | null },
): Promise<null> {
  const { tx, now } = context
  const [paused] = await tx.all(
    `select id from destinations where id = $1 and paused_at is not null and pause_reason = 'operator'`,
    [id],
  )
  await tx.bulk(pause, [{ id, now }])
  if (paused === undefined) await writeAudits(context, [audit])
  return null
}

/** Pauses those that have failed since before their `failing_before`; returns which. */
export async function pauseFailingDestinations(
  { tx, now }: Pick<WriteContext, 'tx' | 'now'>,
  failing: { id: string; failing_before: number }[],
): Promise<string[]> {
  const rows = await tx.bulk(
    pauseFailing,
    failing.map((row) => ({ ...row, now })),
  )
  return rows.map(({ id }) => String(id))
}

/** Resumes those of these that are paused, or only those paused for `reason`. Returns which. */
export async function resumeDestinations(
  { tx, now }: Pick<WriteContext, 'tx' | 'now'>,
  ids: string[],
  reason: PauseReason | null,
): Promise<string[]> {
  const rows = await tx.bulk(
    resume,
    ids.map((id) => ({ id, reason })),
  )
  const resumed = rows.map(({ id }) => String(id))
  await recompute(tx, resumed, now)
  return resumed
}

/** Resumes a destination by hand; returns whether it was paused. */
export async function resumeDestination(
  context: WriteContext,
  { id, audit }: { id: string; audit: Audit | null },
): Promise<boolean> {
  const resumed = await resumeDestinations(context, [id], null)
  if (resumed.length > 0) await writeAudits(context, [audit])
  return resumed.length > 0
}

const setOpened = bulk(
  { id: 'text', open: 'bigint', not_before: 'bigint', now: 'bigint' },
  (v) => `update destinations set
      opened_at = case when v.open = 1 then coalesce(destinations.opened_at, v.now) end,
      not_before = case when destinations.paused_at is null then v.not_before else destinations.not_before end
    from ${v} where destinations.id = v.id`,
)

/** What the breaker of a destination is set to: open, with the time of the next probe, or closed (`open` 0). */
export type SetBreaker = { id: string; open: 0 | 1; not_before: number }

/** Opens and closes breakers. A pause outlasts both. */
export async function setBreakers({ tx, now }: WriteContext, inputs: SetBreaker[]): Promise<null[]> {
  const ids = [...new Set(inputs.map(({ id }) => id))]
  // All before the first is written: others lock them in the order of their ids, too.
  await lockDestinations(tx, ids)
  for (const input of inputs) await tx.bulk(setOpened, [{ ...input, now }])
  await recompute(tx, ids, now)
  return inputs.map(() => null)
}

async function recompute(tx: Transaction, ids: string[], now: number): Promise<void> {
  await lockDestinations(tx, ids)
  await tx.bulk(
    recomputeDueAt,
    ids.map((id) => ({ id, now })),
  )
}
