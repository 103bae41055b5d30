// What only an administrator does: projects, their keys, and changing the key that seals. Credentials are shown in the
// answer that makes them, and never again but to whoever repeats that very request.
import { createKey, createProjectWithCredentials } from '../../dialects/credentials.ts'
import type { Dialect } from '../../dialects/dialect.ts'
import { AppError } from '../../domain/errors.ts'
import { print } from '../../domain/json.ts'
import type { Project, Scope } from '../../domain/project.ts'
import type { Store } from '../../store/store.ts'
import { judgeCallbackUrl } from '../../dialects/callback-url.ts'
import type { Deps } from '../deps.ts'
import { guarded, guardOf, once } from '../idempotency.ts'
import { pageOf, printPage } from '../pages.ts'
import { presentKey, presentProject } from '../present.ts'
import { newKeyOf } from '../new-key.ts'
import { routeAudit } from '../rights.ts'
import { toldUrl } from '../../domain/destination.ts'
import { json, route } from '../route.ts'
import { CreateKey, CreateProject } from '../schemas/project.ts'
import { PageQuery } from '../schemas/task.ts'

const tag = 'Administration'

// No project's own: an administrator's idempotency keys are apart from those of all projects.
const ADMINISTRATION: Scope = { project_id: 'admin', mode: 'live' }

async function projectOf(store: Pick<Store, 'findProject'>, id: string): Promise<Project> {
  const project = await store.findProject(id)
  if (project === undefined) throw new AppError('not_found', `There is no project ${id}`)
  return project
}

/** Throws unless a project of this dialect may have this host name. */
async function judgeHost({ store, config }: Deps, { name, front }: Dialect, host: string): Promise<void> {
  if (front === null) {
    throw new AppError('invalid_request', `host: a project of the dialect ${name} is served at every host`)
  }
  if (new URL(config.public_url).hostname === host) {
    throw new AppError('invalid_request', `host: ${host} is this server's own (RINGBACK_PUBLIC_URL)`)
  }
  if ((await store.listHosts()).some((taken) => taken.host === host)) {
    throw new AppError('conflict', `host: another project has ${host}; take another name`)
  }
}

/** Makes the routes under /v1/admin. */
export function adminRoutes(deps: Deps) {
  const { store, dialects, directory } = deps
  return {
    createProject: route({
      id: 'createProject',
      summary: 'Create a project; the only answer that shows its credentials',
      tag,
      body: CreateProject,
      answers: { 201: 'ProjectCreated' },
      idempotent: true,
      async handler(request, reply) {
        const { name, dialect = 'native', default_callback_url = null, host = null } = request.body
        const spoken = dialects.all.find(({ name }) => name === dialect)
        if (spoken === undefined) {
          const names = dialects.all.map(({ name }) => name)
          throw new AppError('invalid_request', `dialect: must be one of ${names.join(', ')}`)
        }
        if (default_callback_url !== null)
          await judgeCallbackUrl(deps, default_callback_url, 'default_callback_url')
        const guard = guardOf(request, ADMINISTRATION)
        return once(store, guard, reply, async () => {
          if (host !== null) await judgeHost(deps, spoken, host)
          const { credentials, ...rows } = createProjectWithCredentials(
            spoken,
            { name, default_callback_url, host },
            deps,
          )
          const answer = print({ project: presentProject(rows.project), credentials })
          const audit = routeAudit(request, deps, {
            project_id: rows.project.id,
            object: rows.project.id,
            detail: { name, dialect, host, default_callback_url: toldUrl(default_callback_url) },
          })
          const idempotency = guarded(guard, 201, answer)
          const created = await store.createProject({ ...rows, idempotency, audit })
          if (created) await deps.hosts.refresh()
          return created ? json(reply, 201, answer) : undefined
        })
      },
    }),
    listProjects: route({
      id: 'listProjects',
      summary: 'List projects',
      tag,
      query: PageQuery,
      answers: { 200: 'ProjectPage' },
      async handler(request, reply) {
        const page = await store.listProjects(pageOf(request.query))
        return json(reply, 200, printPage(page, presentProject))
      },
    }),
    createKey: route({
      id: 'createKey',
      summary: 'Create a key; the only answer that shows it',
      tag,
      body: CreateKey,
      answers: { 201: 'KeyCreated' },
      idempotent: true,
      async handler(request, reply) {
        const { id: project_id, dialect } = await projectOf(store, request.params.id)
        const guard = guardOf(request, ADMINISTRATION)
        return once(store, guard, reply, async () => {
          const spoken = dialects.get(dialect)
          const input = newKeyOf(request.body, spoken, store.now())
          const { key, text } = createKey(spoken, { project_id, ...input }, deps)
          const { role, name, scopes, expires_at } = presentKey(key)
          const audit = routeAudit(request, deps, {
            project_id,
            mode: key.mode,
            object: key.id,
            detail: { role, name, scopes, expires_at },
          })
          const answer = print({ ...presentKey(key), key: text })
          const created = await store.createKey(key, guarded(guard, 201, answer), audit)
          return created ? json(reply, 201, answer) : undefined
        })
      },
    }),
    listKeys: route({
      id: 'listKeys',
      summary: 'List the keys of a project',
      tag,
      query: PageQuery,
      answers: { 200: 'KeyPage' },
      async handler(request, reply) {
        const { id: project_id } = await projectOf(store, request.params.id)
        const page = await store.listKeys(project_id, pageOf(request.query))
        return json(reply, 200, printPage(page, presentKey))
      },
    }),
    revokeKey: route({
      id: 'revokeKey',
      summary: 'Revoke a key',
      tag,
      answers: { 204: null },
      async handler(request, reply) {
        const { id, key_id } = request.params
        const audit = routeAudit(request, deps, { project_id: id, object: key_id })
        if (!(await store.revokeKey(id, key_id, audit))) {
          throw new AppError('not_found', `Project ${id} has no key ${key_id}`)
        }
        directory.forget()
        reply.code(204)
      },
    }),
    reseal: route({
      id: 'resealSecrets',
      summary:
        'Seal a few secrets anew that another key than RINGBACK_SECRET_KEY has sealed; call it until none remain',
      tag,
      answers: { 200: 'Resealed' },
      async handler(request, reply) {
        return json(reply, 200, print(await store.reseal(routeAudit(request, deps, {}))))
      },
    }),
  }
}
