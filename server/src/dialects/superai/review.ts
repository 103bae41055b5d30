// Reviewing a job: replacing its output, marking it correct or not, or both, which are two verbs and two callbacks (contract
// §6.3). What changes nothing is told to nobody (§6.4).
import { AppError } from '../../domain/errors.ts'
import { isSameJson } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import type { Verbs } from '../apply.ts'
import { stateOf } from './job.ts'
import type { Body } from './request.ts'

type Review = { response: string | undefined; correct: boolean | undefined }

/** Reads a review. Throws `invalid_request` for an empty one, and for what is neither an object nor a verdict. */
export function reviewOf({ values, texts }: Body): Review {
  const { response = null, correct = null } = values
  if (response === null && correct === null) {
    throw new AppError('invalid_request', 'response, correct: give at least one of them')
  }
  if (typeof response !== 'object' || Array.isArray(response)) {
    throw new AppError('invalid_request', 'response: give an object; it replaces the whole output')
  }
  if (correct !== null && typeof correct !== 'boolean') {
    throw new AppError('invalid_request', 'correct: give true or false')
  }
  return { response: response === null ? undefined : texts.get('response'), correct: correct ?? undefined }
}

/** Reviews a job. Throws `invalid_transition` unless it is COMPLETED. */
export async function review(verbs: Verbs, task: Task, { response, correct }: Review): Promise<Task> {
  const edited =
    response === undefined
      ? task
      : await change(
          task,
          (job) => job.response === null || !isSameJson(job.response, response),
          (job, stillValid) => verbs.tryApply(job, 'edit', { response }, { stillValid }),
        )
  const verdict = correct === true ? 'approved' : 'rejected'
  return correct === undefined
    ? edited
    : change(
        edited,
        (job) => job.audit_status !== verdict,
        (job, stillValid) => verbs.tryApply(job, 'audit', { verdict }, { stillValid }),
      )
}

/** Applies a verb if it changes anything, judged on the very row that the verb is decided on. */
async function change(
  task: Task,
  differs: (task: Task) => boolean,
  apply: (task: Task, stillValid: (task: Task) => boolean) => ReturnType<Verbs['tryApply']>,
): Promise<Task> {
  const applied = await apply(task, (job) => job.status !== 'completed' || differs(job))
  if (applied.kind === 'done' || applied.task.status === 'completed') return applied.task
  throw new AppError(
    'invalid_transition',
    `The job is ${stateOf(applied.task)}; only a COMPLETED one has an output to review`,
  )
}
