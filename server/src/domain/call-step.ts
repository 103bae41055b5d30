// What the answer to a call means for its task and for the next call: pure, a value in, a value out. That a lease still holds
// and that the task is still the one it was decided on is the store's compare-and-set.
import type { Call, CallPlan, CallReport, PollPlan, RequestPlan } from './call.ts'
import { plainText, valuesAt } from './json-path.ts'
import { print } from './json.ts'
import { isJson } from './json-check.ts'
import { reportedError } from './reported.ts'
import { fillTemplates, TemplateError } from './template.ts'
import type { CallVerb, TaskVerb, VerbInput } from './task.ts'

/** How one call ended. `error` is one plain sentence. */
export type CallAnswer =
  | {
      kind: 'answered'
      status: number
      headers: Readonly<Record<string, string>>
      body: string
      /** What is wrong with the status, such as `Server error: HTTP 500 - Internal Server Error`; null below 400. */
      error: string | null
      retry_after_ms: number | null
      duration_ms: number
    }
  /** No answer, or one that broke off: it may be tried again. */
  | { kind: 'unanswered'; error: string }
  /** It must not, or need not, be tried again: the guard refused, a token is revoked, the answer is too large. */
  | { kind: 'unusable'; error: string }
  /** Nobody saw the end. It burns no retry. */
  | { kind: 'unknown' }

type Answered = Extract<CallAnswer, { kind: 'answered' }>

/** In what a dialect's calls differ from another's. */
export type CallRules = {
  /** What an answer to the target call means: done, try again, or failed for good. */
  verdict(status: number, plan: Pick<CallPlan, 'waits' | 'poll'>): 'good' | 'again' | 'bad'
  /** Whether `Retry-After` puts a retry off. */
  readonly heeds_retry_after: boolean
  /** The task's response, as compact JSON, made of an answer's text. */
  response(text: string): string
}

/** What is written of a call after an attempt; its destination is that of `url`. */
export type CallChange = Pick<
  Call,
  'step' | 'state' | 'url' | 'result_url' | 'due_at' | 'failure_count' | 'unknown_streak'
>

/** What becomes of the task, null leaving it as it is, and of the call. */
export type CallMove = {
  task: { verb: Extract<TaskVerb, 'complete' | 'fail'> | CallVerb; input: VerbInput } | null
  call: CallChange
}

/** A call with what it is made for. */
export type CallContext = { call: Call; plan: CallPlan; request: RequestPlan; report: CallReport }

// So many attempts in a row that nobody saw end are more likely our fault than bad luck.
const UNKNOWN_STREAK_LIMIT = 5
const UNKNOWN_LONG_WAIT_MS = 3_600_000
const LONGEST_RETRY_AFTER_MS = 3_600_000
// Refusals of a poll in a row after which it is no use (asyncqueue contract §7), and failures of reading a result.
const REFUSALS_MAX = 3

/** The wait before the `retry`th retry, counted from 1, in milliseconds (asyncqueue contract §2): without jitter. */
export const backoffMs = ({ backoff }: Pick<RequestPlan, 'backoff'>, retry: number): number =>
  1000 * (backoff === 'linear' ? retry : 2 ** (retry - 1))

/** Decides what an answer that came at `now` (milliseconds) means. */
export function afterCall(state: CallContext, answer: CallAnswer, rules: CallRules, now: number): CallMove {
  if (answer.kind === 'unknown') return unseen(state, now)
  if (answer.kind === 'unusable') return failed(state, answer.error)
  switch (state.call.step) {
    case 'request':
      return afterRequest(state, answer, rules, now)
    case 'poll':
      return afterPoll(state, answer, rules, now)
    case 'result':
      return afterResult(state, answer, rules, now)
  }
}

type Seen = Extract<CallAnswer, { kind: 'answered' | 'unanswered' }>

function afterRequest(state: CallContext, answer: Seen, rules: CallRules, now: number): CallMove {
  const { plan, request, call } = state
  const verdict = answer.kind === 'answered' ? rules.verdict(answer.status, plan) : 'again'
  if (verdict === 'again') {
    const retry = call.failure_count + 1
    if (retry > request.retries) return failed(state, answer.error ?? 'The request failed.')
    const wait_ms = Math.max(backoffMs(request, retry), rules.heeds_retry_after ? wishOf(answer) : 0)
    return { task: { verb: 'retry', input: {} }, call: again(state, now + wait_ms, { failure_count: retry }) }
  }
  if (answer.kind !== 'answered' || verdict === 'bad')
    return failed(state, answer.error ?? `The request was answered, but the answer is no good.`)
  if (plan.poll !== null) return beginPolling(state, plan.poll, answer, now)
  if (plan.waits) {
    const input = plan.wait_ms === null ? {} : { expires_at: now + plan.wait_ms }
    return { task: { verb: 'listen', input }, call: ended(state) }
  }
  return completed(state, answer, { text: answer.body, duration_ms: answer.duration_ms }, rules)
}

