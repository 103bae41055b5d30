// Idempotency keys: taken in the transaction of what they guard, so that a key without its effect cannot exist.
import { bulk, type Transaction } from '../database.ts'
import type { Idempotency } from '../store.ts'
import type { WriteContext } from './context.ts'

const columns = {
  project_id: 'text',
  mode: 'text',
  key: 'text',
  request_hash: 'text',
  status: 'bigint',
  answer: 'text',
  created_at: 'bigint',
} as const

const insertKey = bulk(
  columns,
  (v) => `insert into idempotency_keys (project_id, mode, key, request_hash, status, answer, created_at)
    select v.project_id, v.mode, v.key, v.request_hash, v.status, v.answer, v.created_at from ${v} where true
    on conflict (project_id, mode, key) do nothing returning project_id, mode, key, answer`,
)

// With `exists` SQLite looks at every key that there is.
const deleteKey = bulk(
  { project_id: 'text', mode: 'text', key: 'text' },
  (v) =>
    `delete from idempotency_keys where (project_id, mode, key) in (select v.project_id, v.mode, v.key from ${v})`,
)

const nameOf = (row: { project_id?: unknown; mode?: unknown; key?: unknown; answer?: unknown }) =>
  JSON.stringify([row.project_id, row.mode, row.key, row.answer])

/** Takes keys; returns those that someone else has. Answers are sealed with a random nonce, so no two are equal. */
export async function takeIdempotency(
  { tx, now }: WriteContext,
  guards: Idempotency[],
): Promise<Set<Idempotency>> {
  if (guards.length === 0) return new Set()
  const rows = guards.map(({ project_id, mode, key, request_hash, status, answer }) => ({
    project_id,
    mode,
    key,
    request_hash,
    status,
    answer,
    created_at: now,
  }))
  const taken = new Set((await tx.bulk(insertKey, rows)).map(nameOf))
  return new Set(guards.filter((guard) => !taken.has(nameOf(guard))))
}

/** Takes an idempotency key, if there is one; true when another request has it. */
export const isTaken = async (context: WriteContext, idempotency: Idempotency | null): Promise<boolean> =>
  idempotency !== null && (await takeIdempotency(context, [idempotency])).size > 0

// A day: long enough for whoever tries again.
const KEPT_MS = 86_400_000
const CHUNK_BYTES = 4 * 1024 * 1024

/** Deletes up to so many keys past their day, fewer where their answers are large; returns whether there may be more. */
export async function pruneIdempotency({ tx, now }: WriteContext, limit: number): Promise<boolean> {
  const rows = await tx.all(
    `select project_id, mode, key, octet_length(answer) as bytes from idempotency_keys where created_at < $1
     order by created_at limit $2 ${tx.flavor.forUpdate} ${tx.flavor.skipLocked}`,
    [now - KEPT_MS, limit],
  )
  let left = CHUNK_BYTES
  const some = rows.filter(({ bytes }, i) => (left -= Number(bytes)) >= 0 || i === 0)
  await tx.bulk(deleteKey, some)
  return some.length < rows.length || rows.length === limit
}

/** Gives keys back whose request did nothing. */
export async function dropIdempotency(tx: Transaction, guards: Idempotency[]): Promise<void> {
  await tx.bulk(
    deleteKey,
    guards.map(({ project_id, mode, key }) => ({ project_id, mode, key })),
  )
}
