// Every read of the seam. Pages are keyset pages read with one row too many.
import { attemptsId, callSteps, type Call } from '../../domain/call.ts'
import type { Attempt, Delivery } from '../../domain/delivery.ts'
import type { TaskEvent } from '../../domain/event.ts'
import { firstIdAt } from '../../domain/id.ts'
import { toPage, type Page, type PageRequest } from '../../domain/page.ts'
import type { Host, Project, Scope, Secret } from '../../domain/project.ts'
import type { Replay, ReplayFilter } from '../../domain/replay.ts'
import type { Task } from '../../domain/task.ts'
import { bulk, type Row, type SqlValue, type Transaction } from '../database.ts'
import type { Arrival, AwaitedTask, DeliveryFilter, Idempotency } from '../store.ts'
import { auditReads } from './audits.ts'
import { boundedPage } from './bounded-page.ts'
import { bytesOf, taskBytes } from './columns.ts'
import { reportColumns, reportsOf } from './destination-report.ts'
import { withTasks } from './claim-calls.ts'
import { unpackBody, unpackedLength, type PackedBody } from './event-body.ts'
import { countTasks, findTasks } from './find-tasks.ts'
import { stuckTasks } from './held.ts'
import { keyReads } from './keys.ts'
import { projectOf } from './projects.ts'
import { recordReads } from './records.ts'
import { countMatches, nextMatches } from './replay-matches.ts'
import type { ReplayStep } from './replays.ts'
import { countSealedOtherwise, sealedOtherwise } from './sealing.ts'
import { tokenReads } from './tokens.ts'
import { countUpTo, inScope, isInState, where, type Condition } from './where.ts'

const first = async <T>(rows: Promise<Row[]>): Promise<T | null> => ((await rows)[0] as T | undefined) ?? null

async function newestFirst<T>(
  tx: Transaction,
  table: string,
  conditions: readonly Condition[],
  page: PageRequest,
): Promise<Page<T>> {
  const { sql, binds } = where([...conditions, ['id < $', page.after ?? undefined]])
  const rows = await tx.all(
    `select * from ${table} where ${sql} order by id desc limit $${binds.length + 1}`,
    [...binds, page.limit + 1],
  )
  return toPage(rows as T[], page.limit)
}

async function oldestFirst<T>(
  tx: Transaction,
  sql: { select: string; where: string; key: string },
  [owner, after]: [string, SqlValue],
  limit: number,
): Promise<Page<T>> {
  const rows = await tx.all(
    `select ${sql.select} where ${sql.where} = $1 and ${sql.key} > $2 order by ${sql.key} limit $3`,
    [owner, after, limit + 1],
  )
  return toPage(rows as T[], limit)
}

const selectByCallback = bulk(
  { hash: 'text' },
  (v) => `select v.hash as wanted, t.* from ${v}
    join callback_ids c on c.hash = v.hash join tasks t on t.id = c.task_id`,
)

// A list of words with commas around each: both databases read it, and neither has an array of them in common.
const selectMoved = bulk(
  { id: 'text', while_in: 'text' },
  (v) =>
    `select t.* from ${v} join tasks t on t.id = v.id where v.while_in not like '%,' || t.status || ',%'`,
)

// One of each in turn, so that whoever has thousands of one deadline keeps nobody's later ones waiting.
const fromBothEnds = (first: readonly Row[], last: readonly Row[]): Row[] => {
  const mixed = first.flatMap((row, i) => [row, last[i] ?? row])
  return [...new Map(mixed.map((row) => [row['id'], row])).values()]
}

// Look-ups wait while these are read.
const OVERDUE_BYTES = 4 * 1024 * 1024

