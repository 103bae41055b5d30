// Whether a database has this program's schema, whichever of the two databases it is.
import { fail, ok, warn, type Finding } from '../../domain/finding.ts'
import { knownVersion } from '../migrate.ts'
import type { Flavor } from '../database.ts'

/** What is said of a database that `ringback copy` has begun to fill. */
export const unfinishedCopy: Finding = fail(
  'it is an unfinished copy',
  'run the same `ringback copy` again, which goes on with it',
)

/** Judges the schema version that a database has; 0 is none. */
export function judgeSchema(found: number, flavor: Flavor['name']): Finding {
  const known = knownVersion(flavor)
  if (found === 0) return ok('it is empty: the first start makes the tables')
  if (found > known) {
    return fail(
      `it has schema version ${found}, and this program knows ${known}`,
      'start the newer program, or restore an older backup',
    )
  }
  return found === known
    ? ok(`it has schema version ${found}, as this program`)
    : warn(
        `it has schema version ${found}, and this program brings ${known}`,
        'back it up; the next start, or `ringback migrate`, does the rest',
      )
}
