// What a provider reports of its work in the body of a callback, by the task's plan. Nothing is guessed: a word that the plan does
// not know is neither success nor failure.
import type { ResolvePlan } from './call.ts'
import { textAt } from './json-path.ts'

/** What a callback's body says; `unclear` carries why it says nothing, as one sentence. */
export type Reported =
  | { kind: 'done' }
  | { kind: 'failed'; message: string }
  | { kind: 'progress' }
  | { kind: 'unclear'; reason: string }

const SHOWN_CHARS = 100

/** Reads a callback's body, which is valid JSON; without a plan anything completes the task. */
export function reported(plan: ResolvePlan | null, body: string): Reported {
  if (plan === null) return { kind: 'done' }
  const { status_path, done_values, fail_values, ignore_values, error_path } = plan
  const status = textAt(body, status_path)
  const place = `"${status_path}" (resolve.status_path)`
  if (status === undefined) return { kind: 'unclear', reason: `The body has no status at ${place}` }
  if (done_values.includes(status)) return { kind: 'done' }
  if (fail_values.includes(status))
    return { kind: 'failed', message: reportedError(body, error_path, status) }
  if (ignore_values.includes(status)) return { kind: 'progress' }
  const found = JSON.stringify(status.slice(0, SHOWN_CHARS))
  return {
    kind: 'unclear',
    reason: `The body has ${found} at ${place}, which is none of the done_values, fail_values and ignore_values of resolve`,
  }
}

/** What a provider says of its failure, or that it reported one. */
export const reportedError = (body: string, error_path: string | null, status: string): string =>
  (error_path === null ? undefined : textAt(body, error_path)) ??
  `The provider reported the status "${status}".`
