// What the API says was delivered against what the receiver has. Every callback arrived and says the right thing, in order;
// what was accepted again is excused only where the ledger admits that it does not know how an attempt ended.
import { isDeepStrictEqual } from 'node:util'
import type { AttemptView, DeliveryView, TaskView } from './api.ts'
import type { Evidence } from './evidence.ts'
import { isAccepted, type Receipt } from './receiver.ts'

/** Finds what the receiver's log contradicts in the deliveries; each finding is a sentence. */
export function checkCallbacks(evidence: Evidence): string[] {
  const tasks = new Map(evidence.tasks.map((task) => [task.id, task]))
  const receipts = Map.groupBy(evidence.receipts, ({ webhook_id }) => webhook_id)
  const known = new Set(evidence.deliveries.map(({ event_id }) => event_id))
  return [
    ...evidence.receipts
      .filter(({ webhook_id }) => !known.has(webhook_id))
      .map(({ webhook_id, task_id }) => `${task_id}: the API knows nothing of callback ${webhook_id}`),
    ...evidence.deliveries.flatMap((delivery) => {
      const { task_id, event_id, event } = delivery
      const faults = checkDelivery(evidence, delivery, receipts.get(event_id) ?? [], tasks.get(task_id))
      return faults.map((fault) => `${task_id}: ${event} ${event_id}: ${fault}`)
    }),
    ...checkOrder(evidence.receipts),
  ]
}

function checkDelivery(
  { attempts, ending }: Evidence,
  delivery: DeliveryView,
  receipts: readonly Receipt[],
  task: TaskView | undefined,
): string[] {
  if (task === undefined) return ['its task is gone']
  const faults: string[] = []
  if (delivery.state !== 'delivered' || delivery.resend) faults.push(`it is ${JSON.stringify(delivery)}`)
  if (!receipts.some(isAccepted)) faults.push('the receiver never accepted it')
  const said = {
    type: delivery.event,
    sequence: delivery.sequence,
    task_id: task.id,
    status: task.status,
  }
  for (const { type, sequence, task_id, status, digest } of receipts) {
    const heard = { type, sequence, task_id, status }
    if (!isDeepStrictEqual(heard, said)) faults.push(`it said ${JSON.stringify(heard)}`)
    if (digest !== receipts[0]?.digest) faults.push('its body changed between attempts')
  }
  const log = attempts.get(delivery.id) ?? [{ number: 1, outcome: 'delivered', status: 200 }]
  return [...faults, ...checkAttempts(delivery, log, receipts, ending)]
}

/** Attempt by attempt: an outcome that the ledger claims to know is one that the receiver has given. */
function checkAttempts(
  { attempt_count }: DeliveryView,
  log: readonly AttemptView[],
  receipts: readonly Receipt[],
  ending: Evidence['ending'],
): string[] {
  const faults: string[] = []
  const numbers = log.map(({ number }) => number)
  if (
    !isDeepStrictEqual(
      numbers,
      Array.from({ length: attempt_count }, (_, i) => i + 1),
    )
  ) {
    faults.push(`its ${attempt_count} attempts are numbered ${numbers.join(', ')}`)
  }
  for (const { number, outcome, status } of log) {
    const [seen, ...again] = receipts.filter(({ attempt }) => attempt === number)
    if (again.length > 0) faults.push(`attempt ${number} was made ${again.length + 1} times`)
    if (outcome === 'unknown') {
      if (ending === 'stopped') faults.push(`attempt ${number} was cut off by a stop`)
    } else if (status === null && ending === 'disturbed') {
      // Without an answer in time nobody knows what the receiver has made of it.
    } else if (
      seen === undefined ||
      seen.status_code !== status ||
      (outcome === 'delivered') !== isAccepted(seen)
    ) {
      faults.push(`attempt ${number} is ${outcome} ${status}; the receiver says ${seen?.status_code}`)
    }
  }
  const unlogged = receipts.filter(({ attempt }) => !numbers.includes(attempt))
  return [...faults, ...unlogged.map(({ attempt }) => `attempt ${attempt} is in no ledger`)]
}

/** A task's event first arrives after the one before was accepted. */
function checkOrder(receipts: readonly Receipt[]): string[] {
  const accepted = new Map<string, number>()
  return receipts.flatMap((receipt) => {
    const { task_id, sequence } = receipt
    const last = accepted.get(task_id) ?? 0
    if (isAccepted(receipt)) accepted.set(task_id, Math.max(last, sequence))
    return sequence > last + 1
      ? [`${task_id}: event ${sequence} arrived before ${sequence - 1} was accepted`]
      : []
  })
}
