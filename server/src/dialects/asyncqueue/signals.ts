// Signals (contract §2, §7): whoever holds a task's signal token says how it ended, once. The order of checks is that of the inbound
// URL: rate, token, state, then the body, so that a bad body never burns a token.
import { reportOf } from '../../domain/call.ts'
import { AppError } from '../../domain/errors.ts'
import { members, print } from '../../domain/json.ts'
import { isOverdue, isResolvable, type Task, type VerbInput } from '../../domain/task.ts'
import type { FrontDeps } from '../front.ts'
import { answer, type Handler, type Request } from './answer.ts'
import { signalHash } from './create.ts'
import { readExt } from './ext.ts'
import { bodyOf, fieldsOf, invalid } from './fields.ts'
import { presentTask } from './present.ts'
import { statusWord } from './status.ts'

const LONGEST_ERROR = 10_000
const OUTCOMES = ['completed', 'failed'] as const

/** Makes the hook that keeps addresses within the limit of inbound URLs. */
export const createAddressLimit =
  ({ store, limitInbound }: Pick<FrontDeps, 'store' | 'limitInbound'>) =>
  async ({ ip }: Pick<Request, 'ip'>): Promise<void> => {
    const wait_ms = limitInbound(ip, store.now())
    if (wait_ms === 0) return
    throw new AppError('rate_limited', 'Rate limit exceeded', { retry_after_s: Math.ceil(wait_ms / 1000) })
  }

/** Makes the handler of `POST /v1/signals/:token`, and the hook that refuses before it whatever has no use for a body. */
export function signalRoutes({ store, verbs }: FrontDeps) {
  const gone = () => new AppError('not_found', 'Invalid or expired signal token')

  /** Throws what is in the way of a signal, if anything is. */
  function assertSignalable(task: Task): void {
    const now = store.now()
    if (isUsed(task) || task.status === 'expired' || isOverdue(task, now)) throw gone()
    if (isResolvable(task.status)) return
    throw new AppError(
      'invalid_transition',
      `Task is not in waiting state (current: ${statusWord(task, now)})`,
    )
  }

  async function signaled({ params: { token } }: Request): Promise<Task> {
    const signal_hash = signalHash(token)
    const task = await store.findTaskByCallback(signal_hash)
    // A callback id is found here, too, and is no signal token.
    if (task === undefined || readExt(task).signal_hash !== signal_hash) throw gone()
    return task
  }

  const check = async (request: Request): Promise<void> => assertSignalable(await signaled(request))

  const signal: Handler = async (request, reply) => {
    const task = await signaled(request)
    assertSignalable(task)
    const { verb, input } = readSignal(request)
    const call_report = print({ ...reportOf(task), signaled: true })
    const applied = await verbs.tryApply(
      task,
      verb,
      { ...input, call_report },
      { stillValid: (at) => !isUsed(at) && isResolvable(at.status) },
    )
    if (applied.kind !== 'done') {
      assertSignalable(applied.task)
      throw gone()
    }
    return answer(reply, 200, { task: presentTask(applied.task, store.now()) })
  }
  return { check, signal }
}

const isUsed = (task: Task): boolean => reportOf(task).signaled === true

function readSignal(request: Request): { verb: 'complete' | 'fail'; input: VerbInput } {
  const fields = fieldsOf(bodyOf(request))
  const status = fields.word('status', OUTCOMES)
  if (status === undefined) throw invalid('status', `is required: ${OUTCOMES.join(' or ')}`)
  const message = fields.text('error', { longest: LONGEST_ERROR }) ?? 'A signal said that the task failed.'
  if (status === 'failed') return { verb: 'fail', input: { error: print({ message }) } }
  const response = members(request.text).get('result')
  return { verb: 'complete', input: response === undefined ? {} : { response } }
}
