// A dialect is the wire language of a project's customers: how a callback is written, signed and retried, what words stand
// for our states, and the routes its customers call. The engine and the verbs know this interface only.
import type { CallRules } from '../domain/call-step.ts'
import type { RetryPolicy } from '../domain/delivery.ts'
import type { TaskEvent } from '../domain/event.ts'
import type { Mode, Project, ProjectSettings, Secret } from '../domain/project.ts'
import type { Task } from '../domain/task.ts'
import type { Ready } from '../store/store.ts'
import type { Front, WorkDeps } from './front.ts'
import type { Work } from './work.ts'

/** What an attempt's headers depend on besides the delivery: all secrets of the project, newest first. */
export type AttemptContext = {
  secrets: readonly Secret[]
  /** 1 for the first attempt of a delivery. */
  attempt: number
  /** The time of this attempt, in milliseconds. */
  now: number
}

/** What the credentials of a dialect's projects look like; an operator's keys are the same everywhere (`rb_op_…`). */
export type CredentialForms = {
  /** What a customer's key begins with; 48 hex digits follow. */
  readonly key_prefix: Readonly<Record<Mode, string>>
  /** What a callback auth key begins with; 48 hex digits follow. */
  readonly auth_prefix: Readonly<Record<Mode, string>>
  /** Makes a new signing secret. */
  signingSecret(randomBytes: (size: number) => Buffer): string
  /** Further names under which the dialect's customers know what a new project's credentials show. */
  aliases?(shown: { live_key: string; signing_secret: string }): Record<string, string>
}

/** How a dialect's tasks have something called for them. */
export type DialectCalls = CallRules & {
  /** What stands for the inbound URL in a request's URL, body and header values. */
  readonly placeholder: string
  /** The path of the inbound URL; a callback id follows. */
  readonly inbound_path: string
  /** Headers of a target call besides its own, names in lower case, made anew for each attempt; `body` is what is sent. */
  headers(call: { mode: Mode; body: string | null }, context: AttemptContext): Record<string, string>
}

/** A dialect. Every function is pure but for caches. */
export type Dialect = {
  readonly name: string
  readonly credentials: CredentialForms
  /** What its new projects have other than our defaults. */
  readonly settings: Partial<ProjectSettings>
  /** What an event changes of a task's fields that are the dialect's own, before its callback is made. */
  amend?(event: TaskEvent, task: Task): Partial<Pick<Task, 'ext' | 'unique_id'>>
  /**
   * The bytes of an event's callback, made once when the event happens, or null when its customers are not told of it; `task`
   * is the row after the event.
   */
  callback(event: TaskEvent, task: Task): string | null
  /** The headers of one attempt, names in lower case, made anew each time. Throws when the project has no usable secret. */
  headers(ready: Ready, context: AttemptContext): Record<string, string>
  /** The headers of the mail of one attempt, `subject` among them, when the destination is an address (mail-headers.ts). */
  mailHeaders(ready: Ready, context: AttemptContext): Record<string, string>
  /** How a project's deliveries are retried. */
  policy(project: Project): RetryPolicy
  /** The id of a task in the answers to its customers and to whoever uses its inbound URL. */
  publicId(task: Task): string
  /** The dialect's word for a task's state at `now` (milliseconds). */
  statusWord(task: Task, now: number): string
  /** Null where nothing is ever called for a task. */
  readonly calls: DialectCalls | null
  /** Its customers' routes; the native ones are the API's own. */
  readonly front: Front | null
  /** Makes the work on the records of its projects that are due. */
  work?(deps: WorkDeps): Work
}

/** Finds a dialect by its name; throws for one that this program does not have. */
export type Dialects = { get(name: string): Dialect; all: readonly Dialect[] }
