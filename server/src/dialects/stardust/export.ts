// The results of a project's complete tasks in one answer (contract §3.5), which has no pages.
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { elements } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import type { TaskFilter } from '../../store/store.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { chunksOf, listAnswer } from '../task-list.ts'
import { aroundList } from './answer.ts'
import { illegalParameter } from './envelope.ts'
import { fieldsOf, optionalText, readId, requiredId, type Fields } from './fields.ts'
import { projectLabel } from './import-line.ts'
import { presentResult } from './present.ts'
import { statesOf } from './status.ts'
import { parseWallTime } from './wall-time.ts'

const COMPLETE = 9
const MOST_IDS = 1000

/** Makes the route of exports. */
export const exportRoute =
  ({ store }: FrontDeps) =>
  (request: FastifyRequest, reply: FastifyReply): Promise<string | Readable> => {
    const { scope } = callerOf(request)
    const chunks = chunksOf(store, scope, { filter: filterOf(fieldsOf(request)), range: { order: 'oldest' } })
    const present = ({ response }: Task) => presentResult(response)
    return listAnswer(chunks, { ...aroundList(reply, { annotationResultList: [] }), present })
  }

function filterOf(fields: Fields): TaskFilter {
  const project_id = requiredId(fields, 'projectId')
  const from = timeOf(fields, 'completeTimeAfter')
  const to = timeOf(fields, 'completeTimeBefore')
  const ids = idsOf(fields)
  return {
    labels: [[projectLabel(project_id)]],
    states: statesOf(COMPLETE),
    ...(from === undefined ? {} : { completed_from: from }),
    ...(to === undefined ? {} : { completed_to: to }),
    ...(ids === undefined ? {} : { ids }),
  }
}

function timeOf(fields: Fields, name: string): number | undefined {
  const text = optionalText(fields, name)
  if (text === undefined) return undefined
  const time_ms = parseWallTime(text)
  if (time_ms === undefined) throw illegalParameter(`${name}: must be a date such as 2024-05-01`)
  return time_ms
}

function idsOf(fields: Fields): string[] | undefined {
  const text = fields.get('taskIds')
  if (text === undefined) return undefined
  if (!text.startsWith('[')) throw illegalParameter('taskIds: must be an array of task ids')
  const ids = elements(text).map((id, i) => readId(id, `taskIds[${i}]`))
  if (ids.length > MOST_IDS) throw illegalParameter(`taskIds: at most ${MOST_IDS} at a time`)
  return ids
}
