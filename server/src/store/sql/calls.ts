// Calls: one row for each task that has something called for it. Whoever changes a row has locked its task, so that an end, a
// suspension and the answer of an attempt under way never pass each other; only a claim, which takes what is pending, has not.
import type { Call } from '../../domain/call.ts'
import type { Attempt } from '../../domain/delivery.ts'
import { bulk, type Transaction } from '../database.ts'
import type { CallWrite, NewCall, SettleCall } from '../call-verbs.ts'
import { attemptColumns, callColumns, list } from './columns.ts'
import type { WriteContext } from './context.ts'
import { ensureDestinations, wake } from './destinations.ts'

// So many attempts of polls are kept; a poll every second of a day would be a log of its own.
const POLLS_KEPT = 100

const insertCall = bulk(
  callColumns,
  (v) => `insert into calls (${list(callColumns)}) select ${list(callColumns, 'v')} from ${v}`,
)

/** A new call and the task that it is for. */
export type CallOf = {
  task: Pick<Call, 'project_id' | 'mode' | 'created_at'> & { id: string }
  call: NewCall
}

/** Inserts the first calls of new tasks. */
export async function insertCalls(context: WriteContext, inputs: readonly CallOf[]): Promise<void> {
  if (inputs.length === 0) return
  await ensureDestinations(
    context,
    inputs.map(({ call }) => call.destination),
  )
  await context.tx.bulk(
    insertCall,
    inputs.map(({ task, call: { destination, ...call } }) => ({
      ...call,
      task_id: task.id,
      project_id: task.project_id,
      mode: task.mode,
      destination_id: destination.id,
      step: 'request',
      state: 'pending',
      result_url: null,
      attempt_count: 0,
      failure_count: 0,
      unknown_streak: 0,
      lease_owner: null,
      lease_until: null,
      fence: 0,
      created_at: task.created_at,
    })),
  )
  await wake(
    context.tx,
    inputs.map(({ call }) => ({ id: call.destination.id, due_at: call.due_at })),
  )
}

const selectHeld = bulk(
  { task_id: 'text', fence: 'bigint' },
  (v) => `select c.task_id from ${v} join calls c on c.task_id = v.task_id
    where c.fence = v.fence and c.state = 'sending'`,
)

/** Which of these attempts still have their leases, by task. */
export async function holding(tx: Transaction, settles: readonly SettleCall[]): Promise<Set<string>> {
  const rows = await tx.bulk(
    selectHeld,
    settles.map(({ call }) => ({ task_id: call.task_id, fence: call.fence })),
  )
  return new Set(rows.map(({ task_id }) => String(task_id)))
}

const updateCall = bulk(
  {
    task_id: 'text',
    fence: 'bigint',
    destination_id: 'text',
    step: 'text',
    state: 'text',
    url: 'text',
    result_url: 'text',
    due_at: 'bigint',
    failure_count: 'bigint',
    unknown_streak: 'bigint',
    attempts: 'bigint',
  },
  // Its task may have been suspended while it was made.
  (
    v,
  ) => `update calls set destination_id = coalesce(v.destination_id, calls.destination_id), step = v.step, url = v.url, result_url = v.result_url,
      state = case when v.state = 'pending' and t.status = 'suspended' then 'held' else v.state end,
      callback_id = case when v.step = 'request' and v.state = 'pending' then calls.callback_id end,
      due_at = v.due_at, failure_count = v.failure_count, unknown_streak = v.unknown_streak,
      attempt_count = calls.attempt_count + v.attempts,
      lease_owner = null, lease_until = null, fence = calls.fence + 1
    from ${v} join tasks t on t.id = v.task_id
    where calls.task_id = v.task_id and calls.fence = v.fence and calls.state = 'sending'
    returning calls.task_id, calls.state, calls.due_at, calls.destination_id`,
)

const insertAttempt = bulk(
  attemptColumns,
  (v) => `insert into attempts (${list(attemptColumns)}) select ${list(attemptColumns, 'v')} from ${v}`,
)

const deleteAttempts = bulk(
  { delivery_id: 'text', number: 'bigint' },
  (v) => `delete from attempts where (delivery_id, number) in (select a.delivery_id, a.number from ${v}
    join attempts a on a.delivery_id = v.delivery_id and a.number <= v.number)`,
)

/** Writes the ends of attempts; one whose lease was lost writes nothing. The caller has locked the tasks. */
export async function settleCalls(context: WriteContext, inputs: readonly SettleCall[]): Promise<boolean[]> {
  if (inputs.length === 0) return []
  const { tx } = context
  await ensureDestinations(
    context,
    inputs.flatMap(({ destination }) => destination ?? []),
  )
  const rows = await tx.bulk(
    updateCall,
    inputs.map(({ call, change, destination, attempt }) => ({
      ...change,
      task_id: call.task_id,
      fence: call.fence,
      destination_id: destination?.id ?? null,
      attempts: attempt === null ? 0 : 1,
    })),
  )
  const written = new Set(rows.map(({ task_id }) => task_id))
  const ended = await countOutdated(
    tx,
    inputs.filter(({ call }) => !written.has(call.task_id)),
  )
  await logAttempts(
    tx,
    inputs.flatMap(({ call, attempt }) =>
      attempt !== null && (written.has(call.task_id) || ended.has(call.task_id)) ? attempt : [],
    ),
  )
  await wake(
    tx,
    rows.flatMap(({ state, destination_id, due_at }) =>
      state === 'pending' ? { id: String(destination_id), due_at: Number(due_at) } : [],
    ),
  )
  return inputs.map(({ call }) => written.has(call.task_id))
}

