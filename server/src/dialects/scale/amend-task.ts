// Changes of a task that are no step of its life: metadata, unique id and tags (contract §2.3). Nobody is told of them, so that no
// event happens; a lost race is tried again on the row that won.
import { AppError } from '../../domain/errors.ts'
import { joinMembers } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import type { FrontDeps } from '../front.ts'
import { answering, type Handler, type Request } from './answer.ts'
import { uniqueIdTaken } from './create.ts'
import { extrasOf, extrasText, labelsOf } from './extras.ts'
import { bodyOf, invalid, nameOf, requiredName, tagsOf } from './fields.ts'
import { presentTask } from './present.ts'
import { findTask } from './tasks.ts'

// Losing this often means that something is wrong, not that there is a crowd.
const ROUNDS_MAX = 20

type Change = Partial<Pick<Task, 'metadata' | 'unique_id' | 'ext'>>

/** Changes a task, and gives it as it is then. Throws `unique_id_taken`, and `conflict` when others keep winning. */
export async function amendTask(
  { store }: Pick<FrontDeps, 'store'>,
  first: Task,
  change: (task: Task) => Change,
): Promise<Task> {
  let task = first
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const changes = change(task)
    const next = { ...task, ...changes, updated_at: store.now(), version: task.version + 1 }
    const labels = changes.ext === undefined ? null : labelsOf(extrasOf(next))
    const result = await store.amendTask({ task: next, labels })
    switch (result.kind) {
      case 'done':
        return next
      case 'unique_id_taken':
        throw uniqueIdTaken(next.unique_id, result.task_id)
      case 'raced': {
        const fresh = await store.findTask(task, task.id)
        if (fresh === undefined) throw new AppError('not_found', 'There is no such task any more')
        task = fresh
      }
    }
  }
  throw new AppError('conflict', 'This task keeps changing; try again')
}

/** Makes the routes of a task's metadata, unique id and tags. */
export function amendRoutes(deps: FrontDeps) {
  const amending = (changeOf: (request: Request) => (task: Task) => Change): Handler =>
    answering(async (request) => {
      const task = await findTask(deps, request, request.params.id)
      return presentTask(await amendTask(deps, task, changeOf(request)))
    })

  /** What becomes of a task's tags; `given` are those of the body, a bare list. */
  const retagging = (retag: (tags: readonly string[], given: readonly string[]) => string[]): Handler =>
    amending((request) => {
      if (!Array.isArray(request.body)) throw invalid('body', 'must be a JSON array of tags')
      const given = request.body.map((tag) => nameOf(tag, 'tags'))
      return (task) => {
        const extras = extrasOf(task)
        return { ext: extrasText({ ...extras, tags: tagsOf(retag(extras.tags ?? [], given)) }) }
      }
    })

  return {
    setMetadata: amending((request) => {
      const metadata = joinMembers(bodyOf(request).texts)
      return () => ({ metadata })
    }),
    setUniqueId: amending((request) => {
      const unique_id = requiredName(bodyOf(request), 'unique_id')
      return () => ({ unique_id })
    }),
    clearUniqueId: amending(() => () => ({ unique_id: null })),
    setTags: retagging((_, given) => [...given]),
    addTags: retagging((tags, given) => [...tags, ...given]),
    removeTags: retagging((tags, given) => tags.filter((tag) => !given.includes(tag))),
  }
}
