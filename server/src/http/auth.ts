// Who is calling. A key decides project and mode; what belongs to others is "not found", never "forbidden".
import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { keyHash } from '../dialects/credentials.ts'
import { AppError } from '../domain/errors.ts'
import type { KeyRole, Project, Scope } from '../domain/project.ts'
import type { Deps } from './deps.ts'

/** The holder of a key. */
export type Caller = { scope: Scope; role: KeyRole; project: Project }

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler of the API runs; see `callerOf`. */
    caller: Caller | null
  }
}

const BEARER = /^bearer +(\S+) *$/i

function bearerOf(request: FastifyRequest): string {
  const key = BEARER.exec(request.headers.authorization ?? '')?.[1]
  if (key !== undefined) return key
  throw new AppError('unauthorized', 'Send your key in the header authorization: Bearer <key>')
}

/** Makes the hook that finds a project's key, or throws `unauthorized`. */
export function createKeyAuth({ directory }: Pick<Deps, 'directory'>): onRequestAsyncHookHandler {
  return async (request) => {
    const key = await directory.key(keyHash(bearerOf(request)))
    const project = key && (await directory.project(key.project_id))
    if (!key || !project) throw new AppError('unauthorized', 'This key does not exist, or was revoked')
    request.caller = { scope: { project_id: key.project_id, mode: key.mode }, role: key.role, project }
  }
}

/** Makes the hook that lets administrators in. Compares hashes in constant time. */
export function createAdminAuth({ admin_key }: { admin_key: string | null }): onRequestAsyncHookHandler {
  const expected = admin_key === null ? undefined : Buffer.from(keyHash(admin_key))
  return async (request) => {
    const given = Buffer.from(keyHash(bearerOf(request)))
    if (expected !== undefined && timingSafeEqual(given, expected)) return
    throw new AppError('unauthorized', 'This is not the admin key (RINGBACK_ADMIN_KEY)')
  }
}

/** Lets only the keys of a project's operators in; runs behind the key hook. */
export const operatorOnly: onRequestAsyncHookHandler = async (request) => {
  if (callerOf(request).role === 'operator') return
  throw new AppError('unauthorized', 'This takes an operator key of the project (rb_op_…)')
}

/** The caller of a request behind the key hook. */
export function callerOf({ caller }: FastifyRequest): Caller {
  if (caller === null) throw new Error('A route without authentication asked for its caller')
  return caller
}
