// A team's API keys (contract §1.6): made and revoked by whoever holds the operator key of the project, since there is no dashboard
// to log in to. The name of a key is a record of ours; the key itself is kept as any other.
import { AppError } from '../../domain/errors.ts'
import type { Key } from '../../domain/key.ts'
import { isoTime } from '../../domain/time.ts'
import { auditOf } from '../audit.ts'
import { callerOf, type Caller } from '../caller.ts'
import { createKey } from '../credentials.ts'
import type { FrontDeps } from '../front.ts'
import { answer, failure, type Handler } from './answer.ts'
import { bodyOf, fieldsOf } from './fields.ts'

const KIND = 'apikey'
const LONGEST_NAME = 100
const PAGE = 100

/** Makes these routes. */
export function keyRoutes(deps: FrontDeps) {
  const { store, dialects, directory } = deps

  /** A customer's key of the caller's project and mode; an operator's is none of the team's. */
  async function keyOf({ scope: { project_id, mode } }: Caller, key_id: string): Promise<Key> {
    for (let after: string | null = null; ;) {
      const { rows, has_more } = await store.listKeys(project_id, { limit: PAGE, after })
      const key = rows.find(({ id }) => id === key_id)
      if (key?.mode === mode && key.role === 'customer') return key
      if (key !== undefined || !has_more) throw new AppError('not_found', 'API key not found')
      after = rows.at(-1)?.id ?? null
    }
  }

  return {
    create: async (request, reply) => {
      const { scope, project, key: own } = callerOf(request)
      if (request.params.teamId !== project.id) return failure(reply, 403, 'Access denied')
      const name = fieldsOf(bodyOf(request)).required('name', { longest: LONGEST_NAME })
      // What a key makes does not outlive it.
      const input = { ...scope, role: 'customer' as const, name, expires_at: own.expires_at }
      const { key, text } = createKey(dialects.get(project.dialect), input, deps)
      const { id, created_at } = key
      await store.insertRecord({
        ...scope,
        kind: KIND,
        key: id,
        body: JSON.stringify({ name }),
        created_at,
        updated_at: created_at,
        due_at: null,
        expires_at: null,
        version: 1,
      })
      const audit = auditOf(request, deps, 'key.create', { object: id, detail: { role: key.role, name } })
      await store.createKey(key, null, audit)
      return answer(reply, 201, { apiKey: { id, name, key: text, createdAt: isoTime(created_at) } })
    },

    revoke: async (request, reply) => {
      const caller = callerOf(request)
      const { id, created_at } = await keyOf(caller, request.params.keyId)
      const record = await store.findRecord(caller.scope, KIND, id)
      const audit = auditOf(request, deps, 'key.revoke', { object: id })
      if (!(await store.revokeKey(caller.project.id, id, audit)))
        throw new AppError('not_found', 'API key not found')
      directory.forget()
      await store.deleteRecord(caller.scope, KIND, id)
      return answer(reply, 200, {
        apiKey: {
          id,
          // The keys that a project is made with have no name.
          name: record === undefined ? null : (JSON.parse(record.body) as { name: string }).name,
          createdAt: isoTime(created_at),
          revokedAt: isoTime(store.now()),
        },
      })
    },
  } satisfies Record<string, Handler>
}
