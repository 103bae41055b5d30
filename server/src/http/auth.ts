// The hooks that find out who is calling, before anything of a body is read.
import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { callerOf, findCaller } from '../dialects/caller.ts'
import { keyHash } from '../dialects/credentials.ts'
import { AppError } from '../domain/errors.ts'
import type { Deps } from './deps.ts'

const BEARER = /^bearer +(\S+) *$/i

function bearerOf(request: FastifyRequest): string {
  const key = BEARER.exec(request.headers.authorization ?? '')?.[1]
  if (key !== undefined) return key
  throw new AppError('unauthorized', 'Send your key in the header authorization: Bearer <key>')
}

/** Makes the hook that finds a project's key, or throws `unauthorized`. */
export function createKeyAuth(
  deps: Pick<Deps, 'directory' | 'dialects' | 'guesses'>,
): onRequestAsyncHookHandler {
  const { dialects } = deps
  return async (request) => {
    const caller = await findCaller(deps, request, bearerOf(request))
    if (caller === undefined) throw new AppError('unauthorized', 'This key does not exist, or was revoked')
    const front = caller.role === 'customer' ? dialects.get(caller.project.dialect).front : null
    if (front !== null) {
      throw new AppError(
        'unauthorized',
        `This key is for ${front.mount}; here a project of that dialect takes an operator key (rb_op_…)`,
      )
    }
    request.caller = caller
  }
}

/** Makes the hook that lets administrators in. Compares hashes in constant time. */
export function createAdminAuth({
  config: { admin_key },
  guesses,
}: Pick<Deps, 'config' | 'guesses'>): onRequestAsyncHookHandler {
  const expected = admin_key === null ? undefined : Buffer.from(keyHash(admin_key))
  return async (request) => {
    const hash = keyHash(bearerOf(request))
    if (expected !== undefined && timingSafeEqual(Buffer.from(hash), expected)) return
    guesses.admit(request, hash)
    guesses.wrong(request, hash)
    throw new AppError('unauthorized', 'This is not the admin key (RINGBACK_ADMIN_KEY)')
  }
}

/** Lets only the keys of a project's operators in; runs behind the key hook. */
export const operatorOnly: onRequestAsyncHookHandler = async (request) => {
  if (callerOf(request).role === 'operator') return
  throw new AppError('unauthorized', 'This takes an operator key of the project (rb_op_…)')
}
