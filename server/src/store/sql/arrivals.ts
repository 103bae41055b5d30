// The inbound ledger, bounded per task so that one noisy provider cannot fill the disk.
import { bulk } from '../database.ts'
import type { Arrival } from '../store.ts'
import { arrivalColumns, list } from './columns.ts'
import type { WriteContext } from './context.ts'

const ARRIVALS_PER_TASK = 100

const insertArrival = bulk(
  arrivalColumns,
  (v) => `insert into arrivals (${list(arrivalColumns)}) select ${list(arrivalColumns, 'v')} from ${v}
    where v.verdict = 'resolved'
      or (select count(*) from (select 1 from arrivals a where a.task_id = v.task_id limit ${ARRIVALS_PER_TASK}) as kept) < ${ARRIVALS_PER_TASK}`,
)

/** Writes requests to the ledger; the one that resolved its task always has room. */
export async function recordArrivals({ tx }: WriteContext, arrivals: Arrival[]): Promise<null[]> {
  await tx.bulk(insertArrival, arrivals)
  return arrivals.map(() => null)
}
