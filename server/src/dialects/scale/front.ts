// Scale's routes, all on one screen. Hooks and parsers are its own: Basic instead of Bearer, forms beside JSON, and an error body
// for whatever goes wrong, since its clients fall over an empty one.
import multipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'
import type { Front, FrontDeps } from '../front.ts'
import { amendmentRoutes } from './amendments.ts'
import { createAuth } from './auth.ts'
import { batchRoutes } from './batches.ts'
import { createRoute } from './create.ts'
import { fileRoutes } from './files.ts'
import { parseForm } from './form.ts'
import { listRoute } from './list.ts'
import { projectRoutes } from './projects.ts'
import { refuse } from './refuse.ts'
import { taskRoutes } from './tasks.ts'
import { teamRoute } from './team.ts'

/** The routes of Scale's customers. */
export const front: Front = {
  mount: '/scale',
  refuse,
  register(app, deps) {
    app.register(async (scope) => registerCustomers(scope, deps))
    app.register(async (scope) => registerReaders(scope, deps))
  },
}

function registerCustomers(app: FastifyInstance, deps: FrontDeps): void {
  app.addHook('onRequest', createAuth(deps, ['customer']))
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, parseForm)

  const create = createRoute(deps)
  app.post('/v1/task/:type', create)
  app.post('/v1/task/:type/', create)
  app.get('/v1/tasks', listRoute(deps))

  const tasks = taskRoutes(deps)
  app.get('/v1/task/:id', tasks.get)
  app.post('/v1/task/:id/cancel', tasks.cancel)
  app.post('/v1/task/:id/audit', tasks.audit)
  app.post('/v1/task/:id/send_callback', tasks.sendCallback)
  app.get('/v1/audits', tasks.audits)

  const amend = amendmentRoutes(deps)
  app.post('/v1/task/:id/setMetadata', amend.setMetadata)
  app.post('/v1/task/:id/unique_id', amend.setUniqueId)
  app.delete('/v1/task/:id/unique_id', amend.clearUniqueId)
  app.post('/v1/task/:id/tags', amend.setTags)
  app.put('/v1/task/:id/tags', amend.addTags)
  app.delete('/v1/task/:id/tags', amend.removeTags)

  const batches = batchRoutes(deps)
  app.post('/v1/batches', batches.create)
  app.get('/v1/batches', batches.list)
  app.get('/v1/batches/:name', batches.get)
  app.get('/v1/batches/:name/status', batches.status)
  app.post('/v1/batches/:name/finalize', batches.get)
  app.post('/v1/batches/:name/setMetadata', batches.setMetadata)
  app.post('/v1/batches/:name/prioritize', batches.prioritize)

  const projects = projectRoutes(deps)
  app.post('/v1/projects', projects.create)
  app.get('/v1/projects', projects.list)
  app.get('/v1/projects/:name', projects.get)
  app.post('/v1/projects/:name/setParams', projects.setParams)

  app.get('/v1/teams', teamRoute(deps))

  const files = fileRoutes(deps)
  app.post('/v1/files/import', files.import)
  app.register(async (scope) => {
    await scope.register(multipart, { limits: { files: 10, fields: 10, fileSize: deps.config.body_limit } })
    scope.post('/v1/files/upload', files.upload)
  })
}

/** What the platform's own staff and workers may read, too. */
function registerReaders(app: FastifyInstance, deps: FrontDeps): void {
  app.addHook('onRequest', createAuth(deps, ['customer', 'operator']))
  app.get('/v1/files/:id', fileRoutes(deps).download)
}
