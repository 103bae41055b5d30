// What only Scale knows of a task: its project, batch, tags and audits. It is the JSON of `tasks.ext`, read and written here
// alone; what a worker needs stands in `params` instead, since the native view does not show it.
import type { Task } from '../../domain/task.ts'

/** An audit as kept. `round` counts the recalls before it: a verdict repeats only one of its own round. */
export type Audit = {
  audited_at: number
  audit_result: 'accepted' | 'rejected' | 'fixed'
  audit_source: 'customer' | 'scale'
  comments?: string
  round: number
}

/** Scale's own fields of a task; `audits` are newest first. */
export type Extras = {
  project?: string
  batch?: string
  priority?: number
  urgency?: string
  tags?: readonly string[]
  clear_unique_id_on_error?: true
  audits?: readonly Audit[]
  recalls?: number
}

/** Reads a task's extras. */
export const extrasOf = ({ ext }: Pick<Task, 'ext'>): Extras =>
  ext === null ? {} : (JSON.parse(ext) as Extras)

/** The text of extras, for `tasks.ext`. */
export const extrasText = (extras: Extras): string => JSON.stringify(extras)

/** The labels by which a task is found again by its project, its batch and its tags. */
export const labelsOf = ({ project, batch, tags = [] }: Extras): string[] => [
  ...(project === undefined ? [] : [label('project', project)]),
  ...(batch === undefined ? [] : [label('batch', batch)]),
  ...tags.map((tag) => label('tag', tag)),
]

/** One such label. */
export const label = (kind: 'project' | 'batch' | 'tag', text: string): string => `${kind}=${text}`
