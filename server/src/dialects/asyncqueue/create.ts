// Making a task (contract §1.1, §1.2). Its callback id and its signal token are shown in this one answer: the id is kept sealed
// until the call has told it, and of the token nothing but a hash is.
import { hash } from 'node:crypto'
import { print } from '../../domain/json.ts'
import { callerOf } from '../caller.ts'
import { draftTask } from '../create-task.ts'
import { assertHttpUrl, draftCall, tellsInbound } from '../draft-call.ts'
import type { FrontDeps } from '../front.ts'
import { assertTokens } from '../vault.ts'
import { answer, type Handler } from './answer.ts'
import { asyncqueueCalls } from './calls.ts'
import { printExt } from './ext.ts'
import { bodyOf } from './fields.ts'
import { readPlan } from './plan.ts'
import { presentTask } from './present.ts'

const SECRET_BYTES = 32

/** Makes the handler of `POST /v1/tasks`. */
export const createRoute =
  (deps: FrontDeps): Handler =>
  async (request, reply) => {
    const { store, config, newId, randomBytes } = deps
    const caller = callerOf(request)
    const now = store.now()
    const { plan, ext, onCompleteUrl } = readPlan(bodyOf(request), now)
    await assertTokens(store, caller.scope, plan.request.headers, 'headers')
    const secret = (isWanted: boolean) => (isWanted ? randomBytes(SECRET_BYTES).toString('hex') : null)
    const { placeholder, inbound_path } = asyncqueueCalls
    const callback_id = secret(tellsInbound(plan.request, placeholder))
    const call = await draftCall(deps, caller.scope, plan, {
      placeholder,
      callback_id,
      now,
      fields: {
        url: 'targetUrl',
        poll: 'pollConfig.urlTemplate',
        result: 'pollConfig.resultUrlTemplate',
      },
    })
    const signalToken = secret(plan.waits)
    const signal_hash = signalToken === null ? null : signalHash(signalToken)
    const draft = await draftTask(deps, caller, {
      id: newId(),
      type: 'task',
      params: '{}',
      metadata: '{}',
      unique_id: null,
      callback_url: webhookUrl(onCompleteUrl),
      callback_field: 'onCompleteUrl',
      callback_hash: callback_id === null ? null : hash('sha256', callback_id),
      call_plan: print(plan),
      // Its deadlines begin when it waits or is polled; a project's own would end it before it is called.
      expires_in_s: null,
      ext: printExt({ ...ext, signal_hash }),
    })
    await store.createTask({
      ...draft,
      idempotency: null,
      call,
      hashes: signal_hash === null ? [] : [signal_hash],
    })
    return answer(reply, 201, {
      task: { ...presentTask(draft.task, now), callbackId: callback_id },
      signalToken: signalToken ?? undefined,
      callbackUrl: callback_id === null ? undefined : config.public_url + inbound_path + callback_id,
    })
  }

/** What of a signal token is kept, and by which its task is found. */
export const signalHash = (token: string): string => hash('sha256', token)

/** A webhook goes to a URL; the project's default may be an address, too. */
function webhookUrl(onCompleteUrl: string | null): string | null {
  if (onCompleteUrl !== null) assertHttpUrl(onCompleteUrl, 'onCompleteUrl')
  return onCompleteUrl
}
