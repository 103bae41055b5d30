// A project's secrets, for its operators: reading them again, and rotating one. Not for customers' keys: those lie in
// programs that need not be able to forge callbacks, nor to cut receivers off from them.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { createSecret } from '../../dialects/credentials.ts'
import { isoTime } from '../../domain/time.ts'
import { AppError } from '../../domain/errors.ts'
import { print } from '../../domain/json.ts'
import { HOLDING_SECRETS_MAX, isHolding } from '../../domain/project.ts'
import { callerOf } from '../../dialects/caller.ts'
import type { Deps } from '../deps.ts'
import { guarded, guardOf, once, type Guard } from '../idempotency.ts'
import { printPage } from '../pages.ts'
import { presentSecret } from '../present.ts'
import { routeAudit } from '../rights.ts'
import { json, route } from '../route.ts'
import { DEFAULT_GRACE_S, RotateSecret } from '../schemas/project.ts'

const tag = 'Project'

/** Makes the routes under /v1/project/secrets. */
export function secretRoutes(deps: Deps) {
  const { store } = deps
  return {
    list: route({
      id: 'listSecrets',
      summary: "List the secrets that callbacks of the key's mode carry; takes an operator key",
      tag,
      answers: { 200: 'SecretPage' },
      async handler(request, reply) {
        const { project_id, mode } = callerOf(request).scope
        const now = store.now()
        const rows = (await store.secrets(project_id)).filter(
          (secret) => (secret.mode ?? mode) === mode && isHolding(secret, now),
        )
        // Before they are told, so that nobody can have read them unseen.
        await store.recordAudit(routeAudit(request, deps, { detail: { secrets: rows.length } }))
        return json(reply, 200, printPage({ rows, has_more: false }, presentSecret))
      },
    }),
    rotate: route({
      id: 'rotateSecret',
      summary: 'Make a new secret; the old one holds on for its grace. Takes an operator key',
      tag,
      body: RotateSecret,
      answers: { 201: 'SecretRotated' },
      idempotent: true,
      handler(request, reply) {
        const guard = guardOf(request, callerOf(request).scope)
        return once(store, guard, reply, () => rotate(deps, request, reply, guard))
      },
    }),
  }
}

async function rotate(
  deps: Deps,
  request: FastifyRequest<{ Body: Static<typeof RotateSecret> }>,
  reply: FastifyReply,
  guard: Guard | null,
): Promise<string | undefined> {
  const { store } = deps
  const { scope, project } = callerOf(request)
  const { which, grace_s = DEFAULT_GRACE_S } = request.body
  if (which === 'signing' && scope.mode !== 'live') {
    throw new AppError(
      'insufficient_scope',
      'which: the signing secret is for both modes, so rotating it takes a live key',
      { mode: 'live' },
    )
  }
  const secret = createSecret(deps.dialects.get(project.dialect), { ...scope, kind: which }, deps)
  const older_expire_at = secret.created_at + grace_s * 1000
  const answer = print({ ...presentSecret(secret), older_expire_at: isoTime(older_expire_at) })
  const idempotency = guarded(guard, 201, answer)
  const audit = routeAudit(request, deps, {
    mode: secret.mode,
    object: secret.id,
    detail: { which, older_expire_at: isoTime(older_expire_at) },
  })
  switch (await store.rotateSecret({ secret, older_expire_at, idempotency, audit })) {
    case 'rotated':
      return json(reply, 201, answer)
    case 'too_many':
      throw new AppError(
        'conflict',
        `which: ${HOLDING_SECRETS_MAX} of these hold already; wait for the end of a grace, or end all but the new one with grace_s 0`,
      )
    case 'idempotency_key_taken':
      return undefined
  }
}
