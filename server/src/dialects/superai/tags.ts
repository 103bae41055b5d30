// Adding and removing tags of all jobs that a filter finds. No event happens; nobody is told (contract §3.3).
import { AppError } from '../../domain/errors.ts'
import type { Task } from '../../domain/task.ts'
import type { Store } from '../../store/store.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { chunksOf } from '../task-list.ts'
import { filterOf, type Query } from './filter.ts'
import { fieldsOf, labelsOf, printFields } from './job.ts'
import { appOf, bodyOf, tagsOf, TAGS_MAX, type Handler } from './request.ts'

// What one request changes; more would outlast its caller's patience.
const JOBS_MAX = 10_000
// How often a change looks again at a job that changed under it.
const ROUNDS_MAX = 20

type Retag = (tags: readonly string[]) => readonly string[]

/** Makes the routes of tags. */
export function tagRoutes({ store }: Pick<FrontDeps, 'store'>) {
  const route =
    (retagWith: (given: readonly string[]) => Retag): Handler =>
    async (request, reply) => {
      const given = tagsOf(bodyOf(request).values['tags'])
      const filter = filterOf(appOf(request), request.query as Query)
      const { scope } = callerOf(request)
      if ((await store.countTasks(scope, filter, JOBS_MAX + 1)) > JOBS_MAX) {
        throw new AppError(
          'invalid_request',
          `More than ${JOBS_MAX} jobs match; narrow them by createdStartDate`,
        )
      }
      // What is changed may no longer match, so the way through it is by id.
      for await (const { rows } of chunksOf(store, scope, { filter, range: { order: 'oldest' } }))
        await Promise.all(rows.map((task) => retag(store, task, retagWith(given))))
      return reply.code(204).send()
    }

  return {
    add: route((given) => (tags) => [...tags, ...given.filter((tag) => !tags.includes(tag))]),
    remove: route((given) => (tags) => tags.filter((tag) => !given.includes(tag))),
  }
}

async function retag(store: Store, first: Task, change: Retag): Promise<void> {
  let task: Task | undefined = first
  for (let round = 0; round < ROUNDS_MAX; round++) {
    // Deleted meanwhile.
    if (task === undefined) return
    const fields = fieldsOf(task)
    const tags = change(fields.tags)
    if (tags.length === fields.tags.length) return
    if (tags.length > Math.max(TAGS_MAX, fields.tags.length)) {
      throw new AppError('invalid_request', `tags: job ${task.external_id} would have more than ${TAGS_MAX}`)
    }
    const after = { ...fields, tags }
    const amended = await store.amendTask({
      task: { ...task, ext: printFields(after), updated_at: store.now(), version: task.version + 1 },
      labels: labelsOf(task.type, after),
    })
    if (amended.kind === 'done') return
    task = await store.findTask(task, task.id)
  }
  throw new AppError('conflict', `Job ${first.external_id} keeps changing; try again`)
}
