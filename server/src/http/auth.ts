// The hooks that find out who is calling, before anything of a body is read.
import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { findCaller, type Caller } from '../dialects/caller.ts'
import { keyHash } from '../dialects/credentials.ts'
import { scopesOf } from '../domain/key.ts'
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
    if (caller === undefined) {
      throw new AppError('unauthorized', 'This key does not exist, was revoked or has expired')
    }
    const front = caller.role === 'customer' ? dialects.get(caller.project.dialect).front : null
    if (front !== null) {
      throw new AppError(
        'unauthorized',
        `This key is for ${front.mount}; here a project of that dialect takes an operator key (rb_op_…)`,
      )
    }
    assertScope(caller, request)
    request.caller = caller
  }
}

function assertScope({ key }: Caller, { routeOptions }: FastifyRequest): void {
  const { takes: scope, mode = key.mode } = routeOptions.config.right ?? {}
  const scopes = scopesOf(key)
  if (scope === undefined) throw new Error(`${routeOptions.url} does not say what it takes`)
  if (scope !== 'admin key' && scopes.includes(scope)) {
    if (key.mode === mode) return
    throw new AppError('insufficient_scope', `This holds for both modes, so it takes a ${mode} key`, { mode })
  }
  const remedy =
    scope === 'operator' && key.role === 'customer'
      ? 'only an operator key of the project (rb_op_…) can have it'
      : `this key has ${scopes.join(', ')}; ask the administrator for one that has it`
  throw new AppError('insufficient_scope', `This takes a key with the scope ${scope}: ${remedy}`, { scope })
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
