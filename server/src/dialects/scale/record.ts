// Scale's own nouns (projects, batches, files) are records named by a kind and their customer's name for them. Changes are
// compare-and-set: whoever loses looks again.
import { AppError } from '../../domain/errors.ts'
import type { Scope } from '../../domain/project.ts'
import type { StoredRecord } from '../../domain/record.ts'
import type { Store } from '../../store/store.ts'

export type Kind = 'project' | 'batch' | 'file'

// Losing this often means that something is wrong, not that there is a crowd.
const ROUNDS_MAX = 20
const CHUNK = 500

/** The record of this name; throws `not_found`. */
export async function recordOf(
  store: Pick<Store, 'findRecord'>,
  scope: Scope,
  kind: Kind,
  name: string,
): Promise<StoredRecord> {
  const record = await store.findRecord(scope, kind, name)
  if (record === undefined) throw new AppError('not_found', `There is no ${kind} ${name} for this key`)
  return record
}

/** A record as it is first written. */
export const newRecord = (
  scope: Scope,
  kind: Kind,
  key: string,
  { body, now, expires_at = null }: { body: string; now: number; expires_at?: number | null },
): StoredRecord => ({
  ...scope,
  kind,
  key,
  body,
  created_at: now,
  updated_at: now,
  due_at: null,
  expires_at,
  version: 1,
})

/** Changes a record, and gives it as it is then. Throws `not_found`, and `conflict` when others keep winning. */
export async function changeRecord(
  store: Pick<Store, 'now' | 'findRecord' | 'updateRecord'>,
  { kind, key, ...scope }: Scope & { kind: Kind; key: string },
  change: (record: StoredRecord) => Partial<Pick<StoredRecord, 'body' | 'due_at'>>,
): Promise<StoredRecord> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const record = await recordOf(store, scope, kind, key)
    const next = { ...record, ...change(record), updated_at: store.now(), version: record.version + 1 }
    if (await store.updateRecord(next)) return next
  }
  throw new AppError('conflict', `The ${kind} ${key} keeps changing; try again`)
}

/** All records of a kind, newest first, read in chunks. */
export async function* recordsOf(
  store: Pick<Store, 'listRecords'>,
  scope: Scope,
  kind: Kind,
  times: { created_from?: number | undefined; created_to?: number | undefined } = {},
): AsyncGenerator<StoredRecord> {
  for (let offset = 0; ; offset += CHUNK) {
    const { rows, has_more } = await store.listRecords(scope, kind, { limit: CHUNK, offset, ...times })
    yield* rows
    if (!has_more) return
  }
}
