// The results of a project's complete tasks in one answer (contract §3.5). It has no pages, so what would be too much for one
// is refused with the remedy, before it is held in memory.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { elements, print, Verbatim } from '../../domain/json.ts'
import type { TaskFilter } from '../../store/store.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { chunksOf } from '../task-list.ts'
import { answer } from './answer.ts'
import { illegalParameter } from './envelope.ts'
import { fieldsOf, optionalText, readId, requiredId, type Fields } from './fields.ts'
import { projectLabel } from './import-line.ts'
import { presentResult } from './present.ts'
import { statesOf } from './status.ts'
import { parseWallTime } from './wall-time.ts'

const COMPLETE = 9
const MOST_IDS = 1000
const MOST_CHARS = 32 * 1024 * 1024

/** Makes the route of exports. */
export const exportRoute =
  ({ store }: FrontDeps) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<string> => {
    const { scope } = callerOf(request)
    const filter = filterOf(fieldsOf(request))
    const results: string[] = []
    let chars = 0
    for await (const { rows } of chunksOf(store, scope, { filter, range: { order: 'oldest' } })) {
      for (const { response } of rows) {
        const text = print(presentResult(response))
        chars += text.length
        results.push(text)
      }
      if (chars > MOST_CHARS) {
        throw illegalParameter(
          'There are too many results for one answer; narrow it by completeTimeAfter, completeTimeBefore or taskIds',
        )
      }
    }
    return answer(reply, { annotationResultList: results.map((text) => new Verbatim(text)) })
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
