// The Scale dialect's callbacks (contract §4): the whole task in a body that names no event, the callback auth key in a header,
// 21 requests in 24 hours. Receivers tell events apart by the status and the audits, so those must be right in the body.
import type { RetryPolicy } from '../../domain/delivery.ts'
import type { TaskEvent } from '../../domain/event.ts'
import { print, verbatim } from '../../domain/json.ts'
import { defaultSettings, isHolding, type Secret } from '../../domain/project.ts'
import { waits } from '../../domain/retry.ts'
import type { AuditVerdict, Task } from '../../domain/task.ts'
import type { Ready } from '../../store/store.ts'
import type { Dialect } from '../dialect.ts'
import { mailHeaders } from '../mail-headers.ts'
import { BATCH_TYPE } from './batch.ts'
import { createBatchWork } from './batch-work.ts'
import { extrasOf, extrasText, type Audit, type Extras } from './extras.ts'
import { front } from './front.ts'
import { scaleId } from './id.ts'
import { presentTask } from './present.ts'
import { auditResults, responseOf, statusWord } from './status.ts'

const SIGNING_BYTES = 32
const AUDITS_MAX = 100
// 15 s doubling up to 7080 s: 20 waits of 23 h 45 min 45 s together.
const WAITS_MS = Array.from({ length: 20 }, (_, retry) => Math.min(15 * 2 ** retry, 7080) * 1000)

/** Makes the Scale dialect; `version` is told in `user-agent`. */
export const createScale = ({ version }: { version: string }): Dialect => ({
  name: 'scale',
  credentials: {
    key_prefix: { live: 'live_', test: 'test_' },
    auth_prefix: { live: 'live_auth_', test: 'test_auth_' },
    signingSecret: (randomBytes) => randomBytes(SIGNING_BYTES).toString('hex'),
  },
  settings: {},
  amend,
  callback,
  headers: (ready, { secrets, now }) => ({
    'content-type': 'application/json',
    'user-agent': `Ringback/${version}`,
    'scale-callback-auth': authKey(secrets, ready, now),
  }),
  mailHeaders: (ready, { attempt }) => mailHeaders(ready, { task_id: scaleId(ready.task_id), attempt }),
  policy({ settings: { retry, timeout_ms } }): RetryPolicy {
    const window_ms = retry.window_s * 1000
    const isDefault =
      retry.retries === defaultSettings.retry.retries && retry.window_s === defaultSettings.retry.window_s
    return {
      waits: isDefault ? WAITS_MS : waits({ retries: retry.retries, window_ms }),
      retryable: () => true,
      timeout_ms,
      window_ms,
    }
  },
  publicId: ({ id }) => scaleId(id),
  statusWord,
  front,
  work: createBatchWork,
})

function amend(event: TaskEvent, task: Task): Partial<Pick<Task, 'ext' | 'unique_id'>> {
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

/** Scale's four triggers (contract §4.1); whatever else happens is seen by who asks. */
function callback(event: TaskEvent, task: Task): string | null {
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

/** The callback auth key of a delivery's mode: the oldest that holds, since receivers compare it with the one they have. */
function authKey(secrets: readonly Secret[], { mode }: Ready, now: number): string {
  const key = secrets.findLast(
    (secret) => secret.kind === 'callback_auth' && secret.mode === mode && isHolding(secret, now),
  )
  if (key === undefined) throw new Error(`The project has no callback auth key for its ${mode} mode`)
  return key.value
}
