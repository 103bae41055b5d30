// How stored rows look in answers: times as ISO text, 0 and 1 as booleans, and without what is ours (leases, fences, hashes).
import {
  attemptPlan,
  isUnsettled,
  type Attempt,
  type Delivery,
  type RetryPolicy,
} from '../domain/delivery.ts'
import { stepOf } from '../domain/call.ts'
import type { TaskEvent } from '../domain/event.ts'
import { verbatim, type Printable } from '../domain/json.ts'
import type { DestinationReport } from '../domain/destination.ts'
import { quantile } from '../domain/histogram.ts'
import type { Replay } from '../domain/replay.ts'
import type { Audit } from '../domain/audit.ts'
import { scopesOf, type Key } from '../domain/key.ts'
import type { Project, Secret } from '../domain/project.ts'
import { isoTime, isoTimeOrNull } from '../domain/time.ts'
import type { Token } from '../store/call-verbs.ts'
import type { Arrival } from '../store/store.ts'

type Fields = { readonly [field: string]: Printable }

/** An event; its callback's body is told by the callback only. */
export const presentEvent = (event: TaskEvent): Fields => ({
  id: event.id,
  task_id: event.task_id,
  type: event.type,
  sequence: event.sequence,
  detail: verbatim(event.detail),
  created_at: isoTime(event.created_at),
})

/** What of a delivery is shown. */
export type ShownDelivery = Pick<
  Delivery,
  | 'id'
  | 'task_id'
  | 'event_id'
  | 'event_type'
  | 'sequence'
  | 'destination_id'
  | 'url'
  | 'state'
  | 'reason'
  | 'resend'
  | 'attempt_count'
  | 'created_at'
  | 'settled_at'
  | 'due_at'
  | 'give_up_at'
>

/** A delivery in lists. */
export const presentDelivery = (delivery: ShownDelivery): Fields => ({
  id: delivery.id,
  task_id: delivery.task_id,
  event_id: delivery.event_id,
  event: delivery.event_type,
  sequence: delivery.sequence,
  destination_id: delivery.destination_id,
  url: delivery.url,
  state: delivery.state,
  reason: delivery.reason,
  resend: delivery.resend === 1,
  attempt_count: delivery.attempt_count,
  created_at: isoTime(delivery.created_at),
  settled_at: isoTimeOrNull(delivery.settled_at),
  next_attempt_at: isUnsettled(delivery.state) ? isoTimeOrNull(delivery.due_at) : null,
  give_up_at: isoTimeOrNull(delivery.give_up_at),
})

const presentAttempt = (attempt: Attempt): Fields => ({
  number: attempt.number,
  started_at: isoTime(attempt.started_at),
  duration_ms: attempt.duration_ms,
  outcome: attempt.outcome,
  status: attempt.status,
  response_headers: verbatim(attempt.response_headers),
  response_body: attempt.response_body,
  truncated: attempt.truncated === 1,
  remote_address: attempt.remote_address,
  error: attempt.error,
})

/** An attempt of a task's calls, with what it was for. */
export const presentCallAttempt = (attempt: Attempt): Fields => ({
  step: stepOf(attempt.delivery_id),
  ...presentAttempt(attempt),
})

/** A delivery with its attempts and the exact times of those to come. */
export const presentDeliveryDetail = (
  { delivery, attempts }: { delivery: Delivery; attempts: Attempt[] },
  policy: RetryPolicy,
  now: number,
): Fields => ({
  ...presentDelivery(delivery),
  attempts: attempts.map(presentAttempt),
  plan: attemptPlan(delivery, policy, now).map(isoTime),
})

/** A request in the inbound ledger. */
export const presentArrival = (arrival: Arrival): Fields => ({
  id: arrival.id,
  task_id: arrival.task_id,
  received_at: isoTime(arrival.received_at),
  remote_address: arrival.remote_address,
  headers: verbatim(arrival.headers),
  body: arrival.body,
  verdict: arrival.verdict,
})

/** A replay with its progress. */
export const presentReplay = (replay: Replay): Fields => ({
  id: replay.id,
  state: replay.state,
  filter: {
    state: replay.delivery_state,
    destination_id: replay.destination_id,
    from: isoTimeOrNull(replay.from_at),
    to: isoTime(replay.to_at),
  },
  count: replay.count,
  replayed: replay.replayed,
  skipped: replay.skipped,
  created_at: isoTime(replay.created_at),
  updated_at: isoTime(replay.updated_at),
  finished_at: isoTimeOrNull(replay.finished_at),
})

/** A destination as its operator sees it. */
export function presentDestination(report: DestinationReport): Fields {
  const { delivered, failed, durations } = report.attempts
  return {
    id: report.id,
    destination: report.key,
    state: report.paused_at === null ? 'active' : 'paused',
    paused_at: isoTimeOrNull(report.paused_at),
    pause_reason: report.pause_reason,
    breaker: report.opened_at === null ? 'closed' : 'open',
    breaker_opened_at: isoTimeOrNull(report.opened_at),
    failing_since: isoTimeOrNull(report.failing_since),
    waiting: report.waiting,
    oldest_waiting_at: isoTimeOrNull(report.oldest_waiting_at),
    next_due_at: report.paused_at === null ? isoTimeOrNull(report.due_at) : null,
    attempts_last_hour: delivered + failed,
    success_rate: delivered + failed === 0 ? null : delivered / (delivered + failed),
    p95_ms: quantile(durations, 0.95),
    created_at: isoTime(report.created_at),
  }
}

/** A project with its settings. */
export const presentProject = ({
  id,
  name,
  dialect,
  host,
  settings,
  created_at,
  updated_at,
}: Project): Fields => ({
  id,
  name,
  dialect,
  host,
  default_callback_url: settings.default_callback_url,
  retry: settings.retry,
  timeout_ms: settings.timeout_ms,
  expires_in_s: settings.expires_in_s,
  order: settings.order,
  limits: settings.limits,
  retention_days: settings.retention_days,
  created_at: isoTime(created_at),
  updated_at: isoTime(updated_at),
})

/** A key, without itself. */
export const presentKey = (key: Key): Fields => ({
  id: key.id,
  mode: key.mode,
  role: key.role,
  name: key.name,
  scopes: scopesOf(key),
  hint: key.hint,
  created_at: isoTime(key.created_at),
  expires_at: isoTimeOrNull(key.expires_at),
  last_used_at: isoTimeOrNull(key.last_used_at),
})

/** Who did what. */
export const presentAudit = (audit: Audit): Fields => ({
  id: audit.id,
  created_at: isoTime(audit.created_at),
  act: audit.act,
  actor: audit.actor,
  key_id: audit.key_id,
  address: audit.address,
  project_id: audit.project_id,
  mode: audit.mode,
  object: audit.object,
  detail: verbatim(audit.detail),
})

/** A secret, with its text. */
export const presentSecret = ({ id, kind, mode, value, created_at, expires_at }: Secret): Fields => ({
  id,
  kind,
  mode,
  value,
  created_at: isoTime(created_at),
  expires_at: isoTimeOrNull(expires_at),
})

/** A token of the vault, without its value. */
export const presentToken = ({ id, name, created_at }: Token): Fields => ({
  id,
  name,
  created_at: isoTime(created_at),
})