export const reads = {
  ping: (tx: Transaction) => tx.all('select 1 as one'),

  findTask: (tx: Transaction, { scope, id }: { scope: Scope; id: string }) =>
    first<Task>(
      tx.all(
        `select * from tasks where id = (select id from tasks where id = $1 and project_id = $2 and mode = $3
           union all select id from tasks where external_id = $1 and project_id = $2 and mode = $3 limit 1)`,
        [id, scope.project_id, scope.mode],
      ),
    ),

  findTasksByCallback: async (
    tx: Transaction,
    { hashes }: { hashes: string[] },
  ): Promise<Map<string, Task>> => {
    const rows = await tx.bulk(
      selectByCallback,
      hashes.map((hash) => ({ hash })),
    )
    return new Map(rows.map(({ wanted, ...task }) => [String(wanted), task as Task]))
  },

  findTasks,
  countTasks,

  async overdueTasks(tx: Transaction, { now, limit }: { now: number; limit: number }) {
    const open = `expires_at is not null and status in ('pending', 'processing', 'waiting', 'polling', 'suspended')`
    const overdue = (order: 'asc' | 'desc', most: number) =>
      tx.all(
        `select id, expires_at, ${taskBytes('tasks')} as bytes from tasks
         where ${open} and expires_at <= $1 order by expires_at ${order} limit $2`,
        [now, most],
      )
    // One more than is asked for, and the first one that is not yet due: whichever is left out tells when there is more.
    const due = await overdue('asc', limit + 1)
    const latest = await overdue('desc', limit)
    let left = OVERDUE_BYTES
    const taken = fromBothEnds(due, latest)
      .slice(0, limit)
      .filter(({ bytes }, i) => i === 0 || (left -= Number(bytes)) >= 0)
    const tasks = await tx.all(
      `select * from tasks where id ${tx.flavor.oneOf('$1')} and ${open} and expires_at <= $2`,
      [JSON.stringify(taken.map(({ id }) => id)), now],
    )
    const [next] =
      taken.length < due.length
        ? due.filter((row) => !taken.some(({ id }) => id === row.id))
        : await tx.all(`select min(expires_at) as expires_at from tasks where ${open} and expires_at > $1`, [
            now,
          ])
    return { tasks: tasks as Task[], next_at: (next?.expires_at as number | null | undefined) ?? null }
  },

  async movedTasks(tx: Transaction, { waits }: { waits: readonly AwaitedTask[] }) {
    const rows = await tx.bulk(
      selectMoved,
      waits.map(({ task_id, whileIn }) => ({ id: task_id, while_in: `,${whileIn.join(',')},` })),
    )
    return rows as Task[]
  },

  listEvents: (tx: Transaction, { task_id, page }: { task_id: string; page: PageRequest }) =>
    oldestFirst<TaskEvent>(
      tx,
      {
        select: 'id, task_id, sequence, type, detail, created_at from events',
        where: 'task_id',
        key: 'sequence',
      },
      [task_id, Number(page.after ?? 0)],
      page.limit,
    ),

  async lastEvent(tx: Transaction, { task_id }: { task_id: string }) {
    const found = await first<TaskEvent & PackedBody>(
      tx.all(
        `select * from events where task_id = $1
           and sequence = (select coalesce(last_told, event_count) from tasks where id = $1)`,
        [task_id],
      ),
    )
    if (found === null) return null
    const { payload: _, ...event } = found
    return { ...event, body: unpackBody(found) }
  },

  listArrivals: (tx: Transaction, { task_id, page }: { task_id: string; page: PageRequest }) =>
    boundedPage<Arrival>(tx, {
      table: 'arrivals',
      from: 'arrivals',
      where: 'task_id = $1 and id > $2',
      binds: [task_id, page.after ?? ''],
      key: 'id',
      bytes: bytesOf('body'),
      direction: 'asc',
      limit: page.limit,
    }),

  async findArrival(tx: Transaction, { scope, id }: { scope: Scope; id: string }) {
    const arrival = await first<Arrival>(tx.all('select * from arrivals where id = $1', [id]))
    if (arrival === null) return null
    const task = await reads.findTask(tx, { scope, id: arrival.task_id })
    return task === null ? null : { arrival, task }
  },

  async findDelivery(tx: Transaction, { scope, id }: { scope: Scope; id: string }) {
    const delivery = await first<Delivery>(
      tx.all('select * from deliveries where id = $1 and project_id = $2 and mode = $3', [
        id,
        scope.project_id,
        scope.mode,
      ]),
    )
    if (delivery === null) return null
    const attempts = await tx.all('select * from attempts where delivery_id = $1 order by number', [id])
    return { delivery, attempts: attempts as Attempt[] }
  },

  unsettledDelivery: (tx: Transaction, { task_id, sequence }: { task_id: string; sequence: number }) =>
    first<Delivery>(
      tx.all(
        `select * from deliveries where task_id = $1 and sequence = $2 and state in ('held', 'pending', 'sending')
         order by seq limit 1`,
        [task_id, sequence],
      ),
    ),

  /** How long an event's body is, in bytes; 0 when it was pruned. */
  bodyLength: async (tx: Transaction, { task_id, sequence }: { task_id: string; sequence: number }) => {
    const [row] = await tx.all(
      `select ${unpackedLength('e')} as length from events e where e.task_id = $1 and e.sequence = $2`,
      [task_id, sequence],
    )
    return Number(row?.['length'] ?? 0)
  },

  listDeliveries: (
    tx: Transaction,
    { scope, filter, page }: { scope: Scope; filter: DeliveryFilter; page: PageRequest },
  ) =>
    newestFirst<Delivery>(
      tx,
      'deliveries',
      [
        ...inScope(scope),
        ['task_id = $', filter.task_id],
        isInState('state', filter.state),
        ['event_type = $', filter.event],
        ['destination_id = $', filter.destination],
        ['id >= $', filter.created_after === undefined ? undefined : firstIdAt(filter.created_after)],
      ],
      page,
    ),

  countReplay: (tx: Transaction, { filter }: { filter: ReplayFilter }) => countMatches(tx, filter),

  findReplay: (tx: Transaction, { scope, id }: { scope: Scope; id: string }) =>
    first<Replay>(
      tx.all('select * from replays where id = $1 and project_id = $2 and mode = $3', [
        id,
        scope.project_id,
        scope.mode,
      ]),
    ),

  async nextReplay(tx: Transaction, { limit }: { limit: number }): Promise<ReplayStep | null> {
    // The one that has waited longest, so that a large job does not keep a small one waiting.
    const replay = await first<Replay>(
      tx.all(`select * from replays where state = 'running' order by updated_at limit 1`),
    )
    return replay === null ? null : { replay, ...(await nextMatches(tx, replay, limit)) }
  },

  async listDestinations(
    tx: Transaction,
    { scope, page, now }: { scope: Scope; page: PageRequest; now: number },
  ) {
    const rows = await tx.all(
      `select ${reportColumns} from destinations d
       where project_id = $1 and mode = $2 and id > $3 order by id limit $4`,
      [scope.project_id, scope.mode, page.after ?? '', page.limit + 1],
    )
    const { rows: shown, has_more } = toPage(rows, page.limit)
    return { rows: await reportsOf(tx, shown, now), has_more }
  },

  async findDestination(tx: Transaction, { scope, id, now }: { scope: Scope; id: string; now: number }) {
    const rows = await tx.all(
      `select ${reportColumns} from destinations d where id = $1 and project_id = $2 and mode = $3`,
      [id, scope.project_id, scope.mode],
    )
    return (await reportsOf(tx, rows, now))[0] ?? null
  },

  async unreportedPauses(tx: Transaction, { limit, now }: { limit: number; now: number }) {
    const rows = await tx.all(
      `select ${reportColumns} from destinations d where paused_at is not null and reported_at is null
       order by paused_at limit $1`,
      [limit],
    )
    return reportsOf(tx, rows, now)
  },

  countWaiting: (tx: Transaction, { limit }: { limit: number }) =>
    countUpTo(tx, `deliveries where state = 'pending'`, [], limit),

  async lostLeases(
    tx: Transaction,
    { now, owner, limit, lost_boots }: { now: number; owner: string; limit: number; lost_boots: boolean },
  ) {
    return (await tx.all(
      `select * from deliveries where state = 'sending' and (lease_until < $1 or lease_owner <> $3)
       order by lease_until limit $2`,
      // Nothing differs from null, so then only the time decides.
      [now, limit, lost_boots ? owner : null],
    )) as Delivery[]
  },

  async lostCalls(
    tx: Transaction,
    { now, owner, limit, lost_boots }: { now: number; owner: string; limit: number; lost_boots: boolean },
  ) {
    const rows = await tx.all(
      `select * from calls where state = 'sending' and (lease_until < $1 or lease_owner <> $3)
       order by lease_until limit $2`,
      [now, limit, lost_boots ? owner : null],
    )
    return withTasks(tx, rows as (Call & Row)[])
  },

  async listCallAttempts(tx: Transaction, { task_id, page }: { task_id: string; page: PageRequest }) {
    const ids = callSteps.map((step) => attemptsId(task_id, step))
    const rows = await tx.all(
      `select * from attempts where delivery_id in ($1, $2, $3) and number > $4 order by number limit $5`,
      [...ids, Number(page.after ?? 0), page.limit + 1],
    )
    return toPage(rows as Attempt[], page.limit)
  },

  async findProjects(tx: Transaction, { ids }: { ids: readonly string[] }): Promise<Project[]> {
    const rows = await tx.all(`select * from projects where id ${tx.flavor.oneOf('$1')}`, [
      JSON.stringify(ids),
    ])
    return rows.map(projectOf)
  },

  async listProjects(tx: Transaction, { page }: { page: PageRequest }): Promise<Page<Project>> {
    const rows = await tx.all('select * from projects where id > $1 order by id limit $2', [
      page.after ?? '',
      page.limit + 1,
    ])
    return toPage(rows.map(projectOf), page.limit)
  },

  async listHosts(tx: Transaction): Promise<Host[]> {
    const rows = await tx.all(
      'select host, id as project_id, dialect from projects where host is not null order by host',
    )
    return rows as Host[]
  },

  async secrets(tx: Transaction, { project_ids }: { project_ids: readonly string[] }) {
    // Which one is current is written in the row: ids tell it too, but for a clock that stepped back.
    return (await tx.all(
      `select * from secrets where project_id ${tx.flavor.oneOf('$1')}
       order by case when expires_at is null then 0 else 1 end, id desc`,
      [JSON.stringify(project_ids)],
    )) as Secret[]
  },

  findIdempotency: (tx: Transaction, { scope, key }: { scope: Scope; key: string }) =>
    first<Idempotency>(
      tx.all('select * from idempotency_keys where project_id = $1 and mode = $2 and key = $3', [
        scope.project_id,
        scope.mode,
        key,
      ]),
    ),

  ...recordReads,
  ...tokenReads,
  ...keyReads,
  ...auditReads,

  stuckTasks,
  sealedOtherwise,
  countSealedOtherwise,
} as const
