// Scale's words for our states, and its results: four statuses, of which `error` carries an explanation as its response
// (contract §3). Both directions are made from one table, so that a filter finds what the word says.
import { takeMember, valuesAt } from '../../domain/json-path.ts'
import { print, verbatim, Verbatim } from '../../domain/json.ts'
import { taskStatuses, type AuditVerdict, type Task, type TaskStatus } from '../../domain/task.ts'

const words = {
  pending: 'pending',
  processing: 'pending',
  waiting: 'pending',
  polling: 'pending',
  suspended: 'pending',
  completed: 'completed',
  failed: 'error',
  canceled: 'canceled',
  // Nobody did it in time: of Scale's four words the one that its customers look at.
  expired: 'error',
} as const satisfies Record<TaskStatus, string>

/** A status as Scale's customers know it. */
export type StatusWord = (typeof words)[TaskStatus]

export const statusWords = ['pending', 'completed', 'error', 'canceled'] as const satisfies StatusWord[]

/** Scale's word for a task's status. */
export const statusWord = ({ status }: Pick<Task, 'status'>): StatusWord => words[status]

/** Our statuses behind a word; none for what is no word of Scale's. */
export const statusesOf = (word: string): TaskStatus[] =>
  taskStatuses.filter((status) => words[status] === word)

/** Scale's words for the verdicts of an audit. */
export const auditResults = {
  approved: 'accepted',
  rejected: 'rejected',
  fixed: 'fixed',
} as const satisfies Record<AuditVerdict, string>

/** A task's response: its result, or what went wrong; null before there is either. */
export function responseOf(task: Pick<Task, 'status' | 'response' | 'error'>): Verbatim | null {
  const { status, response, error } = task
  if (status === 'completed') return verbatim(response) ?? new Verbatim('{}')
  if (words[status] !== 'error') return null
  return new Verbatim(error === null ? print({ error: 'The task was not done in time' }) : explain(error))
}

/** An error as Scale has it: the message as `error`, and beside it what `details` has, such as `attachments` or `frames`. */
function explain(error: string): string {
  const said = valuesAt(error, ['message', 'details'])
  const details = said.get('details') ?? ''
  const beside = details.startsWith('{') ? takeMember(details, 'error').rest.slice(1, -1) : ''
  return `{"error":${said.get('message') ?? '""'}${beside === '' ? '' : `,${beside}`}}`
}
