// What of a process's memory a delivery or a call takes while it is under way, roughly, in bytes.
import type { Task } from './task.ts'

/** The most that is small: as many as an engine has places for are half of the bytes it has. */
export const SMALL_BYTES = 16 * 1024

/** Whether one that weighs so much need not wait for its bytes. */
export const isSmall = (bytes: number): boolean => bytes <= SMALL_BYTES

// As text, and once more as what goes over the wire.
const COPIES = 2

/** Of a body of so many bytes. */
export const bodyWeight = (length: number): number => COPIES * length

/** The longest body that is small, in bytes. */
export const SMALL_BODY = SMALL_BYTES / COPIES

/** Of a delivery. */
export const deliveryBytes = ({ body }: { body: string }): number => bodyWeight(Buffer.byteLength(body))

/** Of the texts of a task, in UTF-16 units. */
export const taskLength = (task: Task): number =>
  [task.params, task.response, task.error, task.metadata, task.ext, task.call_plan, task.call_report].reduce(
    (sum, text) => sum + (text?.length ?? 0),
    0,
  )

/** Of a call: what its request is made of. */
export const callBytes = ({ task }: { task: Pick<Task, 'call_plan' | 'params'> }): number =>
  Buffer.byteLength(task.call_plan ?? '') + Buffer.byteLength(task.params)
