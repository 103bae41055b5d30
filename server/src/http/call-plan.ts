// From the fields of a new task to the plan of what is called for it, and to what its inbound URL's callers mean. The schemas have
// looked at each field; here is what depends on several, on a template, or on the time.
import type { Static } from 'typebox'
import { assertCallHeaders } from '../dialects/call-headers.ts'
import { tellsInbound } from '../dialects/draft-call.ts'
import { nativeCalls } from '../dialects/native/calls.ts'
import type { CallPlan, PollPlan, RequestPlan, ResolvePlan } from '../domain/call.ts'
import { parseTarget } from '../domain/destination.ts'
import { AppError } from '../domain/errors.ts'
import { members } from '../domain/json.ts'
import { templateFault } from '../domain/template.ts'
import { pollPlanOf, providerOf, type PollTemplate } from '../providers/index.ts'
import type { NewPoll, NewRequest, NewResolve } from './schemas/call.ts'
import type { CreateTask } from './schemas/task.ts'
import { timeOf } from './time.ts'

// A year may have a day more.
const FURTHEST_MS = 366 * 86_400_000
const PRIORITY = 5

const invalid = (detail: string) => new AppError('invalid_request', detail)

/**
 * The plan that the body of `POST /v1/tasks` asks for, or null when it asks for nothing but a task; `texts` are the members of its
 * text. Throws `invalid_request` naming the field.
 */
export function callPlanOf(
  body: Static<typeof CreateTask>,
  texts: ReadonlyMap<string, string>,
  now: number,
): CallPlan | null {
  const { request, poll, resolve, not_before } = body
  if (request === undefined) {
    const orphan = poll !== undefined ? 'poll' : not_before !== undefined ? 'not_before' : null
    if (orphan !== null)
      throw invalid(`${orphan}: needs a request to go with; add request, or remove ${orphan}`)
    if (resolve === undefined) return null
  }
  const requested = request === undefined ? null : requestPlanOf(request, texts.get('request') ?? '{}')
  return {
    request: requested,
    not_before: not_before === undefined ? null : beginOf(not_before, now),
    waits: requested !== null && tellsInbound(requested, nativeCalls.placeholder),
    wait_ms: null,
    poll: poll === undefined ? null : pollOf(poll),
    resolve: resolve === undefined ? null : resolveOf(resolve),
  }
}

function beginOf(not_before: string, now: number): number {
  const time = timeOf('not_before', not_before)
  if (time <= now + FURTHEST_MS) return time
  throw invalid('not_before: is more than a year ahead; take an earlier time')
}

function requestPlanOf(
  {
    url,
    method = 'POST',
    headers = {},
    timeout_s = 30,
    retries = 3,
    backoff = 'exponential',
  }: Static<typeof NewRequest>,
  text: string,
): RequestPlan {
  assertCallHeaders(headers, 'request.headers')
  const body = bodyOf(members(text).get('body') ?? 'null')
  if (body !== null && method === 'GET')
    throw invalid('request.body: a GET has none; remove it, or take another method')
  return { url, method, headers, body, timeout_ms: timeout_s * 1000, retries, backoff, priority: PRIORITY }
}

/** What is sent: a string is the body itself, null is none, and any other JSON goes as it was written. */
function bodyOf(json: string): string | null {
  if (json === 'null') return null
  if (!json.startsWith('"')) return json
  const text = JSON.parse(json) as string
  if (text.isWellFormed()) return text
  throw invalid('request.body: has half a surrogate pair, which is no character; send whole ones')
}

function pollOf({ provider, ...given }: Static<typeof NewPoll>): PollPlan {
  const { url_template, status_path, done_values, fail_values, ...rest }: Partial<PollTemplate> = {
    ...(provider === undefined ? undefined : providerOf(provider)?.poll),
    ...given,
  }
  if (url_template === undefined || status_path === undefined || !done_values || !fail_values)
    throw lacking('poll', { url_template, status_path, done_values, fail_values })
  assertTemplate(url_template, 'poll.url_template')
  if (rest.result_url_template) assertTemplate(rest.result_url_template, 'poll.result_url_template')
  assertApart({ done_values, fail_values }, 'poll')
  return pollPlanOf({
    url_template,
    status_path,
    done_values,
    fail_values,
    interval_s: rest.interval_s ?? 5,
    max_duration_s: rest.max_duration_s ?? 600,
    result_path: rest.result_path ?? '',
    result_url_template: rest.result_url_template ?? null,
    error_path: rest.error_path ?? null,
    forward_auth: rest.forward_auth ?? true,
  })
}

function resolveOf({ provider, ...given }: Static<typeof NewResolve>): ResolvePlan {
  const {
    status_path,
    done_values,
    fail_values,
    ignore_values = [],
    error_path = null,
  }: Partial<ResolvePlan> = {
    ...(provider === undefined ? undefined : providerOf(provider)?.resolve),
    ...given,
  }
  if (status_path === undefined || !done_values || !fail_values)
    throw lacking('resolve', { status_path, done_values, fail_values })
  assertApart({ done_values, fail_values, ignore_values }, 'resolve')
  return { status_path, done_values, fail_values, ignore_values, error_path }
}

function lacking(field: string, needed: Readonly<Record<string, unknown>>): AppError {
  const names = Object.entries(needed).flatMap(([name, value]) =>
    value === undefined ? `${field}.${name}` : [],
  )
  return invalid(`${names.join(', ')}: required, unless ${field}.provider names a template`)
}

function assertTemplate(template: string, field: string): void {
  const fault = template.isWellFormed() ? templateFault(template) : 'has half a surrogate pair'
  if (fault !== undefined) throw invalid(`${field}: ${fault}`)
  // Whatever it is filled with is percent-encoded, unless the whole URL is the provider's.
  if (!template.startsWith('{')) parseTarget(template.replaceAll(/\{[^{}]*\}/g, 'x'), field)
}

/** Something has to end it well, and one word cannot mean two things. */
function assertApart(
  lists: Readonly<Record<string, readonly string[]>> & { done_values: readonly string[] },
  field: string,
): void {
  if (lists.done_values.length === 0)
    throw invalid(`${field}.done_values: is empty; name the status that ends it well`)
  const seen = new Map<string, string>()
  for (const [name, words] of Object.entries(lists)) {
    for (const word of new Set(words)) {
      const other = seen.get(word)
      if (other !== undefined)
        throw invalid(`${field}.${name}: has ${JSON.stringify(word)}, as has ${field}.${other}; keep one`)
      seen.set(word, name)
    }
  }
}
