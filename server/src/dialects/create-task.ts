// A new task from whoever asks for it: its callback URL is judged and its row completed, so that it can be written at once.
import type { Task } from '../domain/task.ts'
import type { Destination, Store } from '../store/store.ts'
import { destinationOf, type Judge } from './callback-url.ts'
import type { Caller } from './caller.ts'

/** What a creator decides of a task; JSON members are compact texts. */
export type TaskDraft = Pick<Task, 'id' | 'type' | 'params' | 'metadata' | 'unique_id'> &
  Partial<Pick<Task, 'external_id' | 'ext' | 'status' | 'callback_hash' | 'call_plan'>> & {
    /** Null takes the project's default. */
    callback_url: string | null
    /** The name of that field where its creator knows it by another. */
    callback_field?: string
    /** Undefined takes the project's default. */
    expires_in_s?: number | null | undefined
  }

/** A task that is ready to be written. */
export type NewTask = { task: Task; destination: Destination | null }

/** Completes a draft. Throws `invalid_callback_url`, `mail_not_configured` and `destination_forbidden`. */
export async function draftTask(
  deps: Judge & { store: Pick<Store, 'now'> },
  { scope, project: { settings } }: Pick<Caller, 'scope' | 'project'>,
  draft: TaskDraft,
): Promise<NewTask> {
  const { expires_in_s = settings.expires_in_s, callback_field, ...given } = draft
  const callback_url = draft.callback_url ?? settings.default_callback_url
  const destination = await destinationOf(deps, scope, callback_url, callback_field)
  const now = deps.store.now()
  const task: Task = {
    external_id: null,
    status: 'pending',
    ext: null,
    call_plan: null,
    callback_hash: null,
    ...given,
    ...scope,
    resume_status: null,
    audit_status: null,
    response: null,
    error: null,
    call_report: null,
    callback_url,
    destination_id: destination?.id ?? null,
    callback_succeeded: null,
    callback_succeeded_at: null,
    callback_used: 0,
    event_count: 0,
    last_told: null,
    created_at: now,
    updated_at: now,
    completed_at: null,
    expires_at: expires_in_s === null ? null : now + expires_in_s * 1000,
    version: 1,
  }
  return { task, destination }
}
