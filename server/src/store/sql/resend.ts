// Re-sends and cancels: what an operator asks of single deliveries.
import type { Audit } from '../../domain/audit.ts'
import type { Row } from '../database.ts'
import type { Delivery } from '../../domain/delivery.ts'
import type { ResendRequest, ResendResult } from '../store.ts'
import { writeAudits } from './audits.ts'
import type { WriteContext } from './context.ts'
import { insertDeliveries, type InsertDelivery, type Inserted } from './delivery-insert.ts'
import { wake } from './destinations.ts'
import { isTaken } from './idempotency.ts'
import { bodiesOf, finishDeliveries, type Final } from './settle.ts'

export type ResendInput = Omit<ResendRequest, 'delivery'> & { delivery: InsertDelivery }
export type ResendOutput = { result: ResendResult; delivery: Inserted | null; body: string }

const unsettled = `select id, state, destination_id, task_id, seq from deliveries
  where task_id = $1 and sequence = $2 and state in ('held', 'pending', 'sending') order by seq limit 1`

/** Makes fresh deliveries of old events, or brings the unsettled ones forward to now. */
export async function resendDeliveries(
  context: WriteContext,
  inputs: ResendInput[],
): Promise<ResendOutput[]> {
  const outputs: ResendOutput[] = []
  for (const input of inputs) outputs.push(await resend(context, input))
  return outputs
}

const nothing = (result: ResendResult): ResendOutput => ({ result, delivery: null, body: '' })

async function resend(context: WriteContext, input: ResendInput): Promise<ResendOutput> {
  const { tx } = context
  const { delivery, unsettled_id, idempotency, audit } = input
  const [current] = await tx.all(unsettled, [delivery.task_id, delivery.sequence])
  if ((current?.id ?? null) !== unsettled_id) return nothing('raced')
  const [event] = await tx.all(
    'select 1 as kept from events where task_id = $1 and sequence = $2 and body is not null',
    [delivery.task_id, delivery.sequence],
  )
  if (event === undefined) return nothing('pruned')
  if (await isTaken(context, idempotency)) return nothing('idempotency_key_taken')
  await writeAudits(context, [audit])
  if (current !== undefined) {
    await bringForward(context, delivery.task_id, String(current.id))
    return nothing('done')
  }
  const inserted = (await insertDeliveries(context, [delivery])).get(delivery.id) ?? null
  // It may be large, and is not wanted before it is sent.
  const bodies = await bodiesOf(context, inserted?.state === 'sending' ? [delivery] : [])
  return { result: 'done', delivery: inserted, body: bodies.get(delivery.id) ?? '' }
}

/** Makes a pending delivery due now; of a held one, the head of its task that it waits for. */
async function bringForward({ tx, now }: WriteContext, task_id: string, id: string): Promise<void> {
  const rows = await tx.all(
    `update deliveries set due_at = $1 where state = 'pending' and due_at > $1 and task_id = $2 and (id = $3
       or (ordered = 1 and exists (select 1 from deliveries d where d.id = $3 and d.state = 'held')))
     returning destination_id`,
    [now, task_id, id],
  )
  await wake(
    tx,
    rows.map(({ destination_id }) => ({ id: String(destination_id), due_at: now })),
  )
}

export type CancelInput = Pick<Delivery, 'id' | 'task_id' | 'destination_id' | 'sequence'> & {
  audit: Audit | null
}

/** Cancels deliveries: at once when nobody is sending them, else when the attempt ends. */
export async function cancelDeliveries(context: WriteContext, inputs: CancelInput[]): Promise<null[]> {
  const { tx, now } = context
  for (const { id, audit } of inputs) {
    const [row] = (await tx.all(
      `update deliveries set state = 'canceled', reason = 'canceled', due_at = null, settled_at = $2, fence = fence + 1
       where id = $1 and state in ('held', 'pending') returning task_id, sequence, resend, ordered, state`,
      [id, now],
    )) as (Omit<Final, 'lease_ms'> & Row)[]
    if (row !== undefined) {
      await writeAudits(context, [audit])
      await finishDeliveries(context, [{ ...row, lease_ms: null }])
      continue
    }
    const asked = await tx.all(
      `update deliveries set cancel_requested = 1 where id = $1 and state = 'sending' and cancel_requested = 0
       returning id`,
      [id],
    )
    if (asked.length > 0) await writeAudits(context, [audit])
  }
  return inputs.map(() => null)
}
