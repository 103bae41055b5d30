// Retention: settled tasks past their project's days go, with all that belongs to them, in chunks bounded in count and bytes. The walk is
// along the primary key, whose ids sort by the time they were made, so it needs no index of its own.
import { callSteps } from '../../domain/call.ts'
import { firstIdAt } from '../../domain/id.ts'
import type { ProjectSettings } from '../../domain/project.ts'
import { isOpen, type TaskStatus } from '../../domain/task.ts'
import { bulk } from '../database.ts'
import { pruneAudits } from './audits.ts'
import { bytesOf, taskBytes } from './columns.ts'
import type { WriteContext } from './context.ts'
import { pruneIdempotency } from './idempotency.ts'
import { lockTasks } from './lock.ts'

const DAY_MS = 86_400_000
// Reports look back one hour.
const RATES_MS = 7_200_000

// Every commit waits for a chunk: a thousand tasks of 900 kB, 200 at a time, held all others up for a second each time (measured).
const CHUNK_BYTES = 16 * 1024 * 1024
// Rows of one kind are lighter than a task with all that belongs to it.
const ROWS_A_TASK = 5
// So many tasks are weighed at a time: where they are large, few of them are taken.
const WEIGHED = 20

const sumOf = (columns: string[], from: string) =>
  `(select coalesce(sum(${bytesOf(...columns)}), 0) from ${from})`

const answer = ['x.response_headers', 'x.response_body']
const selectBytes = bulk(
  { id: 'text' },
  (v) => `select v.id, ${taskBytes('t')}
      + ${sumOf(['e.body', 'e.payload'], 'events e where e.task_id = v.id')}
      + ${sumOf(['a.headers', 'a.body'], 'arrivals a where a.task_id = v.id')}
      + ${sumOf(answer, 'deliveries d join attempts x on x.delivery_id = d.id where d.task_id = v.id')}
      + ${sumOf(answer, `attempts x where x.delivery_id in (${callSteps.map((step) => `v.id || '.${step}'`).join(', ')})`)} as bytes
    from ${v} join tasks t on t.id = v.id`,
)

const keepUnsettled = bulk(
  { id: 'text' },
  (v) => `select v.id from ${v} where not exists (select 1 from deliveries d
    where d.task_id = v.id and d.state in ('held', 'pending', 'sending'))`,
)

const deletes = [
  (v: string) =>
    `delete from attempts where delivery_id in (select d.id from deliveries d join ${v} on d.task_id = v.id)`,
  (v: string) =>
    `delete from attempts where delivery_id in (${callSteps.map((step) => `select v.id || '.${step}' from ${v}`).join(' union all ')})`,
  (v: string) => `delete from calls where task_id in (select v.id from ${v})`,
  (v: string) => `delete from deliveries where task_id in (select v.id from ${v})`,
  (v: string) => `delete from events where task_id in (select v.id from ${v})`,
  (v: string) => `delete from arrivals where task_id in (select v.id from ${v})`,
  (v: string) => `delete from callback_ids where task_id in (select v.id from ${v})`,
  (v: string) => `delete from labels where task_id in (select v.id from ${v})`,
  (v: string) => `delete from tasks where id in (select v.id from ${v})`,
].map((sql) => bulk({ id: 'text' }, sql))

const deleteReplay = bulk({ id: 'text' }, (v) => `delete from replays where id in (select v.id from ${v})`)

/** When each project's retention began, in milliseconds. */
type Cutoffs = ReadonlyMap<unknown, number>

/** From this id on there is nothing that any project has kept for long enough. */
const firstKept = (cutoffs: Cutoffs) => firstIdAt(Math.max(0, ...cutoffs.values()))

async function pruneReplays({ tx }: WriteContext, cutoffs: Cutoffs): Promise<void> {
  const rows = await tx.all(
    `select id, project_id, created_at from replays where id < $1 and state = 'done'`,
    [firstKept(cutoffs)],
  )
  const old = rows.filter(({ project_id, created_at }) => Number(created_at) < (cutoffs.get(project_id) ?? 0))
  await tx.bulk(
    deleteReplay,
    old.map(({ id }) => ({ id: id ?? null })),
  )
}

