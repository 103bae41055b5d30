// The routes of super.AI's customers, all on one screen (contract §1.2). Errors are `{"message"}` and nothing else: clients
// read that one text, and must never read `Token is expired.` in a 401, which makes them call again without end.
import type { FastifyInstance } from 'fastify'
import { problems, type AppError } from '../../domain/errors.ts'
import { print } from '../../domain/json.ts'
import type { Front, FrontDeps } from '../front.ts'
import { batchRoutes } from './batches.ts'
import { exportRoutes } from './exports.ts'
import { INPUTS_BYTES } from './inputs-file.ts'
import { jobRoutes } from './jobs.ts'
import { createNumbers } from './numbers.ts'
import { createKeyAuth } from './request.ts'
import { tagRoutes } from './tags.ts'

const mount = '/superai'

/** super.AI's front. */
export const superaiFront: Front = { mount, refuse, register }

function refuse({ code, message }: AppError): { status: number; body: string } {
  const { status } = problems[code]
  const said =
    code === 'body_too_large'
      ? `The body is longer than ${INPUTS_BYTES} bytes; send fewer inputs at a time`
      : message
  // What is wrong with a URL is 400 here, whatever it is.
  return { status: status === 422 ? 400 : status, body: print({ message: said }) }
}

function register(app: FastifyInstance, given: FrontDeps): void {
  const numbers = createNumbers(given.store)
  const deps = { ...given, numbers, base_url: given.config.public_url + mount }
  const jobs = jobRoutes(deps)
  const batches = batchRoutes(deps)
  const tags = tagRoutes(deps)
  const exports = exportRoutes(deps)

  app.addHook('onRoute', (route) => {
    route.bodyLimit = INPUTS_BYTES
  })
  app.get('/v1/downloads/:token', exports.download)

  app.register(async (scope) => {
    scope.addHook('onRequest', createKeyAuth(deps))
    scope.addHook('onRequest', async ({ raw }) => {
      // Clients send none with an empty body, and whatever they send with another, it is JSON (contract §1.1).
      raw.headers['content-type'] = 'application/json'
    })
    scope.post('/v1/apps/:app/jobs', jobs.create)
    scope.get('/v1/apps/:app/jobs', jobs.list)
    scope.put('/v1/apps/:app/jobs/tags', tags.add)
    scope.delete('/v1/apps/:app/jobs/tags', tags.remove)
    scope.get('/v1/jobs/:job', jobs.get)
    scope.get('/v1/jobs/:job/response', jobs.response)
    scope.post('/v1/jobs/:job/cancel', jobs.cancel)
    scope.post('/v1/jobs/:job/restart', jobs.restart)
    scope.patch('/v1/jobs/:job/review', jobs.review)
    scope.get('/v1/apps/:app/batches', batches.list)
    scope.get('/v1/apps/:app/batches/:batch', batches.get)
    scope.post('/v1/apps/:app/job_responses', exports.start)
    scope.get('/v1/operations/:app/:operation', exports.get)
    scope.post('/v1/operations/:app/:operation/download-url', exports.link)
  })
}
