// Times in requests. The schema has looked at their form; what has the form and is no time, such as a leap second, shows here.
import { AppError } from '../domain/errors.ts'

/** Reads the time in a field, in milliseconds; throws `invalid_request`. */
export function timeOf(field: string, text: string): number {
  const time = Date.parse(text)
  if (!Number.isNaN(time)) return time
  throw new AppError(
    'invalid_request',
    `${field}: is no time that there is; use one like 2026-11-20T08:00:00Z`,
  )
}
