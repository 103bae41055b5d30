// What a provider reports of its work in the body of a callback, by the task's plan. Nothing is guessed: a word that the plan does
// not know is neither success nor failure.
import type { ResolvePlan } from './call.ts'
import { plainText, valuesAt } from './json-path.ts'

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
  const values = valuesAt(body, error_path === null ? [status_path] : [status_path, error_path])
  const status = plainText(values.get(status_path))
  const place = `"${status_path}" (resolve.status_path)`
  if (status === undefined) return { kind: 'unclear', reason: `The body has no status at ${place}` }
  if (done_values.includes(status)) return { kind: 'done' }
  if (fail_values.includes(status))
    return { kind: 'failed', message: reportedError(values, { error_path, status }) }
  if (ignore_values.includes(status)) return { kind: 'progress' }
  const found = JSON.stringify(status.slice(0, SHOWN_CHARS))
  return {
    kind: 'unclear',
    reason: `The body has ${found} at ${place}, which is none of the done_values, fail_values and ignore_values of resolve`,
  }
}

/** What a provider says of its failure in what it reported, found by path, or that it reported one. */
export const reportedError = (
  values: ReadonlyMap<string, string>,
  { error_path, status }: { error_path: string | null; status: string },
): string =>
  (error_path === null ? undefined : plainText(values.get(error_path))) ??
  `The provider reported the status "${status}".`
