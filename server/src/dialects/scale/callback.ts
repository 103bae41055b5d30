// What an event is for Scale's customers. A callback names no event: receivers tell them apart by the status and the audits, so
// those must be right in its body, which is why an audit is written down before the body is made.
import type { TaskEvent } from '../../domain/event.ts'
import { print, verbatim } from '../../domain/json.ts'
import type { AuditVerdict, Task } from '../../domain/task.ts'
import { BATCH_TYPE } from './batch.ts'
import { extrasOf, extrasText, type Audit, type Extras } from './extras.ts'
import { scaleId } from './id.ts'
import { presentTask } from './present.ts'
import { auditResults, responseOf, statusWord } from './status.ts'

const AUDITS_MAX = 100

/** What an event changes of Scale's own fields: an audit is added, a recall counted, a `unique_id` freed by an error. */
export function amend(event: TaskEvent, task: Task): Partial<Pick<Task, 'ext' | 'unique_id'>> {
  const extras = extrasOf(task)
  switch (event.type) {
    case 'task.audit.approved':
    case 'task.audit.rejected':
    case 'task.audit.fixed':
      return {
        ext: extrasText({
          ...extras,
          audits: [auditOf(event, extras), ...(extras.audits ?? [])].slice(0, AUDITS_MAX),
        }),
      }
    case 'task.recalled':
      return { ext: extrasText({ ...extras, recalls: (extras.recalls ?? 0) + 1 }) }
    case 'task.errored':
    case 'task.failed':
    case 'task.expired':
      return extras.clear_unique_id_on_error === true ? { unique_id: null } : {}
    case 'task.completed':
    case 'task.canceled':
    case 'task.suspended':
    case 'task.edited':
      return {}
  }
}

type AuditDetail = { verdict: AuditVerdict; comments?: string; by?: 'customer' }

function auditOf({ detail, created_at }: TaskEvent, { recalls = 0 }: Extras): Audit {
  const { verdict, comments, by } = JSON.parse(detail ?? '{}') as AuditDetail
  return {
    audited_at: created_at,
    audit_result: auditResults[verdict],
    audit_source: by === 'customer' ? 'customer' : 'scale',
    ...(comments === undefined ? {} : { comments }),
    round: recalls,
  }
}

/** The callback of an event (contract §4.4), for Scale's four triggers; whatever else happens is seen by who asks. */
export function callback(event: TaskEvent, task: Task): string | null {
  if (task.type === BATCH_TYPE) {
    return event.type === 'task.completed'
      ? print({ batch: verbatim(task.response), status: 'completed' })
      : null
  }
  switch (event.type) {
    case 'task.errored':
    case 'task.failed':
    case 'task.expired':
    case 'task.completed':
    case 'task.recalled':
      return envelope(task)
    case 'task.audit.approved':
    case 'task.audit.rejected':
    case 'task.audit.fixed':
      return repeatsVerdict(extrasOf(task)) ? null : envelope(task)
    case 'task.canceled':
    case 'task.suspended':
    case 'task.edited':
      return null
  }
}

const envelope = (task: Task): string =>
  print({
    task_id: scaleId(task.id),
    status: statusWord(task),
    response: responseOf(task),
    task: presentTask(task),
  })

/**
 * Whether the latest audit said what the one before it had said of the same result. A fix never repeats another: it brings a
 * response of its own.
 */
function repeatsVerdict({ audits: [latest, before] = [] }: Extras): boolean {
  if (latest === undefined || latest.audit_result === 'fixed') return false
  return latest.audit_result === before?.audit_result && latest.round === before.round
}
