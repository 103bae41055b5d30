// The columns of each table, once: inserts and bulk statements are built from them.
import type { Audit } from '../../domain/audit.ts'
import type { Call } from '../../domain/call.ts'
import type { Attempt, Delivery } from '../../domain/delivery.ts'
import type { StoredRecord } from '../../domain/record.ts'
import type { Replay } from '../../domain/replay.ts'
import type { Task } from '../../domain/task.ts'
import type { ColumnType } from '../database.ts'
import type { Arrival } from '../store.ts'

type Columns<T> = Readonly<Record<keyof T & string, ColumnType>>

export const taskColumns: Columns<Task> = {
  id: 'text',
  project_id: 'text',
  mode: 'text',
  external_id: 'text',
  type: 'text',
  status: 'text',
  resume_status: 'text',
  audit_status: 'text',
  params: 'text',
  response: 'text',
  error: 'text',
  metadata: 'text',
  unique_id: 'text',
  ext: 'text',
  call_plan: 'text',
  call_report: 'text',
  callback_url: 'text',
  destination_id: 'text',
  callback_succeeded: 'bigint',
  callback_succeeded_at: 'bigint',
  callback_hash: 'text',
  callback_used: 'bigint',
  event_count: 'bigint',
  last_told: 'bigint',
  created_at: 'bigint',
  updated_at: 'bigint',
  completed_at: 'bigint',
  expires_at: 'bigint',
  version: 'bigint',
}

export const deliveryColumns: Columns<Delivery> = {
  id: 'text',
  project_id: 'text',
  mode: 'text',
  task_id: 'text',
  seq: 'bigint',
  event_id: 'text',
  event_type: 'text',
  sequence: 'bigint',
  destination_id: 'text',
  url: 'text',
  resend: 'bigint',
  ordered: 'bigint',
  state: 'text',
  reason: 'text',
  due_at: 'bigint',
  attempt_count: 'bigint',
  unknown_count: 'bigint',
  unknown_streak: 'bigint',
  first_attempt_at: 'bigint',
  give_up_at: 'bigint',
  cancel_requested: 'bigint',
  lease_owner: 'text',
  lease_until: 'bigint',
  fence: 'bigint',
  created_at: 'bigint',
  settled_at: 'bigint',
}

export const callColumns: Columns<Call> = {
  task_id: 'text',
  project_id: 'text',
  mode: 'text',
  destination_id: 'text',
  step: 'text',
  state: 'text',
  url: 'text',
  result_url: 'text',
  callback_id: 'text',
  priority: 'bigint',
  timeout_ms: 'bigint',
  due_at: 'bigint',
  attempt_count: 'bigint',
  failure_count: 'bigint',
  unknown_streak: 'bigint',
  lease_owner: 'text',
  lease_until: 'bigint',
  fence: 'bigint',
  created_at: 'bigint',
}

export const attemptColumns: Columns<Attempt> = {
  delivery_id: 'text',
  number: 'bigint',
  started_at: 'bigint',
  duration_ms: 'bigint',
  outcome: 'text',
  status: 'bigint',
  response_headers: 'text',
  response_body: 'text',
  truncated: 'bigint',
  remote_address: 'text',
  error: 'text',
}

export const arrivalColumns: Columns<Arrival> = {
  id: 'text',
  task_id: 'text',
  received_at: 'bigint',
  remote_address: 'text',
  headers: 'text',
  body: 'text',
  verdict: 'text',
}

export const replayColumns: Columns<Replay> = {
  id: 'text',
  project_id: 'text',
  mode: 'text',
  state: 'text',
  delivery_state: 'text',
  destination_id: 'text',
  from_at: 'bigint',
  to_at: 'bigint',
  cursor: 'text',
  count: 'bigint',
  replayed: 'bigint',
  skipped: 'bigint',
  created_at: 'bigint',
  updated_at: 'bigint',
  finished_at: 'bigint',
}

export const recordColumns: Columns<StoredRecord> = {
  project_id: 'text',
  mode: 'text',
  kind: 'text',
  key: 'text',
  body: 'text',
  created_at: 'bigint',
  updated_at: 'bigint',
  due_at: 'bigint',
  expires_at: 'bigint',
  version: 'bigint',
}

export const auditColumns: Columns<Audit> = {
  id: 'text',
  created_at: 'bigint',
  act: 'text',
  actor: 'text',
  key_id: 'text',
  address: 'text',
  project_id: 'text',
  mode: 'text',
  object: 'text',
  detail: 'text',
}

/** How many bytes these columns have together, as SQL; both databases tell it without reading what is long. */
export const bytesOf = (...columns: string[]): string =>
  columns.map((column) => `coalesce(octet_length(${column}), 0)`).join(' + ')

/** How many bytes the texts of a task have that may be long, as SQL. */
export const taskBytes = (task: string): string =>
  bytesOf(
    ...['params', 'response', 'error', 'metadata', 'ext', 'call_plan', 'call_report'].map(
      (column) => `${task}.${column}`,
    ),
  )

/** `a, b, c`, or `t.a, t.b, t.c` with a table's name. */
export const list = (columns: object, table = ''): string =>
  Object.keys(columns)
    .map((name) => (table === '' ? name : `${table}.${name}`))
    .join(', ')

/** `a = v.a, b = v.b` for an update from the relation. */
export const assignments = (names: readonly string[]): string =>
  names.map((name) => `${name} = v.${name}`).join(', ')
