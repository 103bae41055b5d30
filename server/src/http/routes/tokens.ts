// The vault: values for the headers of calls, such as a provider's key. They are put in once, never shown again, and gone when
// revoked. Customers' and operators' keys of any project may use it, each for its own mode.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { isHeaderValue } from '../../dialects/call-headers.ts'
import { callerOf } from '../../dialects/caller.ts'
import { draftToken } from '../../dialects/vault.ts'
import { AppError } from '../../domain/errors.ts'
import { print } from '../../domain/json.ts'
import { isoTimeOrNull } from '../../domain/time.ts'
import type { Deps } from '../deps.ts'
import { guarded, guardOf, once, type Guard } from '../idempotency.ts'
import { missing } from '../missing.ts'
import { pageOf, printPage } from '../pages.ts'
import { presentToken } from '../present.ts'
import { routeAudit } from '../rights.ts'
import { json, route } from '../route.ts'
import { CreateToken } from '../schemas/call.ts'
import { PageQuery } from '../schemas/task.ts'

const tag = 'Vault'

/** Makes the routes under /v1/tokens. */
export function tokenRoutes(deps: Deps) {
  const { store } = deps
  return {
    create: route({
      id: 'createToken',
      summary: 'Put a value for the headers of requests into the vault; it is never shown again',
      tag,
      body: CreateToken,
      answers: { 201: 'Token' },
      idempotent: true,
      handler(request, reply) {
        const guard = guardOf(request, callerOf(request).scope)
        return once(store, guard, reply, () => create(deps, request, reply, guard))
      },
    }),
    list: route({
      id: 'listTokens',
      summary: 'List the tokens that are not revoked, newest first',
      tag,
      query: PageQuery,
      answers: { 200: 'TokenPage' },
      async handler(request, reply) {
        const page = await store.listTokens(callerOf(request).scope, pageOf(request.query))
        return json(reply, 200, printPage(page, presentToken))
      },
    }),
    revoke: route({
      id: 'revokeToken',
      summary: 'Revoke a token and forget its value; what would still use it fails',
      tag,
      answers: { 200: 'TokenRevoked' },
      async handler(request, reply) {
        const { id } = request.params
        const caller = callerOf(request)
        const audit = routeAudit(request, deps, { object: id })
        const token = await store.revokeToken(caller.scope, id, store.now(), audit)
        if (token === undefined) throw missing('token', id, caller, store.now())
        return json(
          reply,
          200,
          print({ ...presentToken(token), revoked_at: isoTimeOrNull(token.revoked_at) }),
        )
      },
    }),
  }
}

async function create(
  deps: Deps,
  request: FastifyRequest<{ Body: Static<typeof CreateToken> }>,
  reply: FastifyReply,
  guard: Guard | null,
): Promise<string | undefined> {
  const { name, value } = request.body
  if (!isHeaderValue(value))
    throw new AppError(
      'invalid_request',
      'value: has a character that no header can carry, such as a line break; remove or encode it',
    )
  const token = draftToken(deps, callerOf(request).scope, name)
  const answer = print(presentToken(token))
  const audit = routeAudit(request, deps, { object: token.id, detail: { name } })
  const created = await deps.store.createToken({ ...token, value }, guarded(guard, 201, answer), audit)
  return created ? json(reply, 201, answer) : undefined
}
