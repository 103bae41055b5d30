// What routes read of a request, with words for what is wrong with it. Ids of apps are UUIDs in any case of letters; a job is
// named by its short id or its UUID.
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { members, print, type Printable } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import type { Store } from '../../store/store.ts'
import { callerOf, findCustomer, type Keys } from '../caller.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Makes the hook that finds the customer of the header `API-KEY`, or throws `unauthorized`. */
export const createKeyAuth =
  (keys: Keys): onRequestAsyncHookHandler =>
  async (request) => {
    const key = request.headers['api-key']
    if (typeof key !== 'string' || key === '') {
      throw new AppError('unauthorized', 'Send your key in the header API-KEY')
    }
    request.caller = (await findCustomer(keys, request, 'superai', key)) ?? null
    if (request.caller === null) {
      throw new AppError('unauthorized', 'API-KEY: this key does not exist, or was revoked')
    }
  }

type Params = { app: string; job: string; batch: string; operation: string; token: string }

/** The parameters of a route's path, as far as it has them. */
export const paramsOf = ({ params }: FastifyRequest): Params => params as Params

/** The app of a path. Any UUID is an app of whoever names it (contract §6.15); throws `not_found` for anything else. */
export function appOf(request: FastifyRequest): string {
  const { app } = paramsOf(request)
  if (UUID.test(app.toLowerCase())) return app.toLowerCase()
  throw new AppError('not_found', `There is no app ${app}; the id of an app is a UUID`)
}

/** The job of a path, by its short id or its UUID; throws `not_found`. */
export async function jobOf(store: Pick<Store, 'findTask'>, request: FastifyRequest): Promise<Task> {
  const { job } = paramsOf(request)
  const task = await store.findTask(callerOf(request).scope, job.toLowerCase())
  if (task === undefined) throw new AppError('not_found', `There is no job ${job} for this key`)
  return task
}

/** A body's members, parsed and as compact texts. */
export type Body = { values: Record<string, unknown>; texts: Map<string, string> }

/** The body of a request; throws `invalid_request` unless it is an object. Null stands for what is not given. */
export function bodyOf({ body, text }: FastifyRequest): Body {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('invalid_request', 'Send a JSON object as the body')
  }
  return { values: body as Record<string, unknown>, texts: members(text) }
}

/** So many tags has a job at most; each is another look-up of it. */
export const TAGS_MAX = 100
const TAG_LENGTH_MAX = 400

/** Reads tags: an array of texts, or a single one. Throws `invalid_request`. */
export function tagsOf(value: unknown): string[] {
  const tags: unknown[] = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [null]
  if (tags.length > TAGS_MAX) throw new AppError('invalid_request', `tags: at most ${TAGS_MAX}`)
  return Array.from(new Set(tags), (tag) => {
    if (typeof tag === 'string' && tag !== '' && tag.length <= TAG_LENGTH_MAX) return tag
    throw new AppError('invalid_request', `tags: give texts of 1 to ${TAG_LENGTH_MAX} characters`)
  })
}

/** What answers a request. */
export type Handler = (
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<string | Readable | FastifyReply>

export const JSON_TYPE = 'application/json; charset=utf-8'

/** Answers 200 with this JSON. */
export function answer(reply: FastifyReply, value: Printable): string {
  reply.type(JSON_TYPE)
  return print(value)
}
