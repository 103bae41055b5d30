// Idempotency keys (native contract §1): the first answer again for the same request, 422 for another one. The row is
// written in the transaction of what it guards; here it is only made, looked up and compared.
import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../domain/errors.ts'
import type { Scope } from '../domain/project.ts'
import type { Idempotency, Store } from '../store/store.ts'
import { json } from './route.ts'

/** A request's key and fingerprint, or null when it sent none. */
export type Guard = Scope & { key: string; request_hash: string }

const KEY = /^[\x21-\x7e]{1,255}$/

/** Reads the `idempotency-key` of a request. */
export function guardOf(request: FastifyRequest, { project_id, mode }: Scope): Guard | null {
  const key = request.headers['idempotency-key']
  if (key === undefined) return null
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new AppError('invalid_request', 'idempotency-key: must be 1 to 255 visible ASCII characters')
  }
  const request_hash = hash('sha256', `${request.method} ${request.url}\n${request.text}`)
  return { project_id, mode, key, request_hash }
}

/** The row that guards a request with this answer. */
export const guarded = (guard: Guard | null, status: number, answer: string): Idempotency | null =>
  guard === null ? null : { ...guard, status, answer }

/**
 * Gives the first answer of a creating request, or else makes one: `create` writes its answer together with what it
 * creates, and gives undefined when another request took the key meanwhile.
 */
export async function once(
  store: Pick<Store, 'findIdempotency'>,
  guard: Guard | null,
  reply: FastifyReply,
  create: () => Promise<string | undefined>,
): Promise<string> {
  const first = () => firstAnswer(store, guard, reply)
  const answer = (await first()) ?? (await create()) ?? (await first())
  if (answer !== undefined) return answer
  throw new AppError('conflict', 'idempotency-key: its first request is not done yet; try again')
}

/** The first answer to a request that was made before, or undefined; throws when the key was used for another one. */
export async function firstAnswer(
  store: Pick<Store, 'findIdempotency'>,
  guard: Guard | null,
  reply: FastifyReply,
): Promise<string | undefined> {
  if (guard === null) return undefined
  const found = await store.findIdempotency(guard, guard.key)
  if (found === undefined) return undefined
  if (found.request_hash !== guard.request_hash) {
    throw new AppError(
      'idempotency_key_reused',
      'idempotency-key: was used for another request; take a new one',
    )
  }
  reply.header('idempotent-replayed', 'true')
  return json(reply, found.status, found.answer)
}
