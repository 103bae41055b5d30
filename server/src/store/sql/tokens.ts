// The vault: values that calls put into their headers. They arrive sealed, and a revoked one is gone.
import type { Audit } from '../../domain/audit.ts'
import { toPage, type Page, type PageRequest } from '../../domain/page.ts'
import type { Scope } from '../../domain/project.ts'
import { bulk, type Row, type Transaction } from '../database.ts'
import type { Token } from '../call-verbs.ts'
import type { Idempotency } from '../store.ts'
import { writeAudits } from './audits.ts'
import { list } from './columns.ts'
import type { WriteContext } from './context.ts'
import { isTaken } from './idempotency.ts'
import { inScope, where } from './where.ts'

/** A token as stored: `value` is sealed, null once it is revoked. */
export type StoredToken = Token & { value: string | null }

const columns = {
  id: 'text',
  project_id: 'text',
  mode: 'text',
  name: 'text',
  value: 'text',
  created_at: 'bigint',
  revoked_at: 'bigint',
} as const

const shown = 'id, project_id, mode, name, created_at, revoked_at'

const insertToken = bulk(
  columns,
  (v) => `insert into tokens (${list(columns)}) select ${list(columns, 'v')} from ${v}`,
)

/** Inserts a token and its idempotency key, or nothing. */
export async function createToken(
  context: WriteContext,
  { token, idempotency, audit }: { token: StoredToken; idempotency: Idempotency | null; audit: Audit | null },
): Promise<boolean> {
  if (await isTaken(context, idempotency)) return false
  await context.tx.bulk(insertToken, [token])
  await writeAudits(context, [audit])
  return true
}

/** Revokes a token; one that is revoked already stays as it is, and its audit is not written. */
export async function revokeToken(
  context: WriteContext,
  { scope, id, revoked_at, audit }: { scope: Scope; id: string; revoked_at: number; audit: Audit | null },
): Promise<Token | null> {
  const { tx } = context
  const key = [id, scope.project_id, scope.mode]
  const revoked = await tx.all(
    `update tokens set value = null, revoked_at = $4
     where id = $1 and project_id = $2 and mode = $3 and revoked_at is null
     returning ${shown}`,
    [...key, revoked_at],
  )
  if (revoked.length > 0) await writeAudits(context, [audit])
  const [row] =
    revoked.length > 0
      ? revoked
      : await tx.all(`select ${shown} from tokens where id = $1 and project_id = $2 and mode = $3`, key)
  return (row as (Token & Row) | undefined) ?? null
}

const selectToken = bulk(
  { id: 'text', project_id: 'text', mode: 'text' },
  (v) =>
    `select t.* from ${v} join tokens t on t.id = v.id and t.project_id = v.project_id and t.mode = v.mode`,
)

export const tokenReads = {
  async listTokens(
    tx: Transaction,
    { scope, page }: { scope: Scope; page: PageRequest },
  ): Promise<Page<Token>> {
    const { sql, binds } = where([...inScope(scope), ['id < $', page.after ?? undefined]])
    const rows = await tx.all(
      `select ${shown} from tokens where ${sql} and revoked_at is null order by id desc
       limit $${binds.length + 1}`,
      [...binds, page.limit + 1],
    )
    return toPage(rows as (Token & Row)[], page.limit)
  },

  async findTokens(
    tx: Transaction,
    { scope, ids }: { scope: Scope; ids: readonly string[] },
  ): Promise<StoredToken[]> {
    const rows = await tx.bulk(
      selectToken,
      ids.map((id) => ({ id, project_id: scope.project_id, mode: scope.mode })),
    )
    return rows as (StoredToken & Row)[]
  },
} as const
