// The verbs of a task (native contract §2): one line of table each. What they mean is in domain/task.ts.
import type { FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import { presentTask } from '../../dialects/native/present.ts'
import { AppError } from '../../domain/errors.ts'
import { members, print } from '../../domain/json.ts'
import type { AuditVerdict, TaskVerb, VerbInput } from '../../domain/task.ts'
import { callerOf } from '../../dialects/caller.ts'
import { createCallbackId } from '../callback-id.ts'
import type { Deps } from '../deps.ts'
import { json, route, type Route } from '../route.ts'
import {
  AuditTask,
  AwaitTask,
  CancelTask,
  CompleteTask,
  EditTask,
  FailTask,
  NoBody,
  RecallTask,
  SuspendTask,
} from '../schemas/task.ts'
import { taskOf } from './tasks.ts'

const verbs: [verb: Exclude<TaskVerb, 'await'>, body: TSchema, summary: string][] = [
  ['start', NoBody, 'Say that work on it began'],
  ['complete', CompleteTask, 'Complete it with a response'],
  ['fail', FailTask, 'Fail it with an error'],
  ['cancel', CancelTask, 'Cancel it'],
  ['expire', NoBody, 'Expire it before its time'],
  ['suspend', SuspendTask, 'Halt it'],
  ['resume', NoBody, 'Let it go on from where it was halted'],
  ['edit', EditTask, 'Replace the response of a completed task'],
  ['audit', AuditTask, 'Approve, reject or fix a completed task'],
  ['recall', RecallTask, 'Take a completed or failed task back for another go'],
  ['restart', NoBody, 'Begin a failed, canceled or expired task again'],
]

type VerbBody = { during?: 'setup'; reason?: string; verdict?: AuditVerdict; comments?: string }

/** Makes the routes /v1/tasks/:id/<verb>, by verb. */
export function verbRoutes(deps: Deps): Map<TaskVerb, Route> {
  const routes = new Map<TaskVerb, Route>([['await', awaitRoute(deps)]])
  for (const [verb, body, summary] of verbs) {
    routes.set(
      verb,
      route({
        id: `${verb}Task`,
        summary,
        tag: 'Tasks',
        body,
        answers: { 200: 'Task' },
        async handler(request, reply) {
          const task = await taskOf(deps.store, callerOf(request), request.params.id)
          const after = await deps.verbs.apply(task, verb, inputOf(request))
          return json(reply, 200, print(presentTask(after)))
        },
      }),
    )
  }
  return routes
}

function inputOf(request: FastifyRequest): VerbInput {
  const { during, reason, verdict, comments } = request.body as VerbBody
  const texts = members(request.text)
  const response = texts.get('response')
  const error = texts.get('error')
  if (verdict !== undefined && verdict !== 'fixed' && response !== undefined) {
    throw new AppError('invalid_request', 'response: only the verdict fixed carries a new one')
  }
  return {
    ...(response === undefined ? {} : { response }),
    ...(error === undefined ? {} : { error }),
    ...(during === undefined ? {} : { during }),
    ...(reason === undefined ? {} : { reason }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(comments === undefined ? {} : { comments }),
  }
}

/** `await` alone mints a new callback id, and so is the only verb that answers with a secret. */
const awaitRoute = (deps: Deps): Route =>
  route({
    id: 'awaitTask',
    summary: 'Let it wait for its inbound URL; mints a new one, the old one dies',
    tag: 'Tasks',
    body: AwaitTask,
    answers: { 200: 'TaskCreated' },
    async handler(request, reply) {
      const task = await taskOf(deps.store, callerOf(request), request.params.id)
      const { shown, hash } = createCallbackId(deps, deps.config)
      const { expires_in_s } = request.body
      const after = await deps.verbs.apply(task, 'await', {
        callback_hash: hash,
        ...(expires_in_s === undefined ? {} : { expires_at: deps.store.now() + expires_in_s * 1000 }),
      })
      return json(reply, 200, print({ ...presentTask(after), ...shown }))
    },
  })
