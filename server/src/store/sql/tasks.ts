// Tasks, their events and callback ids. A transition is one compare-and-set on the version; whatever belongs to it is
// written in the same transaction or not at all.

import { isOpen, taskStatuses, type Task } from '../../domain/task.ts'
import { bulk, type Transaction } from '../database.ts'
import type { CreateResult, CreateTask, Transition, TransitionResult } from '../store.ts'
import { recordArrivals } from './arrivals.ts'
import { writeAudits } from './audits.ts'
import { holding, insertCalls, writeCalls } from './calls.ts'
import { assignments, list, taskColumns } from './columns.ts'
import type { WriteContext } from './context.ts'
import { insertDeliveries, type Inserted, type InsertDelivery } from './delivery-insert.ts'
import { ensureDestinations } from './destinations.ts'
import { packBody } from './event-body.ts'
import { dropIdempotency, takeIdempotency } from './idempotency.ts'
import { insertLabels } from './labels.ts'

const insertTask = bulk(
  taskColumns,
  (v) =>
    `insert into tasks (${list(taskColumns)}) select ${list(taskColumns, 'v')} from ${v} where true on conflict do nothing returning id`,
)

const insertCallbackId = bulk(
  { hash: 'text', task_id: 'text' },
  (v) => `insert into callback_ids (hash, task_id) select v.hash, v.task_id from ${v}`,
)

/** Which task has each of these unique ids. */
export const findTaken = bulk(
  { id: 'text', project_id: 'text', mode: 'text', unique_id: 'text' },
  (v) => `select v.id as wanted_id, t.id as task_id from ${v}
    join tasks t on t.project_id = v.project_id and t.mode = v.mode and t.unique_id = v.unique_id`,
)

export type CreateTaskInput = Omit<CreateTask, 'applied'> & { applied: TransitionInput | null }
export type CreateTaskResult = CreateResult & { delivery: Inserted | null }

/** Inserts tasks; each is created whole or not at all, with the verb that is applied to it at once, if any. */
export async function createTasks(
  context: WriteContext,
  inputs: CreateTaskInput[],
): Promise<CreateTaskResult[]> {
  const { tx } = context
  const guards = inputs.flatMap(({ idempotency }) => idempotency ?? [])
  const refused = await takeIdempotency(context, guards)
  const wanted = inputs.filter(({ idempotency }) => idempotency === null || !refused.has(idempotency))
  const created = new Set((await tx.bulk(insertTask, wanted.map(taskOf))).map(({ id }) => id))
  const done = wanted.filter(({ task }) => created.has(task.id))
  const lost = wanted.filter(({ task }) => !created.has(task.id))

  await tx.bulk(
    insertCallbackId,
    done.flatMap(({ task, hashes = [] }) =>
      [task.callback_hash ?? [], hashes].flat().map((hash) => ({ hash, task_id: task.id })),
    ),
  )
  await insertLabels(tx, done)
  await ensureDestinations(
    context,
    done.flatMap(({ destination }) => destination ?? []),
  )
  await insertCalls(
    context,
    done.flatMap(({ task, call }) => (call ? { task, call } : [])),
  )
  const applied = done.flatMap(({ applied }) => applied ?? [])
  const moved = applied.length === 0 ? [] : await transitionTasks(context, applied)
  const deliveries = new Map(applied.map(({ task }, i) => [task.id, moved[i]?.delivery ?? null]))
  const taken =
    lost.length === 0
      ? []
      : await tx.bulk(
          findTaken,
          lost.map(({ task }) => pickUnique(task)),
        )
  await dropIdempotency(
    tx,
    lost.flatMap(({ idempotency }) => idempotency ?? []),
  )
  return inputs.map(({ task, idempotency }) => {
    if (created.has(task.id)) return { kind: 'created', delivery: deliveries.get(task.id) ?? null }
    if (idempotency !== null && refused.has(idempotency)) {
      return { kind: 'idempotency_key_taken', delivery: null }
    }
    const owner = taken.find(({ wanted_id }) => wanted_id === task.id)
    if (owner === undefined) throw new Error(`task ${task.id} was not inserted, and no unique_id says why`)
    return { kind: 'unique_id_taken', task_id: String(owner.task_id), delivery: null }
  })
}

const taskOf = ({ task }: CreateTaskInput) => task
/** What `findTaken` takes. */
export const pickUnique = ({ id, project_id, mode, unique_id }: Task) => ({ id, project_id, mode, unique_id })

