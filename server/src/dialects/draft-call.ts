// A task's call from its plan: judged where it is asked for, and made ready to be written. The inbound URL is told by a
// placeholder, so that neither the plan nor the row holds the callback id in the clear.
import type { CallPlan, RequestPlan } from '../domain/call.ts'
import { parseTarget } from '../domain/destination.ts'
import { AppError } from '../domain/errors.ts'
import type { Scope } from '../domain/project.ts'
import { originOf } from '../domain/template.ts'
import type { NewCall } from '../store/call-verbs.ts'
import type { Judge } from './callback-url.ts'
import { callDestination } from './destination-id.ts'

// Enough for anybody who wants to be called back. A body of 1 MB that was made of nothing else was sent with 6 MB, of which no bound knew.
const MOST_PLACEHOLDERS = 32

// As long as any callback id, so that what is judged is as long as what is called.
const SAMPLE_ID = '0'.repeat(64)

/** Whether a request tells its inbound URL. */
export const tellsInbound = ({ url, headers, body }: RequestPlan, placeholder: string): boolean =>
  [url, body ?? '', ...Object.values(headers)].some((text) => text.includes(placeholder))

/** Throws `invalid_request` for a request that tells its inbound URL too often. */
function assertTellsSeldom({ url, headers, body }: RequestPlan, placeholder: string): void {
  const count = [url, body ?? '', ...Object.values(headers)].join('\n').split(placeholder).length - 1
  if (count > MOST_PLACEHOLDERS)
    throw new AppError(
      'invalid_request',
      `${placeholder}: stands ${count} times in the request; at most ${MOST_PLACEHOLDERS} are filled in`,
    )
}

/** Throws `invalid_callback_url` naming `field` for anything but an absolute http(s) URL. */
export function assertHttpUrl(url: string, field: string): void {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw new AppError(
      'invalid_callback_url',
      `${field}: not an http(s) URL; give an absolute one, such as https://example.com/run`,
    )
  parseTarget(url, field)
}

/**
 * Makes a task's first call from its plan, whose URLs stand in `fields`. Throws `invalid_request`, `invalid_callback_url`, and
 * `destination_forbidden` with the reason; of a template as much is judged as no answer can change.
 */
export async function draftCall(
  { egress }: Pick<Judge, 'egress'>,
  scope: Scope,
  { request, poll, not_before }: CallPlan & { request: RequestPlan },
  {
    placeholder,
    callback_id,
    now,
    fields,
  }: {
    placeholder: string
    /** The plain text, or null when the request does not tell its inbound URL. */
    callback_id: string | null
    now: number
    fields: { url: string; poll: string; result: string }
  },
): Promise<NewCall> {
  assertTellsSeldom(request, placeholder)
  const url = request.url.replaceAll(placeholder, SAMPLE_ID)
  assertHttpUrl(url, fields.url)
  const judged = async (field: string, lead: URL | undefined) => {
    const verdict = lead && (await egress.checkUrl(lead))
    return verdict?.ok === false ? [`${field}: ${verdict.reason}`] : []
  }
  const refusals = await Promise.all([
    judged(fields.url, new URL(url)),
    judged(fields.poll, originOf(poll?.url_template ?? '')),
    judged(fields.result, originOf(poll?.result_url_template ?? '')),
  ])
  const [refusal] = refusals.flat()
  if (refusal !== undefined) throw new AppError('destination_forbidden', refusal)
  return newCall(scope, request, { placeholder, callback_id, due_at: Math.max(now, not_before ?? 0) })
}

/** The first call of a request that was judged before. */
export const newCall = (
  scope: Scope,
  { url, priority, timeout_ms }: RequestPlan,
  { placeholder, ...rest }: { placeholder: string; callback_id: string | null; due_at: number },
): NewCall => ({
  url,
  priority,
  timeout_ms,
  destination: callDestination(scope, parseTarget(url.replaceAll(placeholder, SAMPLE_ID), 'url').key),
  ...rest,
})