function beginPolling(state: CallContext, poll: PollPlan, { body }: Answered, now: number): CallMove {
  try {
    const { url_template, result_url_template } = poll
    const templates = result_url_template === null ? [url_template] : [url_template, result_url_template]
    const [url = '', result_url = null] = fillTemplates(templates, body)
    return {
      task: { verb: 'poll', input: { expires_at: now + poll.max_duration_ms } },
      call: again(state, now + poll.interval_ms, { url, result_url, step: 'poll', failure_count: 0 }),
    }
  } catch (error) {
    if (error instanceof TemplateError) return failed(state, error.message)
    throw error
  }
}

function afterPoll(state: CallContext, answer: Seen, rules: CallRules, now: number): CallMove {
  const { plan, call } = state
  if (plan.poll === null) return failed(state, 'The task has nothing to poll.')
  const { interval_ms, status_path, done_values, fail_values, result_path, error_path } = plan.poll
  const later = (failure_count: number): CallMove => ({
    task: null,
    call: again(state, now + Math.max(interval_ms, wishOf(answer)), { failure_count }),
  })
  if (answer.kind === 'unanswered' || isPassing(answer.status)) return later(0)
  if (answer.status >= 400) {
    const refusals = call.failure_count + 1
    return refusals < REFUSALS_MAX ? later(refusals) : failed(state, `Polling failed. ${answer.error}`)
  }
  const { body } = answer
  const values = valuesIn(body, [status_path, result_path, error_path])
  const status = plainText(values.get(status_path))
  if (status === undefined) return later(0)
  if (fail_values.includes(status)) return failed(state, reportedError(values, { error_path, status }))
  if (!done_values.includes(status)) return later(0)
  if (call.result_url !== null) {
    const next = { step: 'result', url: call.result_url, failure_count: 0 } as const
    return { task: null, call: again(state, now, next) }
  }
  return completed(state, answer, polled(state, resultOf(body, values, result_path), now), rules)
}

function afterResult(state: CallContext, answer: Seen, rules: CallRules, now: number): CallMove {
  const { plan, call } = state
  const { interval_ms = 0, result_path = '', error_path = null } = plan.poll ?? {}
  if (answer.kind === 'unanswered' || isPassing(answer.status)) {
    const failures = call.failure_count + 1
    if (failures >= REFUSALS_MAX) return failed(state, `Reading the result failed. ${answer.error}`)
    return { task: null, call: again(state, now + interval_ms, { failure_count: failures }) }
  }
  const { body } = answer
  const values = valuesIn(body, [result_path, error_path])
  if (answer.status >= 400) {
    const said = error_path === null ? undefined : plainText(values.get(error_path))
    return failed(state, said ?? `Reading the result failed. ${answer.error}`)
  }
  return completed(state, answer, polled(state, resultOf(body, values, result_path), now), rules)
}

function unseen(state: CallContext, now: number): CallMove {
  const unknown_streak = state.call.unknown_streak + 1
  const wait_ms = unknown_streak >= UNKNOWN_STREAK_LIMIT ? UNKNOWN_LONG_WAIT_MS : 0
  return {
    task: state.call.step === 'request' ? { verb: 'retry', input: {} } : null,
    call: again(state, now + wait_ms, { unknown_streak }),
  }
}

/** What stands at some paths in an answer, and at `''` all of it; nothing where it is no JSON. */
const valuesIn = (body: string, paths: readonly (string | null)[]): Map<string, string> =>
  isJson(body) ? valuesAt(body, ['', ...paths.filter((path) => path !== null)]) : new Map()

/** What of an answer is the result: a path that leads nowhere gives all of it, so that nothing is lost. */
const resultOf = (body: string, values: ReadonlyMap<string, string>, result_path: string): string =>
  values.get(result_path) ?? values.get('') ?? body

const polled = ({ report }: CallContext, text: string, now: number) => ({
  text,
  duration_ms: report.started_at === null ? 0 : now - report.started_at,
})

function completed(
  state: CallContext,
  { status, headers }: Answered,
  { text, duration_ms }: { text: string; duration_ms: number },
  rules: CallRules,
): CallMove {
  const call_report = print({ ...state.report, answer: { status, headers, duration_ms } })
  const input = { response: rules.response(text), call_report }
  return { task: { verb: 'complete', input }, call: ended(state) }
}

const failed = (state: CallContext, message: string): CallMove => ({
  task: { verb: 'fail', input: { error: print({ message }) } },
  call: ended(state),
})

const keep = ({ call: { step, url, result_url, failure_count } }: CallContext) => ({
  step,
  url,
  result_url,
  failure_count,
})

const again = (state: CallContext, due_at: number, changes: Partial<CallChange>): CallChange => ({
  ...keep(state),
  state: 'pending',
  due_at,
  unknown_streak: 0,
  ...changes,
})

const ended = (state: CallContext): CallChange => ({
  ...keep(state),
  state: 'ended',
  due_at: null,
  unknown_streak: 0,
})

/** Whether a status may be another soon. */
const isPassing = (status: number) => status >= 500 || status === 408 || status === 425 || status === 429

const wishOf = (answer: Seen): number =>
  answer.kind === 'answered' ? Math.min(answer.retry_after_ms ?? 0, LONGEST_RETRY_AFTER_MS) : 0
