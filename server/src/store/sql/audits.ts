// The audit log: rows are only inserted, in the transaction of what they tell of, and deleted by the walk of retention.
import type { Audit } from '../../domain/audit.ts'
import { firstIdAt } from '../../domain/id.ts'
import { toPage, type Page, type PageRequest } from '../../domain/page.ts'
import { bulk, type Transaction } from '../database.ts'
import type { AuditFilter } from '../store.ts'
import { auditColumns, list } from './columns.ts'
import type { WriteContext } from './context.ts'
import { where } from './where.ts'

const DAY_MS = 86_400_000
// A year, and the month in which somebody looks back at it.
const KEPT_MS = 400 * DAY_MS

const insertAudit = bulk(
  auditColumns,
  (v) => `insert into audits (${list(auditColumns)}) select ${list(auditColumns, 'v')} from ${v}`,
)

/** Writes down what the transaction does; null and undefined are acts that nobody wants to hear of. */
export async function writeAudits(
  { tx }: Pick<WriteContext, 'tx'>,
  audits: readonly (Audit | null | undefined)[],
): Promise<void> {
  const rows = audits.flatMap((audit) => audit ?? [])
  if (rows.length > 0) await tx.bulk(insertAudit, rows)
}

/** Writes down an act that changes nothing in the database. */
export async function recordAudits(context: WriteContext, audits: Audit[]): Promise<null[]> {
  await writeAudits(context, audits)
  return audits.map(() => null)
}

const deleteAudit = bulk({ id: 'text' }, (v) => `delete from audits where id in (select v.id from ${v})`)

/** Deletes so many of those that were kept for long enough; returns how many. */
export async function pruneAudits({ tx, now }: WriteContext, limit: number): Promise<number> {
  // In a statement of its own: inside a delete, planned while the table was empty, it took PostgreSQL seconds (measured).
  const rows = await tx.all(
    `select id from audits where id < $1 order by id limit $2 ${tx.flavor.forUpdate} ${tx.flavor.skipLocked}`,
    [firstIdAt(now - KEPT_MS), limit],
  )
  await tx.bulk(
    deleteAudit,
    rows.map(({ id }) => ({ id: id ?? null })),
  )
  return rows.length
}

export const auditReads = {
  async listAudits(
    tx: Transaction,
    { filter, page }: { filter: AuditFilter; page: PageRequest },
  ): Promise<Page<Audit>> {
    const { project_id, act, since, until } = filter
    const { sql, binds } = where([
      ['project_id = $', project_id],
      ['act = $', act],
      // An id has the time of its row, so the bounds are those of an index.
      ['id >= $', since === undefined ? '' : firstIdAt(since)],
      ['id < $', until === undefined ? undefined : firstIdAt(until)],
      ['id < $', page.after ?? undefined],
    ])
    const rows = await tx.all(
      `select * from audits where ${sql} order by id desc limit $${binds.length + 1}`,
      [...binds, page.limit + 1],
    )
    return toPage(rows as Audit[], page.limit)
  },
} as const
