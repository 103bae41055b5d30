// One task, a page of them, and their callbacks again (contract §3.3, §3.4, §5.6). The platform's projects are not ours: they
// are a label on the tasks of one AccessKey's owner.
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { isOpen, type Task } from '../../domain/task.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { lastEventOf, resend } from '../resend.ts'
import { chunksOf, listAnswer } from '../task-list.ts'
import { answer, aroundList } from './answer.ts'
import { illegalParameter } from './envelope.ts'
import { readExt } from './ext.ts'
import { fieldsOf, optionalWhole, requiredId } from './fields.ts'
import { projectLabel } from './import-line.ts'
import { presentSummary, presentTask } from './present.ts'
import { LAST_STATUS, statesOf, statusNumber } from './status.ts'

const MOST_ROWS = 100
const PAGES_MAX = 1_000_000
const COUNT_MAX = 10_000
const LATEST_MS = Date.UTC(9999, 11, 31)

/** Makes the routes of tasks. */
export function taskRoutes(deps: FrontDeps) {
  const { store } = deps
  async function get(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const fields = fieldsOf(request)
    const project_id = requiredId(fields, 'projectId')
    const task_id = requiredId(fields, 'taskId')
    const task = await store.findTask(callerOf(request).scope, task_id)
    if (task === undefined || readExt(task).project_id !== project_id) {
      throw new AppError('not_found', `taskId: there is no task ${task_id} in project ${project_id}`)
    }
    return answer(reply, presentTask(task, { status: statusNumber(task), at: store.now() }))
  }

  async function list(request: FastifyRequest, reply: FastifyReply): Promise<string | Readable> {
    const { scope } = callerOf(request)
    const fields = fieldsOf(request)
    const project_id = requiredId(fields, 'projectId')
    const status = optionalWhole(fields, 'status', { least: 1, most: LAST_STATUS })
    const start = optionalWhole(fields, 'startTime', { least: 0, most: LATEST_MS })
    const end = optionalWhole(fields, 'endTime', { least: 0, most: LATEST_MS })
    // The number of a page, whatever its name says.
    const page = optionalWhole(fields, 'offset', { least: 1, most: PAGES_MAX }) ?? 1
    const limit = optionalWhole(fields, 'limit', { least: 1, most: MOST_ROWS }) ?? 10
    const filter = {
      labels: [[projectLabel(project_id)]],
      ...(status === undefined ? {} : { states: statesOf(status) }),
      ...(start === undefined ? {} : { created_from: start }),
      ...(end === undefined ? {} : { created_to: end + 1 }),
    }
    const count = await store.countTasks(scope, filter, COUNT_MAX)
    const range = { order: 'newest', limit, offset: (page - 1) * limit } as const
    const frame = { ...aroundList(reply, { count, data: [] }), present: presentSummary }
    return listAnswer(chunksOf(store, scope, { filter, range }), frame)
  }

  async function sendAgain(
    request: FastifyRequest<{ Params: { taskId: string } }>,
    reply: FastifyReply,
  ): Promise<string> {
    const caller = callerOf(request)
    const { taskId } = request.params
    const task = await store.findTask(caller.scope, taskId)
    if (task === undefined) throw illegalParameter(`taskId: there is no task ${taskId}`)
    await resend(deps, caller, await lastEventOf(store, settled(task)))
    return answer(reply, null)
  }

  return { get, list, resend: sendAgain }
}

/** The task, unless it has been taken up again since its last callback. */
function settled(task: Task): Task {
  if (!isOpen(task.status)) return task
  throw illegalParameter(`taskId: task ${task.external_id ?? task.id} is neither complete nor in error now`)
}
