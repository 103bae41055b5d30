// The clients' log. An entry is written before its request leaves and gets its status when the answer is there, so that
// whatever the server may know is in the log; a status of null says that the client never learned what became of it.
import type { TaskView } from './api.ts'

/**
 * `inbound` is a POST to the task's one-time URL, `fix` an audit that gives a new response; the others are the operator's
 * calls.
 */
export type Verb = Resolver | 'edit' | 'audit' | 'fix'
export type Resolver = 'complete' | 'inbound' | 'cancel'

/** Whether a verb resolves a task, which only one may; the others change a completed one, any number of times. */
export const isResolver = (verb: Verb): verb is Resolver =>
  verb === 'complete' || verb === 'inbound' || verb === 'cancel'

/** One request about a task that exists; `value` goes with it and comes back in its event, so no two deeds share one. */
export type Deed = { verb: Verb; value: unknown; status: number | null }

export type NewTask = {
  type: string
  params: unknown
  metadata: unknown
  unique_id: string
  callback_url: string
}

/** What a deed's value is where only text can be sent. */
export const textOf = (value: unknown): string => JSON.stringify(value)

/** A task as its client lived through it; `boot` numbers the server process that was asked to create it. */
export type Story = {
  boot: number
  sent: NewTask
  /** The answer to its creation. */
  status: number | null
  task: (TaskView & { callback_id: string }) | null
  deeds: Deed[]
}

export type Journal = {
  stories: Story[]
  /** Tasks whose client does not know whether they are resolved, for others to try again. */
  unsure: Story[]
}

/** What the status of an answer means to a client: done, refused by the task's state, turned away at the door, unknown. */
export type Meaning = 'done' | 'refused' | 'turned_away' | 'unknown' | 'unexpected'

/** Reads a status; `unexpected` is a fault of the server whatever the request was. */
export function meaningOf(status: number | null): Meaning {
  if (status === null) return 'unknown'
  if (status >= 200 && status < 300) return 'done'
  if (status === 404 || status === 409) return 'refused'
  return status === 503 ? 'turned_away' : 'unexpected'
}
