// What to say of an object that is not there. Ids tell the time they were made, so one that is older than its project keeps
// anything was deleted, as far as it ever was.
import { AppError } from '../domain/errors.ts'
import { timeOfId } from '../domain/id.ts'
import type { Caller } from '../dialects/caller.ts'

const DAY_MS = 86_400_000

/** The error for a missing object: `pruned` when its project would have deleted it by now, else `not_found`. */
export function missing(what: string, id: string, { project }: Caller, now: number): AppError {
  const { retention_days } = project.settings
  const made_at = timeOfId(id)
  return made_at !== null && made_at < now - retention_days * DAY_MS
    ? new AppError(
        'pruned',
        `There is no ${what} ${id} any more: this project keeps settled tasks for ${retention_days} days`,
      )
    : new AppError('not_found', `There is no ${what} ${id} for this key`)
}
