// The routes that change a task's metadata, unique id and tags (contract §2.3).
import { joinMembers } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import type { FrontDeps } from '../front.ts'
import { answering, type Handler, type Request } from './answer.ts'
import { extrasOf, extrasText } from './extras.ts'
import { bodyOf, invalid, nameOf, requiredName, tagsOf } from './fields.ts'
import { presentTask } from './present.ts'
import { amendTask, findTask, type Change } from './task.ts'

/** Makes those routes. */
export function amendmentRoutes(deps: FrontDeps) {
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
