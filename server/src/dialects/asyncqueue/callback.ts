// The completion webhook (contract §4.2): nothing of the request, no team, and no secret is in it.
import type { EventType, TaskEvent } from '../../domain/event.ts'
import { print } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import { presentOutcome } from './present.ts'
import { statusWord } from './status.ts'

// What the staff do to a task that is done is none of these, and neither is what its customer did.
const told: ReadonlySet<EventType> = new Set([
  'task.completed',
  'task.failed',
  'task.errored',
  'task.expired',
])

/** The body of an event's webhook, or null when its customer is not told. */
export function callbackBody({ type, created_at }: TaskEvent, task: Task): string | null {
  if (!told.has(type)) return null
  const status = statusWord(task, created_at)
  return print({ event: `task.${status}`, task: { id: task.id, status, ...presentOutcome(task) } })
}
