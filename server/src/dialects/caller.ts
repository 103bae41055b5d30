// Who is calling: a key decides project and mode. What belongs to others is "not found", never "forbidden". Addresses that guess keys
// are slowed here, for all dialects.
import type { FastifyRequest } from 'fastify'
import { AppError } from '../domain/errors.ts'
import { scopesOf, type Key, type KeyScope } from '../domain/key.ts'
import type { Project, Scope } from '../domain/project.ts'
import { keyHash } from './credentials.ts'
import type { Directory } from './directory.ts'

/** The holder of a key. */
export type Caller = { scope: Scope; role: Key['role']; project: Project; key: Key }

/** The guesses of keys by addresses. */
export type Guesses = {
  /** Throws `rate_limited` for a key that was never right, from an address that has guessed too often. */
  admit(request: Pick<FastifyRequest, 'ip'>, hash: string): void
  /** The key with this hash exists. */
  right(hash: string): void
  /** The key with this hash is none. */
  wrong(request: Pick<FastifyRequest, 'ip'>, hash: string): void
  /** What was signed with a key that exists is wrong: whoever knows its public half must not lock its holder out. */
  forged(request: Pick<FastifyRequest, 'ip'>): void
}

/** What callers are found with. */
export type Keys = { directory: Pick<Directory, 'key' | 'project'>; guesses: Guesses }

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler that needs one runs; see `callerOf`. */
    caller: Caller | null
    /** The project whose link gives a request without a key its right to read. */
    linked_project: string | null
  }
  interface FastifyContextConfig {
    /** A POST that only reads. */
    reads?: true
  }
}

/**
 * The holder of this key; undefined when it does not exist, was revoked or has expired. Throws `rate_limited` for whoever guesses
 * too often.
 */
export async function findCaller(
  { directory, guesses }: Keys,
  request: Pick<FastifyRequest, 'ip'>,
  text: string,
): Promise<Caller | undefined> {
  const hash = keyHash(text)
  guesses.admit(request, hash)
  const key = await directory.key(hash)
  const project = key && (await directory.project(key.project_id))
  if (!key || !project) {
    guesses.wrong(request, hash)
    return undefined
  }
  guesses.right(hash)
  return { scope: { project_id: key.project_id, mode: key.mode }, role: key.role, project, key }
}

/** The customer of a dialect who holds this key; undefined for any other key, an operator's included. Throws as `findCaller` does. */
export async function findCustomer(
  keys: Keys,
  request: Pick<FastifyRequest, 'ip'>,
  dialect: string,
  text: string,
): Promise<Caller | undefined> {
  const caller = await findCaller(keys, request, text)
  return caller?.role === 'customer' && caller.project.dialect === dialect ? caller : undefined
}

/** The caller of a request behind the hook that finds it. */
export function callerOf({ caller }: FastifyRequest): Caller {
  if (caller === null) throw new Error('A route without authentication asked for its caller')
  return caller
}

/**
 * Throws `insufficient_scope` unless an operator's key has the scope. For the routes of a dialect that take one: a customer's key has
 * no scopes of its own there.
 */
export function assertOperatorMay({ role, key }: Pick<Caller, 'role' | 'key'>, scope: KeyScope): void {
  if (role === 'customer' || scopesOf(key).includes(scope)) return
  throw new AppError('insufficient_scope', `This takes an operator key with the scope ${scope}`, { scope })
}
