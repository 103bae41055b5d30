// What an operator sees of a destination: its row, what waits there, and the attempts of the last hour, all bounded.
import type { DestinationReport } from '../../domain/destination.ts'
import { sum, type Histogram } from '../../domain/histogram.ts'
import { bulk, type Row, type Transaction } from '../database.ts'

const HOUR_MS = 3_600_000
const COUNTED_MAX = 10_000
const LOOKED_AT_MAX = 1000

const waitingIn = (
  table: string,
) => `(select count(*) from (select 1 from ${table} x where x.destination_id = d.id
     and x.state = 'pending' limit ${COUNTED_MAX}) as w)`
const oldestIn = (table: string) => `(select min(w.created_at) from (select x.created_at from ${table} x
     where x.destination_id = d.id and x.state = 'pending' order by x.due_at limit ${LOOKED_AT_MAX}) as w)`

/** What a report selects from `destinations d`. */
export const reportColumns = `d.id, d.project_id, d.mode, d.kind, d.key, d.due_at, d.paused_at, d.pause_reason, d.opened_at,
  d.failing_since, d.created_at,
  ${waitingIn('deliveries')} + ${waitingIn('calls')} as waiting,
  coalesce(${oldestIn('deliveries')}, ${oldestIn('calls')}) as oldest_waiting_at`

const selectRates = bulk(
  { id: 'text', since: 'bigint' },
  (v) => `select r.destination_id, r.delivered, r.failed, r.durations from ${v}
    join destination_rates r on r.destination_id = v.id and r.slot_at > v.since`,
)

/** Completes rows of `reportColumns` with the attempts of the last hour. */
export async function reportsOf(tx: Transaction, rows: Row[], now: number): Promise<DestinationReport[]> {
  const slots = await tx.bulk(
    selectRates,
    rows.map(({ id }) => ({ id: id ?? null, since: now - HOUR_MS })),
  )
  const byDestination = Map.groupBy(slots, ({ destination_id }) => destination_id)
  return rows.map((row) => {
    const mine = byDestination.get(row.id ?? null) ?? []
    return {
      ...(row as Omit<DestinationReport, 'attempts'>),
      attempts: {
        delivered: total(mine, 'delivered'),
        failed: total(mine, 'failed'),
        durations: sum(mine.map(({ durations }) => JSON.parse(String(durations)) as Histogram)),
      },
    }
  })
}

const total = (rows: Row[], name: string) => rows.reduce((n, row) => n + Number(row[name]), 0)