/** Deletes so many expired records; returns how many. One that somebody is writing is left for the next time. */
async function pruneRecords({ tx, now }: WriteContext, limit: number): Promise<number> {
  const rows = await tx.all(
    `delete from records where (project_id, mode, kind, key) in (
       select project_id, mode, kind, key from records where expires_at <= $1
       order by expires_at limit $2 ${tx.flavor.forUpdate} ${tx.flavor.skipLocked})
     returning key`,
    [now, limit],
  )
  return rows.length
}

const deleteRate = bulk(
  { destination_id: 'text', slot_at: 'bigint', owner: 'text' },
  (v) =>
    `delete from destination_rates where (destination_id, slot_at, owner) in (select v.destination_id, v.slot_at, v.owner from ${v})`,
)

async function pruneRates({ tx, now }: WriteContext, limit: number): Promise<boolean> {
  const rows = await tx.all(
    `select destination_id, slot_at, owner from destination_rates where slot_at < $1
     order by slot_at limit $2 ${tx.flavor.forUpdate} ${tx.flavor.skipLocked}`,
    [now - RATES_MS, limit],
  )
  await tx.bulk(deleteRate, rows)
  return rows.length === limit
}

/**
 * Deletes what of the next `limit` tasks after `after` has outlived its retention, fewer where they are large, as many expired
 * records and audits, and some more idempotency keys and rates.
 */
export async function prune(
  context: WriteContext,
  { after, limit }: { after: string; limit: number },
): Promise<{ pruned: number; next: string | null }> {
  const { tx, now } = context
  await tx.all('delete from secrets where expires_at <= $1', [now])
  const projects = await tx.all('select id, settings from projects')
  const cutoffs: Cutoffs = new Map(
    projects.map(({ id, settings }) => [
      id,
      now - (JSON.parse(String(settings)) as ProjectSettings).retention_days * DAY_MS,
    ]),
  )
  await pruneReplays(context, cutoffs)
  const records = await pruneRecords(context, limit)
  const audits = await pruneAudits(context, limit)
  const keysLeft = await pruneIdempotency(context, ROWS_A_TASK * limit)
  const ratesLeft = await pruneRates(context, ROWS_A_TASK * limit)
  const rows = await tx.all(
    'select id, project_id, status, updated_at from tasks where id > $1 and id < $2 order by id limit $3',
    [after, firstKept(cutoffs), limit],
  )
  const old = rows.flatMap(({ id, project_id, status, updated_at }) =>
    !isOpen(status as TaskStatus) && Number(updated_at) < (cutoffs.get(project_id) ?? 0) ? String(id) : [],
  )
  const taken = await firstOf(context, old)
  await lockTasks(context, taken)
  const settled = await tx.bulk(
    keepUnsettled,
    taken.map((id) => ({ id })),
  )
  for (const statement of deletes) await tx.bulk(statement, settled)
  // At the end of the tasks the walk stays there until no full chunk of anything else is left.
  const isCut = taken.length < old.length
  const more = isCut || keysLeft || ratesLeft || [rows.length, records, audits].includes(limit)
  const last = isCut ? taken.at(-1) : rows.at(-1)?.id
  return { pruned: settled.length, next: more ? String(last ?? after) : null }
}

/** As many of these tasks as a chunk may have, the first one in any case. */
async function firstOf({ tx }: WriteContext, ids: string[]): Promise<string[]> {
  let left = CHUNK_BYTES
  for (let begin = 0; begin < ids.length; begin += WEIGHED) {
    const some = ids.slice(begin, begin + WEIGHED)
    const rows = await tx.bulk(
      selectBytes,
      some.map((id) => ({ id })),
    )
    const sizes = new Map(rows.map(({ id, bytes }) => [id, Number(bytes)]))
    const end = some.findIndex((id) => (left -= sizes.get(id) ?? 0) < 0)
    if (end >= 0) return ids.slice(0, Math.max(1, begin + end))
  }
  return ids
}
