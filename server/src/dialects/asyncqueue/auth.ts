// Who calls (contract §1, §6.1): a customer's key as Bearer or in X-API-Key, for the keys' own routes an operator's. Both texts of a
// 401 are the contract's.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { assertOperatorMay, findCaller, type Caller } from '../caller.ts'
import type { FrontDeps } from '../front.ts'

const BEARER = /^bearer +(\S+) *$/i

function keyOf({ headers }: FastifyRequest): string | undefined {
  const own = headers['x-api-key']
  return (
    BEARER.exec(headers.authorization ?? '')?.[1] ?? (typeof own === 'string' && own !== '' ? own : undefined)
  )
}

/** Makes the hook that finds the holder of a key with this role, or throws `unauthorized`. */
export const createAuth =
  (deps: Pick<FrontDeps, 'directory' | 'guesses'>, role: Caller['role']) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const refusal = (text: string) => {
      reply.header('www-authenticate', 'Bearer')
      return new AppError('unauthorized', text)
    }
    const key = keyOf(request)
    if (key === undefined) throw refusal('API key required')
    const caller = await findCaller(deps, request, key)
    if (caller?.role !== role || caller.project.dialect !== 'asyncqueue')
      throw refusal('Invalid or revoked API key')
    assertOperatorMay(caller, 'operator')
    request.caller = caller
  }
