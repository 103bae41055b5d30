// Reading, listing and cancelling tasks (contract §1.3).
import { AppError } from '../../domain/errors.ts'
import type { Task } from '../../domain/task.ts'
import type { TaskFilter } from '../../store/store.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { chunksOf, listAnswer, membersBehind } from '../task-list.ts'
import { answer, JSON_TYPE, type Handler, type Request } from './answer.ts'
import { invalid, queryNumber, queryText } from './fields.ts'
import { presentTask } from './present.ts'
import { filterOf, statusWord, statusWords } from './status.ts'

const LONGEST_WAIT_S = 25
const OFFSET_MAX = 1_000_000_000
const TOTAL_MAX = 10_000

/** Makes these routes. */
export function taskRoutes({ store, verbs, untilMoved }: FrontDeps) {
  async function named(request: Request): Promise<Task> {
    const task = await store.findTask(callerOf(request).scope, request.params.id.toLowerCase())
    if (task === undefined) throw new AppError('not_found', 'Task not found')
    return task
  }

  return {
    get: async (request, reply) => {
      const wait_s = queryNumber(request, 'wait', { low: 0, high: LONGEST_WAIT_S, other: 0 })
      const task = await named(request)
      const shown = await untilMoved(task, { wait_ms: wait_s * 1000, whileIn: [task.status], reply })
      return answer(reply, 200, { task: presentTask(shown, store.now()) })
    },

    list: async (request, reply) => {
      const { scope } = callerOf(request)
      const now = store.now()
      const filter = filterOfQuery(queryText(request, 'status'), now)
      const limit = Math.floor(queryNumber(request, 'limit', { low: 1, high: 100, other: 20 }))
      const offset = Math.floor(queryNumber(request, 'offset', { low: 0, high: OFFSET_MAX, other: 0 }))
      const total = await store.countTasks(scope, filter, TOTAL_MAX)
      reply.code(200).type(JSON_TYPE)
      return listAnswer(chunksOf(store, scope, { filter, range: { order: 'newest', limit, offset } }), {
        before: '{"tasks":[',
        present: (task) => presentTask(task, now),
        behind: ({ has_more }) => membersBehind({ pagination: { total, limit, offset, hasMore: has_more } }),
      })
    },

    cancel: async (request, reply) => {
      const isCancellable = (task: Task) => ['pending', 'delayed'].includes(statusWord(task, store.now()))
      const { kind, task } = await verbs.tryApply(
        await named(request),
        'cancel',
        {},
        { stillValid: isCancellable },
      )
      const now = store.now()
      if (kind === 'done') return answer(reply, 200, { task: presentTask(task, now) })
      throw new AppError('invalid_transition', `Task cannot be cancelled (current: ${statusWord(task, now)})`)
    },
  } satisfies Record<string, Handler>
}

function filterOfQuery(word: string | undefined, now: number): TaskFilter {
  if (word === undefined) return {}
  const filter = filterOf(word, now)
  if (filter !== undefined) return filter
  throw invalid('status', `must be one of ${statusWords.join(', ')}`)
}
