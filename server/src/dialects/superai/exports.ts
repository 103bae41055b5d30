// Exports: many jobs with their outputs as a ZIP. An operation is finished as soon as it is asked for, since clients wait for
// its end without one of their own (contract §1.8); the file is made while it is downloaded, of the jobs there were then.
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { print, verbatim } from '../../domain/json.ts'
import { modes, type Mode, type Scope } from '../../domain/project.ts'
import type { StoredRecord } from '../../domain/record.ts'
import type { Store, TaskFilter } from '../../store/store.ts'
import { callerOf } from '../caller.ts'
import { keyHash } from '../credentials.ts'
import type { FrontDeps } from '../front.ts'
import { chunksOf } from '../task-list.ts'
import { keptUntil } from './batch.ts'
import { filterOf, numberOf, type Query } from './filter.ts'
import { presentJob } from './job.ts'
import type { Numbers } from './numbers.ts'
import { answer, appOf, paramsOf, type Handler } from './request.ts'
import { zipOf } from './zip.ts'

const OPERATION = 'operation'
const DOWNLOAD = 'download'
const TOKEN_BYTES = 32
const TTL_MAX_S = 604_800

type Operation = { app: string; filter: TaskFilter }

/** Makes the routes of exports; `base_url` is where the front stands. */
export function exportRoutes(deps: FrontDeps & { numbers: Numbers; base_url: string }) {
  const { store, numbers, randomBytes, base_url } = deps
  const insert = (scope: Scope, record: Pick<StoredRecord, 'kind' | 'key' | 'body' | 'expires_at'>) => {
    const now = store.now()
    return store.insertRecord({
      ...scope,
      ...record,
      created_at: now,
      updated_at: now,
      due_at: null,
      version: 1,
    })
  }

  /** The operation of a path; throws `not_found`. */
  async function operationOf(request: FastifyRequest): Promise<StoredRecord> {
    const { operation } = paramsOf(request)
    const record = await store.findRecord(callerOf(request).scope, OPERATION, operation)
    if (record !== undefined && (JSON.parse(record.body) as Operation).app === appOf(request)) return record
    throw new AppError('not_found', `There is no operation ${operation} of this app`)
  }

  return {
    start: async (request, reply) => {
      const { scope, project } = callerOf(request)
      const app = appOf(request)
      const given = filterOf(app, request.query as Query)
      const now = store.now()
      const filter = { ...given, created_to: Math.min(given.created_to ?? Infinity, now + 1) }
      const key = await numbers.take(scope, 'operation')
      const body = JSON.stringify({ app, filter } satisfies Operation)
      await insert(scope, { kind: OPERATION, key, body, expires_at: keptUntil(project, now) })
      return answer(reply, { operationId: Number(key) })
    },

    get: async (request, reply) => {
      const { key } = await operationOf(request)
      return answer(reply, { id: Number(key), status: 'COMPLETED' })
    },

    link: async (request, reply) => {
      const { key } = await operationOf(request)
      const { scope } = callerOf(request)
      const ttl_s = numberOf(request.query as Query, 'secondsTtl', { min: 1, max: TTL_MAX_S, other: 60 })
      const token = `${scope.project_id}.${scope.mode}.${randomBytes(TOKEN_BYTES).toString('hex')}`
      const expires_at = store.now() + ttl_s * 1000
      await insert(scope, {
        kind: DOWNLOAD,
        key: keyHash(token),
        body: print({ operation: key }),
        expires_at,
      })
      return answer(reply, { downloadUrl: `${base_url}/v1/downloads/${token}` })
    },

    /** Whoever has the link has the right; it needs no key. */
    download: async (request, reply) => {
      const { token } = paramsOf(request)
      const scope = scopeOf(token)
      const link = scope && (await store.findRecord(scope, DOWNLOAD, keyHash(token)))
      if (scope === undefined || link === undefined || (link.expires_at ?? 0) <= store.now()) {
        throw new AppError('not_found', 'This link does not exist or is over; ask for another download-url')
      }
      const { operation } = JSON.parse(link.body) as { operation: string }
      const record = await store.findRecord(scope, OPERATION, operation)
      if (record === undefined) throw new AppError('not_found', 'The jobs of this link were deleted')
      const { filter } = JSON.parse(record.body) as Operation
      request.linked_project = scope.project_id
      const file = { name: `jobs-${operation}.json`, time_ms: record.created_at }
      reply
        .type('application/zip')
        .header('content-disposition', `attachment; filename="jobs-${operation}.zip"`)
      return reply.send(Readable.from(zipOf(file, exported(store, scope, filter))))
    },
  } satisfies Record<string, Handler>
}

function scopeOf(token: string): Scope | undefined {
  const [project_id = '', mode] = token.split('.')
  return modes.includes(mode as Mode) ? { project_id, mode: mode as Mode } : undefined
}

/** The jobs as a JSON array, one at a time. */
async function* exported(
  store: Pick<Store, 'findTasks'>,
  scope: Scope,
  filter: TaskFilter,
): AsyncGenerator<string> {
  let before = '['
  for await (const { rows } of chunksOf(store, scope, { filter, range: { order: 'oldest' } })) {
    for (const task of rows) {
      yield before + print({ ...presentJob(task), response: verbatim(task.response) })
      before = ','
    }
  }
  yield before === '[' ? '[]' : ']'
}
