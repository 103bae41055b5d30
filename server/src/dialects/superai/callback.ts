// The callback of a job: four texts and nothing else (contract §3.2), so the same body twice may be a repeat or a second edit.
// Its spacing is part of the contract: the bytes sent are those that Python's json.dumps(sort_keys=True) writes, so that both
// receivers that check the raw body and receivers that parse, sort and print it again find the signature good (§3.5).
import type { EventType, TaskEvent } from '../../domain/event.ts'
import type { Task } from '../../domain/task.ts'
import { stateOf } from './job.ts'

type Action = 'RESOLVED' | 'EDITED' | 'ACCEPTED' | 'DECLINED'

// RESOLVED says that a state was entered which customers are told of, not that it went well. A recalled job is scheduled
// again, of which they are not told.
const actions: Record<EventType, Action | null> = {
  'task.completed': 'RESOLVED',
  'task.failed': 'RESOLVED',
  'task.errored': 'RESOLVED',
  'task.canceled': 'RESOLVED',
  'task.expired': 'RESOLVED',
  'task.suspended': 'RESOLVED',
  'task.edited': 'EDITED',
  'task.audit.approved': 'ACCEPTED',
  'task.audit.rejected': 'DECLINED',
  'task.audit.fixed': 'EDITED',
  'task.recalled': null,
}

/** The body of an event's callback, or null when its customer is not told. */
export function callbackBody({ type }: Pick<TaskEvent, 'type'>, task: Task): string | null {
  const action = actions[type]
  if (action === null) return null
  const sorted = { action, id: task.external_id, state: stateOf(task), uuid: task.id }
  const members = Object.entries(sorted).map(([name, text]) => `"${name}": ${JSON.stringify(text)}`)
  return `{${members.join(', ')}}`
}
