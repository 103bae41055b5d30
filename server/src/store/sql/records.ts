// Records: named by project, mode, kind and key, changed by compare-and-set on the version, and claimed one at a time when
// they are due. Nothing here knows what a record means.
import { toPage, type Page } from '../../domain/page.ts'
import type { Scope } from '../../domain/project.ts'
import type { StoredRecord } from '../../domain/record.ts'
import { bulk, type Row, type SqlValue, type Transaction } from '../database.ts'
import type { Idempotency } from '../store.ts'
import { assignments, list, recordColumns } from './columns.ts'
import type { WriteContext } from './context.ts'
import { dropIdempotency, takeIdempotency } from './idempotency.ts'
import { countUpTo, inScope, where } from './where.ts'

const TOTAL_MAX = 10_000

const insert = bulk(
  recordColumns,
  (v) => `insert into records (${list(recordColumns)}) select ${list(recordColumns, 'v')} from ${v} where true
    on conflict (project_id, mode, kind, key) do nothing returning key`,
)

export type InsertRecordResult =
  | { kind: 'created' }
  /** Another record has this kind and key. */
  | { kind: 'taken' }
  | { kind: 'idempotency_key_taken' }

/** Inserts a record with its idempotency key, or nothing. */
export async function insertRecord(
  context: WriteContext,
  { record, idempotency }: { record: StoredRecord; idempotency: Idempotency | null },
): Promise<InsertRecordResult> {
  const { tx } = context
  const guards = idempotency === null ? [] : [idempotency]
  if ((await takeIdempotency(context, guards)).size > 0) return { kind: 'idempotency_key_taken' }
  if ((await tx.bulk(insert, [record])).length > 0) return { kind: 'created' }
  await dropIdempotency(tx, guards)
  return { kind: 'taken' }
}

const named = (v: string) =>
  `records.project_id = ${v}.project_id and records.mode = ${v}.mode and records.kind = ${v}.kind and records.key = ${v}.key`

const mutable = ['body', 'updated_at', 'due_at', 'expires_at', 'version'] as const

const update = bulk(
  recordColumns,
  (v) => `update records set ${assignments(mutable)} from ${v}
    where ${named('v')} and records.version = v.version - 1 returning records.key`,
)

/** Writes the row after a change; false when the row before it is not there any more. */
export async function updateRecord(
  { tx }: WriteContext,
  { record }: { record: StoredRecord },
): Promise<boolean> {
  return (await tx.bulk(update, [record])).length > 0
}

/** What names a record. */
export type RecordName = Pick<StoredRecord, 'project_id' | 'mode' | 'kind' | 'key'>

const byName = 'project_id = $1 and mode = $2 and kind = $3 and key = $4'
const nameOf = ({ project_id, mode, kind, key }: RecordName): SqlValue[] => [project_id, mode, kind, key]

/** False when there is no such record. */
export async function deleteRecord(
  { tx }: WriteContext,
  { record }: { record: RecordName },
): Promise<boolean> {
  const rows = await tx.all(`delete from records where ${byName} returning key`, nameOf(record))
  return rows.length > 0
}

/** Makes a verb for one record a verb for many, so that no two transactions take their rows in opposite orders. */
export const inOrderOfNames =
  <I extends { record: RecordName }, R>(verb: (context: WriteContext, input: I) => Promise<R>) =>
  async (context: WriteContext, inputs: I[]): Promise<R[]> => {
    const names = inputs.map((input, index) => ({ index, name: JSON.stringify(nameOf(input.record)) }))
    const results = new Map<number, R>()
    for (const { index } of names.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))) {
      results.set(index, await verb(context, inputs[index] as I))
    }
    return inputs.map((_, index) => results.get(index) as R)
  }

/**
 * Takes the record that has been due longest, unless somebody holds it or it is of one of the projects `except`, and makes it
 * due again when the lease is over.
 */
export async function claimRecord(
  { tx, now }: WriteContext,
  { lease_ms, except }: { lease_ms: number; except: readonly string[] },
): Promise<StoredRecord | null> {
  const [row] = await tx.all(
    `select * from records where due_at <= $1 and project_id ${tx.flavor.noneOf('$2')}
     order by due_at limit 1 ${tx.flavor.forUpdate} ${tx.flavor.skipLocked}`,
    [now, JSON.stringify(except)],
  )
  if (row === undefined) return null
  const due = row as StoredRecord & Row
  const claimed = { ...due, due_at: now + lease_ms, version: due.version + 1 }
  await tx.bulk(update, [claimed])
  return claimed
}

export type RecordPageRequest = {
  limit: number
  offset: number
  /** Created at this time or later, in milliseconds. */
  created_from?: number | undefined
  /** Created before this time, in milliseconds. */
  created_to?: number | undefined
}
/** `total` is exact below 10,000. */
export type RecordPage = Page<StoredRecord> & { total: number }

export const recordReads = {
  async findRecord(tx: Transaction, name: RecordName): Promise<StoredRecord | null> {
    const [row] = await tx.all(`select * from records where ${byName}`, nameOf(name))
    return (row as (StoredRecord & Row) | undefined) ?? null
  },

  async listRecords(
    tx: Transaction,
    { scope, kind, page }: { scope: Scope; kind: string; page: RecordPageRequest },
  ): Promise<RecordPage> {
    const { sql, binds } = where([
      ...inScope(scope),
      ['kind = $', kind],
      ['created_at >= $', page.created_from],
      ['created_at < $', page.created_to],
    ])
    const rows = await tx.all(
      `select * from records where ${sql} order by created_at desc, key desc
       limit $${binds.length + 1} offset $${binds.length + 2}`,
      [...binds, page.limit + 1, page.offset],
    )
    const total = await countUpTo(tx, `records where ${sql}`, binds, TOTAL_MAX)
    return { ...toPage(rows as (StoredRecord & Row)[], page.limit), total }
  },

  async nextRecordDue(tx: Transaction, { except }: { except: readonly string[] }): Promise<number | null> {
    const [row] = await tx.all(
      `select due_at from records where due_at is not null and project_id ${tx.flavor.noneOf('$1')} order by due_at limit 1`,
      [JSON.stringify(except)],
    )
    return (row?.due_at as number | null | undefined) ?? null
  },
} as const
