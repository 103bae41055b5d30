// A task as a super.AI job: its words, its own fields and its object on the wire (contract §1.4, §2). Here the state is called
// `status`, in callbacks `state`; a job never carries its output.
import { print, verbatim, type Printable } from '../../domain/json.ts'
import type { Task, TaskStatus } from '../../domain/task.ts'

/** The states of a job (contract §2, the seed generation and PENDING). */
export const jobStates = [
  'PENDING',
  'SCHEDULED',
  'IN_PROGRESS',
  'COMPLETED',
  'FAILED',
  'CANCELED',
  'EXPIRED',
  'SUSPENDED',
] as const
export type JobState = (typeof jobStates)[number]

const words: Record<TaskStatus, JobState> = {
  pending: 'SCHEDULED',
  processing: 'IN_PROGRESS',
  waiting: 'IN_PROGRESS',
  polling: 'IN_PROGRESS',
  suspended: 'SUSPENDED',
  completed: 'COMPLETED',
  failed: 'FAILED',
  canceled: 'CANCELED',
  expired: 'EXPIRED',
}

/** A job's state. A parked one was born suspended, so it has nothing to resume but being queued. */
export const stateOf = ({ status, resume_status }: Pick<Task, 'status' | 'resume_status'>): JobState =>
  status === 'suspended' && resume_status === null ? 'PENDING' : words[status]

/** The statuses of the tasks whose jobs are in this state. */
export const statusesOf = (state: JobState): TaskStatus[] => {
  const word = state === 'PENDING' ? 'SUSPENDED' : state
  return (Object.keys(words) as TaskStatus[]).filter((status) => words[status] === word)
}

/** What a job has that a task has not, as kept in `ext`; a task's `type` is the job's app. */
export type JobFields = {
  batch_id: string
  tags: readonly string[]
  /** Whether its creator gave any metadata: without, it is null on the wire. */
  has_metadata: boolean
}

/** Prints `ext`. */
export const printFields = ({ batch_id, tags, has_metadata }: JobFields): string =>
  print({ batch_id, tags, has_metadata })

/** Reads `ext`. */
export const fieldsOf = ({ ext }: Pick<Task, 'ext'>): JobFields => JSON.parse(ext ?? '') as JobFields

/** The labels by which a job is found again. */
export const labelsOf = (app: string, { batch_id, tags }: JobFields): string[] => [
  appLabel(app),
  batchLabel(batch_id),
  ...tags.map(tagLabel),
]
export const appLabel = (app: string): string => `app=${app}`
export const batchLabel = (batch_id: string): string => `batch=${batch_id}`
export const tagLabel = (tag: string): string => `tag=${tag}`

/** The job object. */
export function presentJob(task: Task): { readonly [field: string]: Printable } {
  const { batch_id, tags, has_metadata } = fieldsOf(task)
  return {
    id: task.external_id,
    uuid: task.id,
    appId: task.type,
    batchId: batch_id,
    status: stateOf(task),
    input: verbatim(task.params),
    metadata: has_metadata ? verbatim(task.metadata) : null,
    tags,
    callbackUrl: task.callback_url,
    correct: verdicts[task.audit_status ?? 'fixed'],
    jobType: 'DEFAULT',
    created: offsetTime(task.created_at),
    completed: task.completed_at === null ? null : offsetTime(task.completed_at),
  }
}

// An auditor's fix says nothing on the output that now stands.
const verdicts = { approved: true, rejected: false, fixed: null } as const

/** Writes a time as `2024-03-05T09:10:11+00:00`, with microseconds where it is no whole second (contract §1.4). */
export function offsetTime(time_ms: number): string {
  const text = new Date(time_ms).toISOString()
  const fraction = time_ms % 1000 === 0 ? '' : `${text.slice(19, 23)}000`
  return `${text.slice(0, 19)}${fraction}+00:00`
}
