// A dialect is the wire language of a project's customers: how a callback is written, signed and retried, and what words
// stand for our states. The engine and the verbs know this interface only; a dialect's routes are its own business.
import type { RetryPolicy } from '../domain/delivery.ts'
import type { TaskEvent } from '../domain/event.ts'
import type { Project, Secret } from '../domain/project.ts'
import type { Task, TaskStatus } from '../domain/task.ts'
import type { Ready } from '../store/store.ts'
import type { Work } from './work.ts'

/** What an attempt's headers depend on besides the delivery: all secrets of the project, newest first. */
export type AttemptContext = {
  secrets: readonly Secret[]
  /** 1 for the first attempt of a delivery. */
  attempt: number
  /** The time of this attempt, in milliseconds. */
  now: number
}

/** A dialect. Every function is pure but for caches. */
export type Dialect = {
  readonly name: string
  /** The bytes of an event's callback, made once when the event happens; `task` is the row after the event. */
  callback(event: TaskEvent, task: Task): string
  /** The headers of one attempt, names in lower case, made anew each time. Throws when the project has no usable secret. */
  headers(ready: Ready, context: AttemptContext): Record<string, string>
  /** How a project's deliveries are retried. */
  policy(project: Project): RetryPolicy
  /** The id of a task in the answers to its customers and to whoever uses its inbound URL. */
  publicId(task: Task): string
  /** The dialect's word for a status. */
  statusWord(status: TaskStatus): string
  /** Works on the records of its projects that are due. */
  work?: Work
}

/** Finds a dialect by its name; throws for one that this program does not have. */
export type Dialects = { get(name: string): Dialect; names: readonly string[] }
