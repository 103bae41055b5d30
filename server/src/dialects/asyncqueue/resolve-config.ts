// `resolve`, which is ours and not AsyncQueue's: what the body of an inbound callback means. With AsyncQueue any callback completes
// its task, the provider's failure report included; who would rather have that fail it says so here.
import type { ResolvePlan } from '../../domain/call.ts'
import type { Printable } from '../../domain/json.ts'
import { providerOf, providers } from '../../providers/index.ts'
import { fieldsOf, invalid, type Fields } from './fields.ts'

const LONGEST_PATH = 255

/** What callbacks of the task of a request mean: given as an object, or as the id of a provider whose callbacks we know. */
export function readResolve(fields: Fields): ResolvePlan | null {
  if (typeof fields.given('resolve') === 'string') {
    const map = providerOf(String(fields.given('resolve')))?.resolve ?? null
    if (map !== null) return map
    const known = providers.filter(({ resolve }) => resolve !== null).map(({ id }) => id)
    throw invalid('resolve', `must be an object, or one of ${known.join(', ')}`)
  }
  const given = fields.object('resolve')
  if (given === undefined) return null
  const config = fieldsOf(given, 'resolve')
  return {
    status_path: config.required('statusPath', { longest: LONGEST_PATH }),
    done_values: config.texts('doneValues', { fewest: 0 }) ?? [],
    fail_values: config.texts('failValues', { fewest: 0 }) ?? [],
    ignore_values: config.texts('ignoreValues', { fewest: 0 }) ?? [],
    error_path: config.text('errorPath', { longest: LONGEST_PATH }) ?? null,
  }
}

/** The meaning of callbacks as `resolve`. */
export const presentResolve = (resolve: ResolvePlan): Printable => ({
  statusPath: resolve.status_path,
  doneValues: resolve.done_values,
  failValues: resolve.fail_values,
  ignoreValues: resolve.ignore_values,
  errorPath: resolve.error_path ?? undefined,
})
