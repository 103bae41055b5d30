// The native view of a task (native contract §2): in answers of the API, and frozen into the body of every callback. The
// JSON members are the caller's own text, placed verbatim; parsing them would change numbers.
import { verbatim, type Printable } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import { isoTime, isoTimeOrNull } from '../../domain/time.ts'

/** The task as its customer sees it; hashes, destination and dialect fields stay ours. */
export function presentTask(task: Task): { readonly [field: string]: Printable } {
  return {
    id: task.id,
    external_id: task.external_id,
    type: task.type,
    status: task.status,
    audit_status: task.audit_status,
    mode: task.mode,
    params: verbatim(task.params),
    response: verbatim(task.response),
    error: verbatim(task.error),
    metadata: verbatim(task.metadata),
    unique_id: task.unique_id,
    callback_url: task.callback_url,
    callback_succeeded: task.callback_succeeded === null ? null : task.callback_succeeded === 1,
    callback_succeeded_at: isoTimeOrNull(task.callback_succeeded_at),
    created_at: isoTime(task.created_at),
    updated_at: isoTime(task.updated_at),
    completed_at: isoTimeOrNull(task.completed_at),
    expires_at: isoTimeOrNull(task.expires_at),
    version: task.version,
  }
}
