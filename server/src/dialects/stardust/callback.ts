// The callback's body (contract §5.4) and what is read from it again when an attempt is made: its headers depend on the
// AccessKey in whose name the task was made, and of the task nothing but these frozen bytes is at hand then.
import type { TaskEvent } from '../../domain/event.ts'
import { print } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import { presentTask, publicId } from './present.ts'
import { callbackStatus } from './status.ts'

/** The bytes of an event's callback, or null when customers are not told of it. `task.status` is the same word as `status`. */
export function printCallback(event: TaskEvent, task: Task): string | null {
  const status = callbackStatus[event.type]
  if (status === undefined) return null
  return print({ taskId: publicId(task), status, task: presentTask(task, { status, at: event.created_at }) })
}

const LAST_MEMBER = /"accessKeyId":"(\w+)"\}\}$/
const LONGEST_MEMBER = 200

/** The AccessKey id in a callback. What a customer's record says cannot be taken for it, since it stands last. */
export function accessKeyIn(body: string): string {
  const [, id] = LAST_MEMBER.exec(body.slice(-LONGEST_MEMBER)) ?? []
  if (id === undefined) throw new Error('This callback names no AccessKey to sign with')
  return id
}

/** The task's id in a callback. */
export const taskIdIn = (body: string): string => /^\{"taskId":"([\w-]+)"/.exec(body)?.[1] ?? ''
