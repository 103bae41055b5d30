// AsyncQueue's words for our states (contract §2). It knows no suspension: a halted task shows the state that it will go on from.
// Both directions are made from one table, so that a filter finds what the word says.
import { planOf, reportOf } from '../../domain/call.ts'
import type { Task, TaskStatus } from '../../domain/task.ts'
import type { TaskFilter } from '../../store/store.ts'

const words = {
  pending: 'pending',
  processing: 'processing',
  waiting: 'waiting',
  polling: 'polling',
  completed: 'completed',
  failed: 'failed',
  canceled: 'cancelled',
  expired: 'timeout',
} as const satisfies Record<Exclude<TaskStatus, 'suspended'>, string>

const statuses = Object.keys(words) as (keyof typeof words)[]

/** A task's state as its customers know it. */
export type StatusWord = (typeof words)[keyof typeof words] | 'delayed'

export const statusWords: readonly StatusWord[] = ['delayed', ...Object.values(words)]

type State = Pick<Task, 'status' | 'resume_status' | 'call_plan' | 'call_report'>

/** The word for a task's state at `now` (milliseconds): until its `delayUntil` a new one is `delayed`. */
export function statusWord(task: State, now: number): StatusWord {
  const status = goingOn(task)
  return status === 'pending' && isDelayed(task, now) ? 'delayed' : words[status]
}

function goingOn({ status, resume_status }: State): keyof typeof words {
  if (status !== 'suspended') return status
  return resume_status === null || resume_status === 'suspended' ? 'pending' : resume_status
}

const isDelayed = (task: State, now: number): boolean =>
  reportOf(task).started_at === null && (planOf(task)?.not_before ?? 0) > now

/** The tasks that have this word at `now`; undefined for what is no word of AsyncQueue's. */
export function filterOf(word: string, now: number): TaskFilter | undefined {
  if (word === 'delayed') return { resumed_statuses: ['pending'], first_call_after: now }
  const found = statuses.filter((status) => words[status] === word)
  if (found.length === 0) return undefined
  return { resumed_statuses: found, ...(word === 'pending' ? { first_call_by: now } : {}) }
}