const mutable = [
  'status',
  'resume_status',
  'audit_status',
  'response',
  'error',
  'callback_hash',
  'callback_used',
  'event_count',
  'last_told',
  'unique_id',
  'ext',
  'call_report',
  'updated_at',
  'completed_at',
  'expires_at',
  'version',
] as const satisfies (keyof Task)[]

const openStatuses = taskStatuses
  .filter(isOpen)
  .map((status) => `'${status}'`)
  .join(', ')

// An open task whose deadline has passed can only expire, whether or not the expiry loop has been there.
const updateTask = bulk(
  { id: 'text', ...Object.fromEntries(mutable.map((name) => [name, taskColumns[name]])), now: 'bigint' },
  (v) => `update tasks set ${assignments(mutable)} from ${v}
    where tasks.id = v.id and tasks.version = v.version - 1
      and (v.status = 'expired' or tasks.expires_at is null or tasks.expires_at > v.now or tasks.status not in (${openStatuses}))
    returning tasks.id`,
)

const insertEvent = bulk(
  {
    id: 'text',
    task_id: 'text',
    sequence: 'bigint',
    type: 'text',
    detail: 'text',
    created_at: 'bigint',
    body: 'text',
    payload: 'text',
  },
  (v) => `insert into events (id, task_id, sequence, type, detail, created_at, body, payload)
    select v.id, v.task_id, v.sequence, v.type, v.detail, v.created_at, v.body, v.payload from ${v}`,
)

/** What a verb writes of a task, and by which row it is found. */
export type TaskChange = Pick<Task, 'id' | (typeof mutable)[number]>

/** Leaves behind what no verb changes: `params` may be long, and all of it would go to the database. */
export const changeOf = (task: Task): TaskChange => {
  const change: Record<string, unknown> = { id: task.id }
  for (const name of mutable) change[name] = task[name]
  return change as TaskChange
}

export type TransitionInput = Omit<Transition, 'task' | 'delivery'> & {
  task: TaskChange
  delivery: InsertDelivery | null
}

/** What became of a verb: without a delivery in it, `inserted` is null. */
export type TransitionOutput = { result: TransitionResult; delivery: Inserted | null }

/** Writes decided verbs; one that lost, by its version, its deadline or its call's lease, writes nothing. */
export async function transitionTasks(
  context: WriteContext,
  all: TransitionInput[],
): Promise<TransitionOutput[]> {
  const { tx, now } = context
  const leaseless = await withoutLease(tx, all)
  const inputs = all.filter((input) => !leaseless.has(input))
  const rows = await tx.bulk(
    updateTask,
    inputs.map(({ task }) => ({ ...task, now })),
  )
  const won = new Set(rows.map(({ id }) => id))
  const winners = inputs.filter(({ task }) => won.has(task.id))
  await tx.bulk(
    insertEvent,
    winners.flatMap(({ task, event }) =>
      event === null ? [] : { ...event, ...packBody(event.body, task.response) },
    ),
  )
  await tx.bulk(
    insertNewCallbackId,
    winners.flatMap(({ task, call }) =>
      (task.status === 'waiting' || call?.kind === 'restart') && task.callback_hash !== null
        ? { hash: task.callback_hash, task_id: task.id }
        : [],
    ),
  )
  await recordArrivals(
    context,
    winners.flatMap(({ arrival }) => arrival ?? []),
  )
  await writeAudits(
    context,
    winners.map(({ audit }) => audit),
  )
  const inserted = await insertDeliveries(
    context,
    winners.flatMap(({ delivery }) => delivery ?? []),
  )
  await writeCalls(
    context,
    winners.flatMap(({ task, call }) => (call ? { task_id: task.id, write: call } : [])),
  )
  return all.map((input) => {
    const { task, delivery } = input
    const result = leaseless.has(input) ? 'lost' : won.has(task.id) ? 'done' : 'raced'
    return { result, delivery: delivery === null ? null : (inserted.get(delivery.id) ?? null) }
  })
}

/** Those that a call brings about which has lost its lease. */
async function withoutLease(tx: Transaction, inputs: TransitionInput[]): Promise<Set<TransitionInput>> {
  const settles = inputs.flatMap(({ call }) => (call?.kind === 'settle' ? call : []))
  const held = await holding(tx, settles)
  return new Set(inputs.filter(({ task, call }) => call?.kind === 'settle' && !held.has(task.id)))
}

const insertNewCallbackId = bulk(
  { hash: 'text', task_id: 'text' },
  (v) =>
    `insert into callback_ids (hash, task_id) select v.hash, v.task_id from ${v} where true on conflict (hash) do nothing`,
)
