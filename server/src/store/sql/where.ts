// Conditions of list reads: filters are data, not strings of callers.
import type { Scope } from '../../domain/project.ts'
import type { SqlValue, Transaction } from '../database.ts'

/** A condition in which `$` stands for its value; one without a value is left out. */
export type Condition = [sql: string, value: SqlValue | undefined]

/** The conditions that have values, with their binds numbered as they come. */
export function where(conditions: readonly Condition[]): { sql: string; binds: SqlValue[] } {
  const given = conditions.filter((c): c is [string, SqlValue] => c[1] !== undefined)
  return {
    sql: given.map(([sql], i) => sql.replaceAll(/\$(?!\d)/g, () => `$${i + 1}`)).join(' and '),
    binds: given.map(([, value]) => value),
  }
}

/** Whose rows may be seen. As the first conditions of a read their binds are `$1` and `$2`. */
export const inScope = ({ project_id, mode }: Scope): Condition[] => [
  ['project_id = $', project_id],
  ['mode = $', mode],
]

/** A state as a filter; that of what failed stands there in words, without which its index is not used. */
export const isInState = (column: 'state' | 'status', state: string | undefined): Condition =>
  state === 'failed' ? [`${column} = 'failed' and ${column} = $`, state] : [`${column} = $`, state]

/** How many rows `table where …` has; counts no further than `limit`. */
export async function countUpTo(
  tx: Transaction,
  rows: string,
  binds: readonly SqlValue[],
  limit: number,
): Promise<number> {
  const [row] = await tx.all(
    `select count(*) as count from (select 1 from ${rows} limit $${binds.length + 1}) as found`,
    [...binds, limit],
  )
  return Number(row?.count)
}
