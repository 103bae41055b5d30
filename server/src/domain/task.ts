// The life of a task: the one table of allowed transitions, and what each verb changes. Everything here is a value in, a
// value out; that exactly one of several racing verbs wins is the store's compare-and-set on `version`.
import { withoutAnswer } from './call.ts'
import type { EventType } from './event.ts'
import { print } from './json.ts'
import type { Mode } from './project.ts'

export const taskStatuses = [
  'pending',
  'processing',
  'waiting',
  'polling',
  'suspended',
  'completed',
  'failed',
  'canceled',
  'expired',
] as const
export type TaskStatus = (typeof taskStatuses)[number]

export const auditVerdicts = ['approved', 'rejected', 'fixed'] as const
export type AuditVerdict = (typeof auditVerdicts)[number]

/**
 * A task as stored. Times are milliseconds since the epoch; `params`, `response`, `error`, `metadata` and `ext` are
 * compact JSON texts, and so are `call_plan` and `call_report` (domain/call.ts); booleans are 0 or 1. `version` grows with every verb, `event_count` with every event; `last_told` is the
 * sequence of the last event that became a callback (0: none did), or null where that is the last event.
 */
export type Task = {
  id: string
  project_id: string
  mode: Mode
  external_id: string | null
  type: string
  status: TaskStatus
  resume_status: TaskStatus | null
  audit_status: AuditVerdict | null
  params: string
  response: string | null
  error: string | null
  metadata: string
  unique_id: string | null
  ext: string | null
  call_plan: string | null
  call_report: string | null
  callback_url: string | null
  destination_id: string | null
  callback_succeeded: 0 | 1 | null
  callback_succeeded_at: number | null
  callback_hash: string | null
  callback_used: 0 | 1
  event_count: number
  last_told: number | null
  created_at: number
  updated_at: number
  completed_at: number | null
  expires_at: number | null
  version: number
}

const open: readonly TaskStatus[] = ['pending', 'processing', 'waiting', 'polling', 'suspended']
const running: readonly TaskStatus[] = ['pending', 'processing', 'waiting', 'polling']

/** The only place that knows which verb may follow which status. `resume` goes back to where `suspend` came from. */
export const transitions = {
  start: { from: ['pending', 'waiting'], to: 'processing' },
  await: { from: open, to: 'waiting' },
  complete: { from: open, to: 'completed' },
  fail: { from: open, to: 'failed' },
  cancel: { from: open, to: 'canceled' },
  expire: { from: open, to: 'expired' },
  suspend: { from: running, to: 'suspended' },
  resume: { from: ['suspended'], to: null },
  edit: { from: ['completed'], to: 'completed' },
  audit: { from: ['completed'], to: 'completed' },
  recall: { from: ['completed', 'failed'], to: 'pending' },
  restart: { from: ['failed', 'canceled', 'expired'], to: 'pending' },
} as const satisfies Record<string, { from: readonly TaskStatus[]; to: TaskStatus | null }>

/** What the task's own calls do to it; a suspended task stays so, and goes on from there when it is resumed. */
export const callTransitions = {
  begin: { from: ['pending'], to: 'processing' },
  retry: { from: ['processing', 'suspended'], to: 'pending' },
  listen: { from: ['processing', 'suspended'], to: 'waiting' },
  poll: { from: ['processing', 'suspended'], to: 'polling' },
} as const satisfies Record<string, { from: readonly TaskStatus[]; to: TaskStatus }>

const allTransitions = { ...transitions, ...callTransitions }

export type TaskVerb = keyof typeof transitions
export type CallVerb = keyof typeof callTransitions

/** Whether a task in this status can still be settled. */
export const isOpen = (status: TaskStatus): boolean => open.includes(status)

/** Whether an inbound callback may resolve a task in this status. */
export const isResolvable = (status: TaskStatus): boolean => status === 'waiting' || status === 'polling'

/** Whether a task's time has come although nobody has moved it to `expired` yet. */
export const isOverdue = (task: Pick<Task, 'status' | 'expires_at'>, now: number): boolean =>
  isOpen(task.status) && task.expires_at !== null && task.expires_at <= now

