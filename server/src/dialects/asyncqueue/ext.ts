// What a task keeps of its creation that its plan does not say: numbers and times as they were given, and the hash of its signal
// token, whose text nobody is shown twice.
import { print } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'

/** A task's own fields, as kept in `ext`. */
export type Ext = {
  max_wait_s: number
  timeout_s: number
  delay_until: string | null
  /** The id of the provider's template that was asked for. */
  provider: string | null
  /** SHA-256 of the signal token; null without `waitForSignal`. */
  signal_hash: string | null
}

/** Prints what a task keeps. */
export const printExt = (ext: Ext): string => print(ext)

/** Reads what a task keeps. */
export function readExt({ id, ext }: Pick<Task, 'id' | 'ext'>): Ext {
  if (ext === null) throw new Error(`Task ${id} was made by no customer of this dialect`)
  return JSON.parse(ext) as Ext
}
