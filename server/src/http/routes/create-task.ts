// Creating a task: a row for others to work on, or one that Ringback calls somebody for. Everything is judged before anything is
// written, and all of it is written at once.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { callerOf, type Caller } from '../../dialects/caller.ts'
import { draftTask } from '../../dialects/create-task.ts'
import { draftCall } from '../../dialects/draft-call.ts'
import { nativeCalls } from '../../dialects/native/calls.ts'
import { presentTask } from '../../dialects/native/present.ts'
import { assertTokens } from '../../dialects/vault.ts'
import type { CallPlan } from '../../domain/call.ts'
import { AppError } from '../../domain/errors.ts'
import { members, print } from '../../domain/json.ts'
import type { NewCall } from '../../store/call-verbs.ts'
import { callPlanOf } from '../call-plan.ts'
import { createCallbackId } from '../callback-id.ts'
import type { Deps } from '../deps.ts'
import { guarded, type Guard } from '../idempotency.ts'
import { json } from '../route.ts'
import type { CreateTask } from '../schemas/task.ts'

/** Creates the task that a request asks for; gives undefined when its idempotency key is taken meanwhile. */
export async function createTask(
  deps: Deps,
  request: FastifyRequest<{ Body: Static<typeof CreateTask> }>,
  reply: FastifyReply,
  guard: Guard | null,
): Promise<string | undefined> {
  const { newId, config, store } = deps
  const caller = callerOf(request)
  const { front } = deps.dialects.get(caller.project.dialect)
  if (front !== null) {
    throw new AppError(
      'invalid_request',
      `Tasks of this project are created by its customers, under ${front.mount}`,
    )
  }
  const { body } = request
  const texts = members(request.text)
  const plan = callPlanOf(body, texts, store.now())
  const callbackId = createCallbackId(deps, config)
  const draft = await draftTask(deps, caller, {
    id: newId(),
    type: body.type ?? 'task',
    status: plan?.request ? 'pending' : 'waiting',
    params: texts.get('params') ?? '{}',
    metadata: texts.get('metadata') ?? '{}',
    unique_id: body.unique_id ?? null,
    callback_url: body.callback_url ?? null,
    callback_hash: callbackId.hash,
    call_plan: plan === null ? null : print(plan),
    expires_in_s: body.expires_in_s,
  })
  const { created_at, expires_at } = draft.task
  if (plan?.not_before && expires_at !== null && plan.not_before >= expires_at) {
    throw new AppError(
      'invalid_request',
      'not_before: the task would have expired by then; take an earlier time, or a longer expires_in_s',
    )
  }
  const call = await callOf(deps, caller, plan, {
    callback_id: plan?.waits ? callbackId.shown.callback_id : null,
    now: created_at,
  })
  const answer = print({ ...presentTask(draft.task), ...callbackId.shown })
  const result = await store.createTask({ ...draft, call, idempotency: guarded(guard, 201, answer) })
  switch (result.kind) {
    case 'created':
      return json(reply, 201, answer)
    case 'unique_id_taken':
      throw new AppError(
        'unique_id_taken',
        'unique_id: another task has it; take another, or use that task',
        {
          task_id: result.task_id,
        },
      )
    case 'idempotency_key_taken':
      return undefined
  }
}

/** What is called first, judged; null where nothing is. */
async function callOf(
  { egress, store }: Deps,
  { scope }: Caller,
  plan: CallPlan | null,
  { callback_id, now }: { callback_id: string | null; now: number },
): Promise<NewCall | null> {
  if (plan === null || plan.request === null) return null
  const { request } = plan
  await assertTokens(store, scope, request.headers, 'request.headers')
  const { placeholder } = nativeCalls
  return draftCall(
    { egress },
    scope,
    { ...plan, request },
    {
      placeholder,
      callback_id,
      now,
      fields: { url: 'request.url', poll: 'poll.url_template', result: 'poll.result_url_template' },
    },
  )
}
