// Our states in the platform's numbers (contract §4) and words. A task whose audit rejected it is `completed` with us, but
// there it is being worked on again, so a number stands for pairs of status and verdict.
import type { EventType } from '../../domain/event.ts'
import {
  auditVerdicts,
  taskStatuses,
  type AuditVerdict,
  type Task,
  type TaskStatus,
} from '../../domain/task.ts'

const WORKED_ON = 3

// 4, 5 and 8 (waiting for submission, paused, submission failed) have no cause with us.
const numbers: Record<TaskStatus, number> = {
  pending: 1,
  waiting: 2,
  processing: WORKED_ON,
  polling: WORKED_ON,
  failed: 6,
  suspended: 7,
  completed: 9,
  canceled: 10,
  expired: 10,
}

const words: Record<number, string> = {
  1: 'waiting for distribution',
  2: 'distributed',
  3: 'being worked on',
  6: 'error',
  7: 'suspended',
  9: 'completed',
  10: 'error',
}

/** The platform's numbers: 1 to 10. */
export const LAST_STATUS = 10

type State = Pick<Task, 'status' | 'audit_status'>

/** A task's state in the platform's number. */
export const statusNumber = ({ status, audit_status }: State): number =>
  status === 'completed' && audit_status === 'rejected' ? WORKED_ON : numbers[status]

/** A task's state in a word: that of a callback where one tells of it. */
export const statusWord = (state: State): string => words[statusNumber(state)] ?? ''

/** All states that have this number; none has 4, 5 or 8. */
export const statesOf = (number: number): [TaskStatus, AuditVerdict | null][] =>
  taskStatuses
    .flatMap((status) =>
      [null, ...auditVerdicts].map((verdict): [TaskStatus, AuditVerdict | null] => [status, verdict]),
    )
    .filter(([status, audit_status]) => statusNumber({ status, audit_status }) === number)

/** What a callback says of each event that customers are told of (contract §5.1); of the others they are not. */
export const callbackStatus: Partial<Record<EventType, 'completed' | 'error'>> = {
  'task.errored': 'error',
  'task.failed': 'error',
  'task.canceled': 'error',
  'task.expired': 'error',
  'task.completed': 'completed',
  'task.audit.approved': 'completed',
  'task.audit.rejected': 'completed',
  'task.audit.fixed': 'completed',
}
