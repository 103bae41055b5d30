// Which dialect works on a record: that of its project.
import type { StoredRecord } from '../domain/record.ts'
import type { WorkDeps } from './front.ts'
import type { Work } from './work.ts'

/** Makes the function that finds the work on a record; there is none when its project's dialect has no records that are due. */
export function createWorkOf(
  deps: WorkDeps,
): (record: Pick<StoredRecord, 'project_id'>) => Promise<Work | undefined> {
  const works = new Map(deps.dialects.all.map((dialect) => [dialect.name, dialect.work?.(deps)]))
  return async ({ project_id }) => {
    const project = await deps.directory.project(project_id)
    return project && works.get(project.dialect)
  }
}
