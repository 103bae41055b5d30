// The vault's routes (contract §1.5). A value is taken and never shown; what a header can not carry is refused here already.
import { AppError } from '../../domain/errors.ts'
import { isoTime, isoTimeOrNull } from '../../domain/time.ts'
import type { Token } from '../../store/call-verbs.ts'
import { auditOf } from '../audit.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { isHeaderValue } from '../call-headers.ts'
import { createToken } from '../vault.ts'
import { answer, type Handler } from './answer.ts'
import { bodyOf, fieldsOf, invalid } from './fields.ts'

const LONGEST_NAME = 100
const LONGEST_VALUE = 8192
const PAGE = 100
// A list has no pages here.
const LISTED_MAX = 1000

const present = ({ id, name, created_at }: Token) => ({ id, name, createdAt: isoTime(created_at) })

/** Makes these routes. */
export function tokenRoutes(deps: FrontDeps) {
  const { store } = deps
  return {
    create: async (request, reply) => {
      const fields = fieldsOf(bodyOf(request))
      const name = fields.required('name', { longest: LONGEST_NAME })
      const value = fields.required('value', { longest: LONGEST_VALUE })
      if (!isHeaderValue(value)) throw invalid('value', 'has a character that no header can have')
      const token = await createToken(deps, callerOf(request).scope, { name, value }, (id) =>
        auditOf(request, deps, 'token.create', { object: id, detail: { name } }),
      )
      return answer(reply, 201, { token: present(token) })
    },

    list: async (request, reply) => {
      const { scope } = callerOf(request)
      const tokens: Token[] = []
      for (let after: string | null = null; ; after = tokens.at(-1)?.id ?? null) {
        const { rows, has_more } = await store.listTokens(scope, { limit: PAGE, after })
        tokens.push(...rows)
        if (!has_more || tokens.length >= LISTED_MAX) break
      }
      return answer(reply, 200, { tokens: tokens.map(present) })
    },

    revoke: async (request, reply) => {
      const { scope } = callerOf(request)
      const { id: object } = request.params
      const audit = auditOf(request, deps, 'token.revoke', { object })
      const token = await store.revokeToken(scope, object, store.now(), audit)
      if (token === undefined) throw new AppError('not_found', 'Token not found')
      const { id, name, revoked_at } = token
      return answer(reply, 200, { token: { id, name, revokedAt: isoTimeOrNull(revoked_at) } })
    },
  } satisfies Record<string, Handler>
}
