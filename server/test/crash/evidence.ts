// Everything the checker may know: the clients' log, the receiver's log, and what the API tells once all is delivered.
import { setTimeout as delay } from 'node:timers/promises'
import type { Api, AttemptView, DeliveryView, EventView, TaskView } from './api.ts'
import type { Incident } from './check-duplicates.ts'
import { meaningOf, type Journal, type Story } from './journal.ts'
import type { Receipt } from './receiver.ts'

/**
 * What the server processes met: each killed at some moment, each stopped by a signal it may answer, or several at a time
 * disturbed by incidents.
 */
export type Ending = 'killed' | 'stopped' | 'disturbed'

/** What was written down while it happened, beside the clients' log. */
export type Logs = {
  /** In the order of arrival, as far as one task goes. */
  receipts: readonly Receipt[]
  /** What went wrong while the logs were written. */
  faults: readonly string[]
  /** The most requests that a receiver had at once. */
  most_in_hand: number
  /** How many server processes there are at a time. */
  processes: number
  destinations: number
  incidents: readonly Incident[]
}

/** The whole story of one task as the API tells it. */
export type Ledger = { events: EventView[]; arrivals: { verdict: string }[] }

export type Evidence = Logs & {
  ending: Ending
  stories: readonly Story[]
  /** How many requests of one process at a time the project allows at one destination. */
  limit: number
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

const UNSETTLED = ['held', 'pending', 'sending']

/** Resolves when the API shows no unsettled delivery; rejects with those left after a minute. */
export async function untilSettled(api: Api): Promise<void> {
  for (const deadline = Date.now() + SETTLE_MS; ; await delay(LOOK_AGAIN_MS)) {
    const pages = await Promise.all(
      UNSETTLED.map((state) => api.get<{ data: DeliveryView[] }>(`/v1/deliveries?state=${state}&limit=3`)),
    )
    let left = pages.flatMap(({ data }) => data)
    // One that changed its state between the looks was in none of them; what is settled once remains so.
    if (left.length === 0) {
      const all = await api.list<DeliveryView>('/v1/deliveries')
      left = all.filter(({ state }) => UNSETTLED.includes(state))
    }
    if (left.length === 0) return
    if (Date.now() > deadline) throw new Error(`Deliveries stay unsettled: ${JSON.stringify(left, null, 1)}`)
  }
}

/** Reads what the API tells and puts it beside the logs. */
export async function gather(api: Api, journal: Journal, logs: Logs, ending: Ending): Promise<Evidence> {
  const project = await api.get<{ limits: { in_flight: number } }>('/v1/project')
  const tasks = await api.list<TaskView>('/v1/tasks')
  const deliveries = await api.list<DeliveryView>('/v1/deliveries')
  const retried = deliveries.filter(({ attempt_count }, i) => attempt_count !== 1 || i % SAMPLE_EVERY === 0)
  const torn = journal.stories.filter(({ deeds }, i) => isTorn(deeds) || i % SAMPLE_EVERY === 0)
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
  return {
    ...logs,
    ending,
    stories: journal.stories,
    limit: project.limits.in_flight,
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
