// Logs that agree with each other, small enough to read, for the checker's own test to falsify.
import type { AttemptView, DeliveryView, TaskView } from './api.ts'
import type { Incident } from './check-duplicates.ts'
import type { Evidence } from './evidence.ts'
import { textOf, type Deed, type Story } from './journal.ts'
import type { Receipt } from './receiver.ts'

const callback_url = 'http://127.0.0.1/callbacks'

/** A task of this name as its client lived through it, and as the API shows it. */
function tell(name: string, deeds: Deed[], shown: Partial<TaskView> = {}): { task: TaskView; story: Story } {
  const sent = { type: 'label', params: { of: name }, metadata: {}, unique_id: name, callback_url }
  const created = {
    id: `id-${name}`,
    ...sent,
    status: 'waiting',
    audit_status: null,
    response: null,
    callback_succeeded: null,
  }
  return {
    story: { boot: 1, sent, status: 201, task: { ...created, callback_id: 'c'.repeat(64) }, deeds },
    task: { ...created, ...shown },
  }
}

/** One request about a task. */
export const deed = (verb: Deed['verb'], status: number | null): Deed => ({ verb, value: verb, status })

function delivery({ id }: TaskView, event: string, sequence: number, attempt_count = 1): DeliveryView {
  const event_id = `${id}-${sequence}`
  return {
    id: `d-${event_id}`,
    task_id: id,
    event_id,
    event,
    sequence,
    state: 'delivered',
    resend: false,
    attempt_count,
  }
}

function receipt(
  task: TaskView,
  { event, sequence, event_id }: DeliveryView,
  given: Partial<Receipt> = {},
): Receipt {
  return {
    boot: 1,
    at: 0,
    webhook_id: event_id,
    attempt: 1,
    status_code: 200,
    type: event as Receipt['type'],
    sequence,
    task_id: task.id,
    status: task.status as Receipt['status'],
    response: task.response,
    detail: null,
    digest: event_id,
    ...given,
  }
}

const completed = (response: string) => ({ status: 'completed', response, callback_succeeded: true })

/**
 * Logs that agree: a resolution, one without an answer that stands, a race, an audit, an open task, a lost creation, and a
 * task that is reworked, by one request that took effect late.
 */
export function agreeingLogs() {
  const told = tell('told', [deed('complete', 200)], completed('complete'))
  const torn = tell('torn', [deed('inbound', null)], completed('inbound'))
  const race = tell('race', [deed('complete', 200), deed('inbound', 409)], completed('complete'))
  const audited = tell('audited', [deed('complete', 200), deed('audit', 200)], {
    ...completed('complete'),
    audit_status: 'approved',
  })
  const reworked = tell('reworked', [deed('complete', 200), deed('edit', null), deed('fix', 200)], {
    ...completed('edit'),
    audit_status: 'fixed',
  })
  const open = tell('open', [])
  const lost = tell('lost', [])
  Object.assign(lost.story, { status: null, task: null })
  const deliveries = {
    told: delivery(told.task, 'task.completed', 1),
    torn: delivery(torn.task, 'task.completed', 1, 2),
    race: delivery(race.task, 'task.completed', 1, 2),
    audited: delivery(audited.task, 'task.completed', 1),
    audit: delivery(audited.task, 'task.audit.approved', 2),
    done: delivery(reworked.task, 'task.completed', 1),
    fixed: delivery(reworked.task, 'task.audit.fixed', 2),
    edited: delivery(reworked.task, 'task.edited', 3),
  }
  const receipts = [
    receipt(told.task, deliveries.told),
    receipt(torn.task, deliveries.torn),
    receipt(race.task, deliveries.race, { status_code: 500 }),
    receipt(audited.task, deliveries.audited),
    receipt(audited.task, deliveries.audit, { detail: { verdict: 'approved', comments: textOf('audit') } }),
    receipt(race.task, deliveries.race, { attempt: 2 }),
    receipt(torn.task, deliveries.torn, { boot: 2, attempt: 2 }),
    receipt(reworked.task, deliveries.done, { response: 'complete' }),
    receipt(reworked.task, deliveries.fixed, {
      response: 'fix',
      detail: { verdict: 'fixed', comments: textOf('fix') },
    }),
    receipt(reworked.task, deliveries.edited),
  ]
  const unknown: AttemptView = { number: 1, outcome: 'unknown', status: null }
  const second: AttemptView = { number: 2, outcome: 'delivered', status: 200 }
  return {
    ending: 'killed' as Evidence['ending'],
    stories: [told, torn, race, audited, open, lost, reworked].map(({ story }) => story),
    receipts,
    faults: [] as string[],
    limit: 1,
    most_in_hand: 1,
    processes: 1,
    destinations: 1,
    incidents: [] as Incident[],
    tasks: [told, torn, race, audited, open, reworked].map(({ task }) => task),
    deliveries: Object.values(deliveries),
    attempts: new Map([
      [deliveries.torn.id, [unknown, second]],
      [deliveries.race.id, [{ number: 1, outcome: 'status', status: 500 }, second]],
    ]),
    ledgers: new Map([
      [
        torn.task.id,
        { events: [{ id: 'e', type: 'task.completed', sequence: 1 }], arrivals: [{ verdict: 'resolved' }] },
      ],
    ]),
  }
}
