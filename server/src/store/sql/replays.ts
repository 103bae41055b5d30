// Replays: durable jobs that go on in small steps, each a transaction of its own. Before a step a read has found which tasks
// come next; what of them is sent again is decided here, once they are locked. A fresh delivery is a later one of its event,
// so what was sent again matches no more: neither a kill nor a second job can send it twice.
import { randomFillSync } from 'node:crypto'
import type { Audit } from '../../domain/audit.ts'
import { createIds } from '../../domain/id.ts'
import type { Replay } from '../../domain/replay.ts'
import { bulk, type Row } from '../database.ts'
import type { Idempotency } from '../store.ts'
import { writeAudits } from './audits.ts'
import { assignments, list, replayColumns } from './columns.ts'
import type { WriteContext } from './context.ts'
import { insertDeliveries } from './delivery-insert.ts'
import { isTaken } from './idempotency.ts'
import { matchesOfTasks, type Match, type NextMatches } from './replay-matches.ts'

const insertReplay = bulk(
  replayColumns,
  (v) => `insert into replays (${list(replayColumns)}) select ${list(replayColumns, 'v')} from ${v}`,
)

export type CreateReplay = { replay: Replay; idempotency: Idempotency | null; audit?: Audit | null }
export type CreateReplayResult = 'created' | 'idempotency_key_taken'

/** Writes a job down. */
export async function createReplay(
  context: WriteContext,
  { replay, idempotency, audit }: CreateReplay,
): Promise<CreateReplayResult> {
  if (await isTaken(context, idempotency)) return 'idempotency_key_taken'
  await context.tx.bulk(insertReplay, [replay])
  await writeAudits(context, [audit])
  return 'created'
}

const progress = ['state', 'cursor', 'replayed', 'skipped', 'updated_at', 'finished_at'] as const

const updateReplay = bulk(
  replayColumns,
  (v) => `update replays set ${assignments(progress)} from ${v} where replays.id = v.id`,
)

/** The next step of a replay, as it was found; `replay` is the job before it. */
export type ReplayStep = NextMatches & { replay: Replay }

/** Makes the step, unless somebody else has made it. Returns the job after it, or null. */
export async function stepReplay(
  context: WriteContext,
  { replay: { id, cursor }, task_ids, next }: ReplayStep,
): Promise<Replay | null> {
  const { tx, now } = context
  const [row] = await tx.all(
    `select * from replays where id = $1 and state = 'running' and cursor = $2 ${tx.flavor.forUpdate}`,
    [id, cursor],
  )
  if (row === undefined) return null
  const replay = row as Replay & Row
  const matches = await matchesOfTasks(tx, replay, task_ids)
  await insertDeliveries(context, freshDeliveries(replay, matches, now))
  const replayed = replay.replayed + matches.length
  const after: Replay = {
    ...replay,
    ...(next === null
      ? { state: 'done', finished_at: now, skipped: Math.max(0, replay.count - replayed) }
      : { cursor: next }),
    replayed,
    updated_at: now,
  }
  await tx.bulk(updateReplay, [after])
  return after
}

/** New deliveries in their tasks' lines: never leased, so that limits, pause and breaker hold for them like for any backlog. */
function freshDeliveries(replay: Replay, matches: Match[], now: number) {
  // Should the clock have stepped back, they are still later than all that matches.
  const created_at = Math.max(now, replay.created_at)
  const newId = createIds(
    () => created_at,
    (bytes) => void randomFillSync(bytes),
  )
  return matches.map((match) => ({
    ...match,
    id: newId(),
    resend: 1 as const,
    ordered: 1 as const,
    created_at,
    leased: false,
    lease_ms: 0,
  }))
}
