// A project as its own keys see it: reading and changing its settings.
import type { Static } from 'typebox'
import { AppError } from '../../domain/errors.ts'
import { print } from '../../domain/json.ts'
import type { ProjectSettings } from '../../domain/project.ts'
import { callerOf } from '../../dialects/caller.ts'
import { judgeCallbackUrl } from '../../dialects/callback-url.ts'
import type { Deps } from '../deps.ts'
import { presentProject } from '../present.ts'
import { routeAudit } from '../rights.ts'
import { json, route } from '../route.ts'
import { toldUrl } from '../../domain/destination.ts'
import { UpdateProject } from '../schemas/project.ts'

const tag = 'Project'

/** Makes the routes under /v1/project. */
export function projectRoutes(deps: Deps) {
  const { store, directory } = deps
  return {
    get: route({
      id: 'getProject',
      summary: 'Get the project of this key',
      tag,
      answers: { 200: 'Project' },
      async handler(request, reply) {
        return json(reply, 200, print(presentProject(callerOf(request).project)))
      },
    }),
    update: route({
      id: 'updateProject',
      summary: 'Change settings, which hold for both modes; what is not named stays. Takes a live key',
      tag,
      body: UpdateProject,
      answers: { 200: 'Project' },
      async handler(request, reply) {
        const { scope } = callerOf(request)
        const current = await store.findProject(scope.project_id)
        if (current === undefined) throw new AppError('not_found', 'The project is gone')
        const { default_callback_url } = request.body
        if (typeof default_callback_url === 'string')
          await judgeCallbackUrl(deps, default_callback_url, 'default_callback_url')
        const detail = toldOf(request.body)
        const project = await store.updateProject(
          current.id,
          changesOf(current.settings, request.body),
          routeAudit(request, deps, { mode: null, object: current.id, detail }),
        )
        if (project === undefined) throw new AppError('not_found', 'The project is gone')
        directory.forget()
        return json(reply, 200, print(presentProject(project)))
      },
    }),
  }
}

/** What of a change is written down. */
const toldOf = ({ default_callback_url, ...rest }: Static<typeof UpdateProject>) =>
  default_callback_url === undefined ? rest : { ...rest, default_callback_url: toldUrl(default_callback_url) }

function changesOf(
  current: ProjectSettings,
  { retry, limits, ...rest }: Static<typeof UpdateProject>,
): Partial<ProjectSettings> {
  return {
    ...rest,
    ...(retry === undefined ? {} : { retry: { ...current.retry, ...retry } }),
    ...(limits === undefined ? {} : { limits: { ...current.limits, ...limits } }),
  }
}