// Ended in the very lease in which it was made, and never told of.
const countEnded = bulk(
  { task_id: 'text', fence: 'bigint', number: 'bigint' },
  (v) => `update calls set attempt_count = v.number from ${v} where calls.task_id = v.task_id
      and calls.state = 'ended' and calls.fence = v.fence + 1 and calls.attempt_count = v.number - 1
    returning calls.task_id`,
)

/** Counts attempts of calls that were ended while they were made; gives their tasks. */
async function countOutdated(tx: Transaction, inputs: readonly SettleCall[]): Promise<Set<string>> {
  const rows = await tx.bulk(
    countEnded,
    inputs.flatMap(({ call, attempt }) => (attempt === null ? [] : { ...call, number: attempt.number })),
  )
  return new Set(rows.map(({ task_id }) => String(task_id)))
}

async function logAttempts(tx: Transaction, attempts: readonly Attempt[]): Promise<void> {
  await tx.bulk(insertAttempt, attempts)
  await tx.bulk(
    deleteAttempts,
    attempts.flatMap(({ delivery_id, number }) =>
      number > POLLS_KEPT && delivery_id.endsWith('.poll')
        ? { delivery_id, number: number - POLLS_KEPT }
        : [],
    ),
  )
}

const byTask = (sql: (v: string) => string) => bulk({ task_id: 'text' }, sql)

const endCall = byTask(
  (v) => `update calls set state = 'ended', due_at = null, callback_id = null, lease_owner = null,
      lease_until = null, fence = calls.fence + 1
    from ${v} where calls.task_id = v.task_id and calls.state <> 'ended'`,
)
const holdCall = byTask(
  (v) =>
    `update calls set state = 'held' from ${v} where calls.task_id = v.task_id and calls.state = 'pending'`,
)
const resumeCall = byTask(
  (
    v,
  ) => `update calls set state = 'pending' from ${v} where calls.task_id = v.task_id and calls.state = 'held'
    returning calls.destination_id as id, calls.due_at`,
)
const restartCall = bulk(
  {
    task_id: 'text',
    destination_id: 'text',
    url: 'text',
    callback_id: 'text',
    priority: 'bigint',
    timeout_ms: 'bigint',
    due_at: 'bigint',
  },
  (
    v,
  ) => `update calls set step = 'request', state = 'pending', destination_id = v.destination_id, url = v.url,
      result_url = null, callback_id = v.callback_id, priority = v.priority, timeout_ms = v.timeout_ms,
      due_at = v.due_at, failure_count = 0, unknown_streak = 0, lease_owner = null, lease_until = null,
      fence = calls.fence + 1
    from ${v} where calls.task_id = v.task_id`,
)

/** What a verb that was written does to its task's call; one that settles an attempt still held its lease (`holding`). */
export type WrittenCall = { task_id: string; write: CallWrite }

/** Writes the consequences of verbs. The caller has locked the tasks. */
export async function writeCalls(context: WriteContext, inputs: readonly WrittenCall[]): Promise<void> {
  if (inputs.length === 0) return
  const { tx } = context
  const of = (kind: CallWrite['kind']) =>
    inputs.flatMap(({ task_id, write }) => (write.kind === kind ? { task_id } : []))
  await settleCalls(
    context,
    inputs.flatMap(({ write }) => (write.kind === 'settle' ? write : [])),
  )
  await tx.bulk(endCall, of('end'))
  await tx.bulk(holdCall, of('hold'))
  const resumed = await tx.bulk(resumeCall, of('resume'))
  const restarted = inputs.flatMap(({ task_id, write }) =>
    write.kind === 'restart' ? { ...write, task_id, destination_id: write.destination.id } : [],
  )
  await ensureDestinations(
    context,
    restarted.map(({ destination }) => destination),
  )
  await tx.bulk(
    restartCall,
    restarted.map(({ task_id, destination_id, url, callback_id, priority, timeout_ms, due_at }) => ({
      task_id,
      destination_id,
      url,
      callback_id,
      priority,
      timeout_ms,
      due_at,
    })),
  )
  await wake(tx, [
    ...resumed.map(({ id, due_at }) => ({ id: String(id), due_at: Number(due_at ?? context.now) })),
    ...restarted.map(({ destination, due_at }) => ({ id: destination.id, due_at })),
  ])
}
