// Keys of projects. They are looked up by every request and hardly ever written, but for when they were last used, which comes
// from memory now and then.
import type { Audit } from '../../domain/audit.ts'
import type { Key, KeyRole, KeyScope } from '../../domain/key.ts'
import { toPage, type Page, type PageRequest } from '../../domain/page.ts'
import type { Mode } from '../../domain/project.ts'
import { bulk, bulkLock, type Row, type Transaction } from '../database.ts'
import type { Idempotency, KeyUse } from '../store.ts'
import { writeAudits } from './audits.ts'
import { list } from './columns.ts'
import type { WriteContext } from './context.ts'
import { isTaken } from './idempotency.ts'

const columns = {
  id: 'text',
  project_id: 'text',
  mode: 'text',
  role: 'text',
  name: 'text',
  scopes: 'text',
  hash: 'text',
  hint: 'text',
  created_at: 'bigint',
  expires_at: 'bigint',
  last_used_at: 'bigint',
} as const

const insertKey = bulk(
  columns,
  (v) => `insert into keys (${list(columns)}) select ${list(columns, 'v')} from ${v}`,
)

/** Inserts keys as they are. */
export const insertKeys = (tx: Transaction, keys: readonly Key[]) =>
  tx.bulk(
    insertKey,
    keys.map((key) => ({ ...key, scopes: key.scopes === null ? null : JSON.stringify(key.scopes) })),
  )

const keyOf = (row: Row): Key => ({
  id: String(row.id),
  project_id: String(row.project_id),
  mode: row.mode as Mode,
  role: row.role as KeyRole,
  name: row.name as string | null,
  scopes: row.scopes == null ? null : (JSON.parse(String(row.scopes)) as KeyScope[]),
  hash: String(row.hash),
  hint: String(row.hint),
  created_at: Number(row.created_at),
  expires_at: row.expires_at as number | null,
  last_used_at: row.last_used_at as number | null,
})

export async function createKey(
  context: WriteContext,
  { key, idempotency, audit }: { key: Key; idempotency: Idempotency | null; audit: Audit | null },
): Promise<boolean> {
  if (await isTaken(context, idempotency)) return false
  await insertKeys(context.tx, [key])
  await writeAudits(context, [audit])
  return true
}

/** Deletes a key. Its audit is told what it was, since nothing else remembers. */
export async function revokeKey(
  context: WriteContext,
  { project_id, key_id, audit }: { project_id: string; key_id: string; audit: Audit | null },
): Promise<boolean> {
  const [row] = await context.tx.all('delete from keys where project_id = $1 and id = $2 returning *', [
    project_id,
    key_id,
  ])
  if (row === undefined) return false
  const { mode, role, name } = keyOf(row)
  await writeAudits(context, [audit && { ...audit, mode, detail: JSON.stringify({ role, name }) }])
  return true
}

const lockKey = bulkLock(
  { id: 'text' },
  (v) => `select keys.id from keys join ${v} on keys.id = v.id order by keys.id for no key update of keys`,
)

const updateLastUse = bulk(
  { id: 'text', last_used_at: 'bigint' },
  (v) => `update keys set last_used_at = v.last_used_at from ${v}
    where keys.id = v.id and (keys.last_used_at is null or keys.last_used_at < v.last_used_at)`,
)

/** Writes when keys were last used; of what several processes say, the latest holds. */
export async function recordKeyUses({ tx }: WriteContext, { uses }: { uses: KeyUse[] }): Promise<null> {
  const ids = uses.map(({ id }) => ({ id }))
  // Processes that write the same keys at once must take them in one order; SQLite has one writer.
  if (tx.flavor.forUpdate !== '') await tx.bulk(lockKey, ids)
  await tx.bulk(updateLastUse, uses)
  return null
}

export const keyReads = {
  async listKeys(
    tx: Transaction,
    { project_id, page }: { project_id: string; page: PageRequest },
  ): Promise<Page<Key>> {
    const rows = await tx.all('select * from keys where project_id = $1 and id > $2 order by id limit $3', [
      project_id,
      page.after ?? '',
      page.limit + 1,
    ])
    return toPage(rows.map(keyOf), page.limit)
  },

  async findKey(tx: Transaction, { hash }: { hash: string }): Promise<Key | null> {
    const [row] = await tx.all('select * from keys where hash = $1', [hash])
    return row === undefined ? null : keyOf(row)
  },
} as const
