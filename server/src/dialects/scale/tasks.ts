// Reading tasks, and the verbs that customers have: cancel, audit, and sending the last callback again (contract §2.3).
import { AppError } from '../../domain/errors.ts'
import type { Task } from '../../domain/task.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { lastEventOf, resend } from '../resend.ts'
import { answering, type Request } from './answer.ts'
import { extrasOf } from './extras.ts'
import { bodyOf, booleanField, invalid } from './fields.ts'
import { presentAudit, presentTask } from './present.ts'
import { lastOf, type Query } from './query.ts'
import { statusWord } from './status.ts'
import { amendTask, findTask } from './task.ts'

const refused = (task: Task, what: string): AppError =>
  new AppError('invalid_transition', `A task that is ${statusWord(task)} cannot be ${what}`)

/** Makes the routes of single tasks that are no changes of their fields. */
export function taskRoutes(deps: FrontDeps) {
  const { verbs } = deps
  const named = (request: Request) => findTask(deps, request, request.params.id)

  return {
    get: answering(async (request) => presentTask(await named(request))),
    cancel: answering(async (request) => {
      const clear = booleanField(request.query as Query, 'clear_unique_id') === true
      const { task } = await verbs.tryApply(await named(request), 'cancel', {})
      if (task.status !== 'canceled') throw refused(task, 'canceled')
      if (!clear || task.unique_id === null) return presentTask(task)
      return presentTask(await amendTask(deps, task, () => ({ unique_id: null })))
    }),
    audit: answering(async (request) => {
      const task = await named(request)
      const { values } = bodyOf(request)
      const accepted = booleanField(values, 'accepted')
      if (accepted === undefined) throw invalid('accepted', 'required: true or false')
      const { comments } = values
      if (comments != null && typeof comments !== 'string') throw invalid('comments', 'must be a text')
      const audited = await verbs.tryApply(task, 'audit', {
        verdict: accepted ? 'approved' : 'rejected',
        by: 'customer',
        ...(comments == null || comments === '' ? {} : { comments }),
      })
      if (audited.kind === 'refused') throw refused(audited.task, 'audited; only a completed one is')
      return { success: true }
    }),
    sendCallback: answering(async (request) => {
      const task = await named(request)
      const word = statusWord(task)
      if (word !== 'completed' && word !== 'error') throw refused(task, 'sent again')
      await resend(deps, callerOf(request), await lastEventOf(deps.store, task))
      return { success: true }
    }),
    audits: answering(async (request) => {
      const query = request.query as Query
      const id = lastOf(query, 'task_id') ?? lastOf(query, 'id')
      if (id === undefined) throw invalid('task_id', 'required, but missing')
      const { audits = [] } = extrasOf(await findTask(deps, request, id))
      return audits.map((audit) => ({ task_id: id, ...presentAudit(audit) }))
    }),
  }
}
