// Sending an event again: a fresh delivery of its frozen bytes, or the one that is still unsettled brought forward to now.
import type { Audit } from '../domain/audit.ts'
import { leaseMs, type Delivery } from '../domain/delivery.ts'
import { AppError } from '../domain/errors.ts'
import type { Scope } from '../domain/project.ts'
import type { Task } from '../domain/task.ts'
import type { Idempotency, NewDelivery, Store } from '../store/store.ts'
import type { Caller } from './caller.ts'
import type { Dialects } from './dialect.ts'

// How often a re-send looks again when the event's delivery changed under it.
const ROUNDS_MAX = 20

/** What is sent again: an event, and where it goes. */
export type Again = Pick<
  NewDelivery,
  'task_id' | 'event_id' | 'event_type' | 'sequence' | 'destination_id' | 'url'
>

/** What is known of the delivery when its re-send is accepted. */
export type Resent = Again &
  Pick<
    Delivery,
    | 'id'
    | 'project_id'
    | 'mode'
    | 'resend'
    | 'state'
    | 'reason'
    | 'attempt_count'
    | 'due_at'
    | 'created_at'
    | 'settled_at'
    | 'give_up_at'
  >

type Deps = { store: Store; dialects: Dialects; newId: () => string }

/** A task's last event, as what is sent again; throws `nothing_to_resend`. */
export async function lastEventOf(store: Pick<Store, 'lastEvent'>, task: Task): Promise<Again> {
  const refuse = (why: string) => new AppError('nothing_to_resend', why)
  if (task.event_count === 0) throw refuse('No event of this task has happened yet')
  const { callback_url, destination_id } = task
  if (callback_url === null || destination_id === null) throw refuse('This task has no callback_url')
  const event = await store.lastEvent(task.id)
  if (event === undefined) throw refuse('Its customer is told of no event that this task has had')
  return {
    task_id: task.id,
    event_id: event.id,
    event_type: event.type,
    sequence: event.sequence,
    destination_id,
    url: callback_url,
  }
}

/**
 * Sends an event again, at once and past any order; undefined when the idempotency key is taken. `written` gives the rows that
 * are kept with it, made before the store has decided, so that they tell of the delivery as it was accepted. Throws `pruned`, and
 * `conflict` when the event's deliveries keep changing.
 */
export async function resend(
  { store, dialects, newId }: Deps,
  { scope, project }: Pick<Caller, 'scope' | 'project'>,
  again: Again,
  written: (resent: Resent) => { idempotency: Idempotency | null; audit?: Audit } = () => ({
    idempotency: null,
  }),
): Promise<Resent | undefined> {
  const lease_ms = leaseMs(dialects.get(project.dialect).policy(project).timeout_ms)
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const unsettled = await store.unsettledDelivery(again.task_id, again.sequence)
    const created_at = store.now()
    const delivery = toDelivery(again, { id: newId(), ...scope, created_at })
    const resent = unsettled === undefined ? asFresh(delivery) : broughtForward(unsettled, created_at)
    const result = await store.resend({
      delivery: { ...delivery, lease_ms },
      unsettled_id: unsettled?.id ?? null,
      ...written(resent),
    })
    switch (result) {
      case 'done':
        return resent
      case 'idempotency_key_taken':
        return undefined
      case 'pruned':
        throw new AppError('pruned', "This event's body was deleted after its retention time")
      case 'raced':
    }
  }
  throw new AppError('conflict', 'The deliveries of this event keep changing; try again')
}

type Made = Scope & { id: string; created_at: number }

const toDelivery = (again: Again, { id, project_id, mode, created_at }: Made) => ({
  id,
  project_id,
  mode,
  task_id: again.task_id,
  event_id: again.event_id,
  event_type: again.event_type,
  sequence: again.sequence,
  destination_id: again.destination_id,
  url: again.url,
  resend: 1 as const,
  ordered: 0 as const,
  created_at,
})

const asFresh = (delivery: Omit<NewDelivery, 'lease_ms'>): Resent => ({
  ...delivery,
  state: 'pending',
  reason: null,
  attempt_count: 0,
  due_at: delivery.created_at,
  settled_at: null,
  give_up_at: null,
})

const broughtForward = (delivery: Delivery, now: number): Resent =>
  delivery.state === 'pending' ? { ...delivery, due_at: Math.min(delivery.due_at ?? now, now) } : delivery
