// A task as its customer sees it (contract §1.2, §1.4). The fields of the request come out of the plan as they were given, with the
// references to the vault in place; neither the callback id nor the signal token is ever among them again.
import { planOf, reportOf } from '../../domain/call.ts'
import { valuesAt } from '../../domain/json-path.ts'
import { verbatim, type Printable } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import { isoTime, isoTimeOrNull } from '../../domain/time.ts'
import { readExt } from './ext.ts'
import { presentPoll } from './poll-config.ts'
import { presentResolve } from './resolve-config.ts'
import { statusWord } from './status.ts'

type Fields = { readonly [field: string]: Printable }

/** The task object as it is at `now` (milliseconds). */
export function presentTask(task: Task, now: number): Fields {
  const plan = planOf(task)
  const request = plan?.request ?? null
  const { max_wait_s, timeout_s, delay_until, provider } = readExt(task)
  return {
    id: task.id,
    teamId: task.project_id,
    status: statusWord(task, now),
    targetUrl: request?.url ?? null,
    method: request?.method ?? null,
    headers: request?.headers ?? {},
    body: request?.body ?? null,
    maxWaitTime: max_wait_s,
    timeout: timeout_s,
    delayUntil: delay_until,
    maxRetries: request?.retries ?? null,
    retryBackoff: request?.backoff ?? null,
    priority: request?.priority ?? null,
    onCompleteUrl: task.callback_url,
    waitForSignal: plan?.waits ?? false,
    provider,
    pollConfig: plan?.poll ? presentPoll(plan.poll) : null,
    // Ours, and so only where it was asked for.
    resolve: plan?.resolve ? presentResolve(plan.resolve) : undefined,
    callbackId: null,
    ...presentOutcome(task),
    startedAt: isoTimeOrNull(reportOf(task).started_at),
  }
}

/** What became of a task so far, in the members that its webhook has, too. */
export const presentOutcome = (task: Task): Fields => ({
  result: presentResult(task),
  error: messageOf(task.error),
  retryCount: reportOf(task).retry_count,
  createdAt: isoTime(task.created_at),
  completedAt: isoTimeOrNull(task.completed_at),
})

/** A result that no call brought has constants around it, and its JSON as a text (contract §3.2). */
function presentResult({ response, call_report }: Task): Printable {
  if (response === null) return null
  const { answer } = reportOf({ call_report })
  if (answer === null) return { statusCode: 200, headers: {}, body: response, duration: 0 }
  const { status, headers, duration_ms } = answer
  return { statusCode: status, headers, body: verbatim(response), duration: duration_ms }
}

/** The errors of tasks are objects with a message; one that nobody gave is null, as after a timeout. */
const messageOf = (error: string | null): Printable =>
  verbatim(error === null ? null : (valuesAt(error, ['message']).get('message') ?? null))
