// Scale's projects: a name, a task type, and versions of params that lie beneath those of its tasks. Not to be mistaken for
// ours: one of ours is a customer of the platform, who may have any number of these.
import { members, Verbatim, type Printable } from '../../domain/json.ts'
import type { Scope } from '../../domain/project.ts'
import type { StoredRecord } from '../../domain/record.ts'
import { isoTime } from '../../domain/time.ts'
import type { Store } from '../../store/store.ts'
import { recordOf } from './record.ts'

/** A version of a project's params; `params` is the text of an object. */
type Version = { version: number; created_at: number; params: string }

/** The body of a project's record; its versions, oldest first, are the last so many. */
export type ScaleProject = { type: string; versions: readonly Version[] }

const VERSIONS_MAX = 50

/** Reads a project's record. */
export const readProject = (record: StoredRecord): ScaleProject => JSON.parse(record.body) as ScaleProject

/** The project of this name; throws `not_found`. */
export async function projectOf(
  store: Pick<Store, 'findRecord'>,
  scope: Scope,
  name: string,
): Promise<{ record: StoredRecord; project: ScaleProject }> {
  const record = await recordOf(store, scope, 'project', name)
  return { record, project: readProject(record) }
}

/** The params that a project's tasks have unless they bring their own. */
export const projectParams = ({ versions }: ScaleProject): Map<string, string> =>
  members(versions.at(-1)?.params ?? '{}')

/** A project with one more version of its params. */
export const withParams = (project: ScaleProject, params: string, now: number): ScaleProject => ({
  ...project,
  versions: [
    ...project.versions,
    { version: (project.versions.at(-1)?.version ?? 0) + 1, created_at: now, params },
  ].slice(-VERSIONS_MAX),
})

/** A project as its customer sees it. */
export function presentProject(record: StoredRecord): Printable {
  const { type, versions } = readProject(record)
  return {
    name: record.key,
    type,
    created_at: isoTime(record.created_at),
    param_history: versions.map(({ version, created_at, params }) => ({
      ...Object.fromEntries(Array.from(members(params), ([name, text]) => [name, new Verbatim(text)])),
      version,
      created_at: isoTime(created_at),
    })),
  }
}
