// What a verb does to the call of its task. Whoever settles a task, or takes it into their own hands, ends what is called for it;
// a suspended task's call rests; a restarted task has its request made again.
import { hash } from 'node:crypto'
import { planOf } from '../domain/call.ts'
import { isOpen, type CallVerb, type Task, type TaskVerb } from '../domain/task.ts'
import type { CallWrite } from '../store/call-verbs.ts'
import type { Sources } from './credentials.ts'
import type { DialectCalls } from './dialect.ts'
import { newCall, tellsInbound } from './draft-call.ts'

/** A verb's consequence for the call, and for what the task keeps of its callback id. */
export type CallConsequence = {
  call: CallWrite | null
  task: Partial<Pick<Task, 'callback_hash' | 'callback_used'>>
}

const nothing: CallConsequence = { call: null, task: {} }

/** Decides it for `verb`, which has made `task` what it is; calls settle their own rows. */
export function callConsequence(
  { calls, randomBytes }: { calls: DialectCalls | null; randomBytes: Sources['randomBytes'] },
  verb: TaskVerb | CallVerb,
  task: Task,
): CallConsequence {
  if (task.call_plan === null || calls === null) return nothing
  if (verb === 'suspend') return { call: { kind: 'hold' }, task: {} }
  if (verb === 'resume') return { call: { kind: 'resume' }, task: {} }
  if (verb === 'restart') return restarted(calls, randomBytes, task)
  const endsIt = !isOpen(task.status) || verb === 'start' || verb === 'await'
  return endsIt ? { call: { kind: 'end' }, task: {} } : nothing
}

function restarted(calls: DialectCalls, randomBytes: Sources['randomBytes'], task: Task): CallConsequence {
  const { request = null, not_before = null } = planOf(task) ?? {}
  if (request === null) return nothing
  const callback_id = tellsInbound(request, calls.placeholder) ? randomBytes(32).toString('hex') : null
  const fresh =
    callback_id === null ? {} : { callback_hash: hash('sha256', callback_id), callback_used: 0 as const }
  const call = newCall(task, request, {
    placeholder: calls.placeholder,
    callback_id,
    due_at: Math.max(task.updated_at, not_before ?? 0),
  })
  return { call: { kind: 'restart', ...call }, task: fresh }
}
