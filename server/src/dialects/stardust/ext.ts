// What a task of this dialect has besides ours, in `tasks.ext`: compact JSON whose members are kept as texts, so that ids
// beyond 2^53 survive. A task that an operator made through the native API has none of it.
import { members, print, verbatim } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'

/** JSON texts, but for the AccessKey's id. */
export type Ext = {
  /** The id of the AccessKey that made the task, or null. */
  access_key: string | null
  project_id: string
  project_name: string
  /** The labelling tools of its project, as they were when the task was made. */
  operators: string
  file_name: string
}

const none: Ext = {
  access_key: null,
  project_id: 'null',
  project_name: 'null',
  operators: '[]',
  file_name: 'null',
}

/** Prints what a task keeps. */
export const printExt = ({ access_key, ...texts }: Ext): string =>
  print({
    access_key,
    project_id: verbatim(texts.project_id),
    project_name: verbatim(texts.project_name),
    operators: verbatim(texts.operators),
    file_name: verbatim(texts.file_name),
  })

/** Reads what a task keeps. */
export function readExt({ ext }: Pick<Task, 'ext'>): Ext {
  if (ext === null) return none
  const { access_key, ...texts } = Object.fromEntries(members(ext)) as Record<keyof Ext, string>
  return {
    ...none,
    ...texts,
    access_key: access_key === undefined ? null : (JSON.parse(access_key) as string),
  }
}
