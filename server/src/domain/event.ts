// An event is something that happened to a task that its customer is told about. It is written once, together with the
// bytes of its callback, and never changes.

export const eventTypes = [
  'task.errored',
  'task.completed',
  'task.failed',
  'task.canceled',
  'task.expired',
  'task.suspended',
  'task.edited',
  'task.audit.approved',
  'task.audit.rejected',
  'task.audit.fixed',
  'task.recalled',
] as const
export type EventType = (typeof eventTypes)[number]

/** A stored event. `sequence` counts the task's events from 1; `detail` is JSON text (reason, verdict, comments) or null. */
export type TaskEvent = {
  id: string
  task_id: string
  sequence: number
  type: EventType
  detail: string | null
  created_at: number
}
