// Scale's view of a task (contract §2.1), in answers and in callbacks. What is not there yet is left out, never null: its
// clients ask whether a key is there. The callers' JSON is placed verbatim.
import { takeMember } from '../../domain/json-path.ts'
import { verbatim, Verbatim, type Printable } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import { isoTime } from '../../domain/time.ts'
import { extrasOf, type Audit } from './extras.ts'
import { scaleId } from './id.ts'
import { auditResults, responseOf, statusWord } from './status.ts'

type Fields = { readonly [field: string]: Printable }

/** The task as its customer sees it. */
export function presentTask(task: Task): Fields {
  const { project, batch, priority, urgency, tags, audits } = extrasOf(task)
  // A worker needs the instruction, so that it is kept among the params.
  const { value: instruction, rest: params } = takeMember(task.params, 'instruction')
  return {
    task_id: scaleId(task.id),
    created_at: isoTime(task.created_at),
    updated_at: isoTime(task.updated_at),
    completed_at:
      task.status === 'completed' && task.completed_at !== null ? isoTime(task.completed_at) : undefined,
    type: task.type,
    status: statusWord(task),
    instruction: instruction === undefined ? undefined : new Verbatim(instruction),
    params: new Verbatim(params),
    callback_url: task.callback_url ?? undefined,
    ...presentDecision(task),
    response: responseOf(task) ?? undefined,
    metadata: verbatim(task.metadata),
    unique_id: task.unique_id ?? undefined,
    tags,
    project,
    batch,
    priority,
    urgency,
    is_test: task.mode === 'test',
    audits: audits?.map(presentAudit),
    customer_review_status: task.audit_status === null ? undefined : auditResults[task.audit_status],
  }
}

/** What `limited_response` leaves of a task. */
export const presentLimited = (task: Task): Fields => ({
  task_id: scaleId(task.id),
  status: statusWord(task),
  metadata: verbatim(task.metadata),
  project: extrasOf(task).project,
})

/** Whether the task's latest callback was received, once that is decided; under its older name, too. */
function presentDecision({ callback_succeeded, callback_succeeded_at }: Task): Fields {
  if (callback_succeeded === null) return {}
  const succeeded = callback_succeeded === 1
  return {
    callback_succeeded: succeeded,
    callback_completed: succeeded,
    callback_succeeded_at:
      succeeded && callback_succeeded_at !== null ? isoTime(callback_succeeded_at) : undefined,
  }
}

/** An audit. We know which side made it, by whose key it came, but neither the person nor how long it took. */
export const presentAudit = ({ audited_at, audit_result, audit_source, comments }: Audit): Fields => ({
  audited_by: audit_source,
  audited_at: isoTime(audited_at),
  audit_result,
  audit_source,
  comments,
})
