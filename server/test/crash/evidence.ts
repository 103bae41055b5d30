// Everything the checker may know: the clients' log, the receiver's log, and what the API tells once all is delivered.
import { setTimeout as delay } from 'node:timers/promises'
import type { Api, AttemptView, DeliveryView, EventView, TaskView } from './api.ts'
import { meaningOf, type Journal, type Story } from './journal.ts'
import type { Receipt } from './receiver.ts'

/** How the server processes ended: killed at some moment, or stopped by a signal they may answer. */
export type Ending = 'killed' | 'stopped'

/** The whole story of one task as the API tells it. */
export type Ledger = { events: EventView[]; arrivals: { verdict: string }[] }

export type Evidence = {
  ending: Ending
  stories: readonly Story[]
  receipts: readonly Receipt[]
  /** What went wrong while the logs were written. */
  faults: readonly string[]
  /** How many requests the project allows in flight, and the most that the receiver had at once. */
  limit: number
  most_in_hand: number
  tasks: TaskView[]
  deliveries: DeliveryView[]
  /** Attempts by delivery: of all that had more than one, and of a sample of the others. */
  attempts: Map<string, AttemptView[]>
  /** By task: of all that a kill may have torn, and of a sample of the others. */
  ledgers: Map<string, Ledger>
}

const SETTLE_MS = 60_000
const LOOK_AGAIN_MS = 50
const SAMPLE_EVERY = 50

/** Resolves when the API shows no unsettled delivery; rejects with those left after a minute. */
export async function untilSettled(api: Api): Promise<void> {
  for (const deadline = Date.now() + SETTLE_MS; ; await delay(LOOK_AGAIN_MS)) {
    const pages = await Promise.all(
      ['held', 'pending', 'sending'].map((state) =>
        api.get<{ data: DeliveryView[] }>(`/v1/deliveries?state=${state}&limit=3`),
      ),
    )
    const left = pages.flatMap(({ data }) => data)
    if (left.length === 0) return
    if (Date.now() > deadline) throw new Error(`Deliveries stay unsettled: ${JSON.stringify(left, null, 1)}`)
  }
}

/** Reads what the API tells and puts it beside the logs. */
export async function gather(
  api: Api,
  logs: { journal: Journal; receipts: readonly Receipt[]; faults: readonly string[]; most_in_hand: number },
  ending: Ending,
): Promise<Evidence> {
  const project = await api.get<{ limits: { in_flight: number } }>('/v1/project')
  const tasks = await api.list<TaskView>('/v1/tasks')
  const deliveries = await api.list<DeliveryView>('/v1/deliveries')
  const retried = deliveries.filter(({ attempt_count }, i) => attempt_count !== 1 || i % SAMPLE_EVERY === 0)
  const torn = logs.journal.stories.filter(({ deeds }, i) => isTorn(deeds) || i % SAMPLE_EVERY === 0)
  const attempts = await mapAll(retried, async ({ id }) => {
    return [id, (await api.get<{ attempts: AttemptView[] }>(`/v1/deliveries/${id}`)).attempts] as const
  })
  const there = new Set(tasks.map(({ id }) => id))
  const readable = torn.flatMap(({ task }) => (task !== null && there.has(task.id) ? task.id : []))
  const ledgers = await mapAll(readable, async (id) => {
    const [events, arrivals] = await Promise.all([
      api.list<EventView>(`/v1/tasks/${id}/events`),
      api.list<{ verdict: string }>(`/v1/tasks/${id}/arrivals`),
    ])
    return [id, { events, arrivals }] as const
  })
  const { journal, receipts, faults, most_in_hand } = logs
  return {
    ending,
    stories: journal.stories,
    receipts,
    faults,
    limit: project.limits.in_flight,
    most_in_hand,
    tasks,
    deliveries,
    attempts: new Map(attempts),
    ledgers: new Map(ledgers),
  }
}

/** Whether some deed got no answer, or a refusal, so that more than one outcome is thinkable. */
const isTorn = (deeds: Story['deeds']) => deeds.some(({ status }) => meaningOf(status) !== 'done')

const LANES = 16

/** Maps with a few calls under way at a time. */
async function mapAll<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const entries = items.entries()
  const lane = async () => {
    for (const [i, item] of entries) results[i] = await map(item)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return results
}
