// What a task of this dialect has besides ours, in `tasks.ext`: compact JSON whose members are kept as texts, so that ids
// beyond 2^53 survive.
import { members, print, verbatim } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'

/** Each a JSON text. */
export type Ext = {
  /** The id of the AccessKey that made the task: keys are stored as hashes, and callbacks are signed in its name. */
  access_key: string
  project_id: string
  project_name: string
  /** The labelling tools of its project, as they were when the task was made. */
  operators: string
  file_name: string
}

/** Prints what a task keeps. */
export const printExt = (ext: Ext): string =>
  print(Object.fromEntries(Object.entries(ext).map(([name, text]) => [name, verbatim(text)])))

/** Reads what a task keeps. */
export function readExt({ id, ext }: Pick<Task, 'id' | 'ext'>): Ext {
  if (ext === null) throw new Error(`Task ${id} was made by no customer of this dialect`)
  return Object.fromEntries(members(ext)) as Ext
}