/** What a verb is called with; each verb reads its own members. JSON members are compact texts. */
export type VerbInput = {
  response?: string
  error?: string
  during?: 'setup'
  reason?: string
  verdict?: AuditVerdict
  comments?: string
  /** Who audits; the platform's staff unless told. */
  by?: 'customer'
  expires_at?: number
  /** SHA-256 of a new callback id (`await`). */
  callback_hash?: string
  /** The inbound URL was used for this (`complete`, `fail`). */
  by_callback?: boolean
  /** What came of the task's calls; given by every verb that a call brings about. */
  call_report?: string
}

/** The task after a verb and the event that tells of it, or null where no customer is told. */
export type Decision = { task: Task; event: { type: EventType; detail: string | null } | null }

/** Decides a verb: the changed task, or undefined when its status does not allow it. */
export function decide(
  task: Task,
  verb: TaskVerb | CallVerb,
  input: VerbInput,
  now: number,
): Decision | undefined {
  const { from, to } = allTransitions[verb]
  if (!(from as readonly TaskStatus[]).includes(task.status)) return undefined
  const event = eventOf(verb, input)
  const next: Task = {
    ...task,
    call_report: input.call_report ?? task.call_report,
    status: to ?? task.resume_status ?? 'pending',
    ...changesOf(task, verb, input, now),
    event_count: task.event_count + (event ? 1 : 0),
    updated_at: now,
    version: task.version + 1,
  }
  return { task: next, event }
}

function changesOf(task: Task, verb: TaskVerb | CallVerb, input: VerbInput, now: number): Partial<Task> {
  switch (verb) {
    case 'await':
      return {
        callback_hash: input.callback_hash ?? task.callback_hash,
        callback_used: 0,
        expires_at: input.expires_at ?? task.expires_at,
        resume_status: null,
      }
    case 'complete':
      return {
        response: input.response ?? null,
        error: null,
        completed_at: now,
        callback_used: input.by_callback ? 1 : task.callback_used,
      }
    case 'fail':
      return {
        error: input.error ?? null,
        completed_at: now,
        callback_used: input.by_callback ? 1 : task.callback_used,
      }
    case 'cancel':
      return { completed_at: now }
    case 'expire':
      // The inbound URL dies with the deadline: a later call finds it used up (asyncqueue contract §3.3).
      return { completed_at: now, callback_used: 1 }
    case 'suspend':
      return { resume_status: task.status }
    case 'edit':
      return rewritten(task, input)
    case 'audit':
      return { audit_status: input.verdict ?? null, ...rewritten(task, input) }
    case 'recall':
    case 'restart':
      return {
        audit_status: null,
        response: null,
        error: null,
        completed_at: null,
        expires_at: null,
        call_report: null,
      }
    case 'start':
    case 'begin':
    case 'resume':
      return { resume_status: null }
    case 'retry':
    case 'listen':
    case 'poll':
      return { expires_at: earlier(task.expires_at, input.expires_at ?? null), ...halted(task, verb) }
  }
}

/** Another response than the one that a call brought is described by no answer. */
const rewritten = ({ call_report }: Task, { response }: VerbInput): Partial<Task> =>
  response === undefined ? {} : { response, call_report: withoutAnswer(call_report) }

const earlier = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other)

const halted = (task: Task, verb: CallVerb): Partial<Task> =>
  task.status === 'suspended' ? { status: 'suspended', resume_status: callTransitions[verb].to } : {}

function eventOf(verb: TaskVerb | CallVerb, input: VerbInput): Decision['event'] {
  const reason = input.reason === undefined ? null : print({ reason: input.reason })
  switch (verb) {
    case 'complete':
      return { type: 'task.completed', detail: null }
    case 'fail':
      return { type: input.during === 'setup' ? 'task.errored' : 'task.failed', detail: null }
    case 'cancel':
      return { type: 'task.canceled', detail: reason }
    case 'expire':
      return { type: 'task.expired', detail: null }
    case 'suspend':
      return { type: 'task.suspended', detail: reason }
    case 'edit':
      return { type: 'task.edited', detail: null }
    case 'audit':
      return { type: `task.audit.${input.verdict ?? 'approved'}`, detail: auditDetail(input) }
    case 'recall':
      return { type: 'task.recalled', detail: reason }
    case 'start':
    case 'await':
    case 'resume':
    case 'restart':
    case 'begin':
    case 'retry':
    case 'listen':
    case 'poll':
      return null
  }
}

const auditDetail = ({ verdict, comments, by }: VerbInput) =>
  print({ verdict: verdict ?? null, comments: comments ?? undefined, by })
