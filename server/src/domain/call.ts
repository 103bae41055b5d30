// A call is an outgoing request for a task that is no callback: its target call, then the polls that ask how the work goes, then
// the fetch of the result. A task has one row for all of them, since only one is ever due. What is asked for is the plan, which
// never changes; what came of it is the report.
import { print } from './json.ts'
import type { Scope } from './project.ts'

export const callSteps = ['request', 'poll', 'result'] as const
export type CallStep = (typeof callSteps)[number]

/** `held` waits for its suspended task; `ended` has nothing more to do, and its row stays for the log. */
export type CallState = 'pending' | 'sending' | 'held' | 'ended'

/** `GET` is sent without a body. */
export const callMethods = ['GET', 'POST', 'PUT', 'DELETE'] as const
export type CallMethod = (typeof callMethods)[number]

/**
 * The target call. `url`, `body` and the values of `headers` may hold the dialect's placeholder for the inbound URL; a value
 * that begins with `tok_` names a token of the vault. `retries` is how often it is tried again.
 */
export type RequestPlan = {
  url: string
  method: CallMethod
  headers: Readonly<Record<string, string>>
  body: string | null
  timeout_ms: number
  retries: number
  backoff: 'exponential' | 'linear'
  /** 1–10, the larger the sooner. */
  priority: number
}

/** How the provider is asked whether the work is done; paths are dotted, `''` is the whole answer. */
export type PollPlan = {
  /** May hold `{startResult.body.<path>}`, filled from the answer to the target call. */
  url_template: string
  status_path: string
  done_values: readonly string[]
  fail_values: readonly string[]
  interval_ms: number
  /** The task expires when it was polled for so long. */
  max_duration_ms: number
  result_path: string
  /** Where the result is read in the end, if not from the last answer; with placeholders as in `url_template`. */
  result_url_template: string | null
  error_path: string | null
  /** Whether polls carry the headers of the target call; only to its host. */
  forward_auth: boolean
}

/** What the body of an inbound callback means, by the text at `status_path`. Without it anything completes the task. */
export type ResolvePlan = {
  status_path: string
  done_values: readonly string[]
  fail_values: readonly string[]
  /** Progress: kept in the ledger, and the inbound URL stays good. */
  ignore_values: readonly string[]
  error_path: string | null
}

/** A call as it is sent; names of headers are in lower case. `timeout_ms` is for all of it, redirects and bodies included. */
export type CallRequest = {
  url: string
  method: CallMethod
  headers: Record<string, string>
  /** The headers where a redirect leaves the body out. */
  bare: Record<string, string>
  body: string | null
  timeout_ms: number
}

/** What is to be called for a task, and what comes back means. Times are milliseconds. */
export type CallPlan = {
  /** Without one nothing is called, and only `resolve` has a meaning. */
  request: RequestPlan | null
  /** The target call is not made before. */
  not_before: number | null
  /** After a good answer the task waits for its inbound URL (or a signal). */
  waits: boolean
  /** How long it waits before it expires; null leaves its own deadline. */
  wait_ms: number | null
  poll: PollPlan | null
  resolve: ResolvePlan | null
}

/**
 * What came of a task's calls so far. `answer` is that of the response: without it the response did not come by a call.
 * `signaled` says that a signal settled the task, so that its token is used.
 */
export type CallReport = {
  started_at: number | null
  retry_count: number
  signaled?: true
  answer: { status: number; headers: Readonly<Record<string, string>>; duration_ms: number } | null
}

/**
 * A task's call as stored. `url` is what is asked next (of the request with its placeholder), `result_url` where the result will
 * be read. `attempt_count` counts all attempts and numbers them, `failure_count` the failures of this step in a row that count;
 * `callback_id` is there only while the request may still have to tell it.
 */
export type Call = Scope & {
  task_id: string
  destination_id: string
  step: CallStep
  state: CallState
  url: string
  result_url: string | null
  callback_id: string | null
  priority: number
  timeout_ms: number
  due_at: number | null
  attempt_count: number
  failure_count: number
  unknown_streak: number
  lease_owner: string | null
  lease_until: number | null
  fence: number
  created_at: number
}

export const noReport: CallReport = { started_at: null, retry_count: 0, answer: null }

/** The report of a task; empty where nothing was called yet. */
export const reportOf = ({ call_report }: { call_report: string | null }): CallReport =>
  call_report === null ? noReport : (JSON.parse(call_report) as CallReport)

/** The text of a report once the response is another than a call's. */
export const withoutAnswer = (call_report: string | null): string | null =>
  call_report === null ? null : print({ ...reportOf({ call_report }), answer: null })

/** The plan of a task that has one; it may be long, so read it once. */
export const planOf = ({ call_plan }: { call_plan: string | null }): CallPlan | null =>
  call_plan === null ? null : (JSON.parse(call_plan) as CallPlan)

/** Under which name the attempts of a step are logged. */
export const attemptsId = (task_id: string, step: CallStep): string => `${task_id}.${step}`

/** Which step a logged attempt was of: the opposite of `attemptsId`. */
export const stepOf = (attempts_id: string): string => attempts_id.slice(attempts_id.lastIndexOf('.') + 1)
