// The native view of a task (native contract §2): in answers of the API, and frozen into the body of every callback. The
// JSON members are the caller's own text, placed verbatim; parsing them would change numbers.
import { planOf, type CallPlan } from '../../domain/call.ts'
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
    ...presentPlan(planOf(task)),
    version: task.version,
  }
}

/** What is called for it. Headers and body may hold keys, and so stay ours; the URL shows its placeholder. */
function presentPlan(plan: CallPlan | null): { readonly [field: string]: Printable } {
  const { request = null, not_before = null, poll = null, resolve = null } = plan ?? {}
  return {
    request: request && {
      url: request.url,
      method: request.method,
      timeout_s: request.timeout_ms / 1000,
      retries: request.retries,
      backoff: request.backoff,
    },
    not_before: isoTimeOrNull(not_before),
    poll: poll && { interval_s: poll.interval_ms / 1000, max_duration_s: poll.max_duration_ms / 1000 },
    resolve,
  }
}
