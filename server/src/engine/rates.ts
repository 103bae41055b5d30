// How destinations fare, counted in memory and written now and then: no delivery pays for it with a write of its own. A kill
// loses the counts of a few seconds and nothing else. What has done nothing but fail for a day is paused on the way.
import { FAILING_PAUSE_MS } from '../domain/destination.ts'
import { count, emptyHistogram, type Histogram } from '../domain/histogram.ts'
import type { RetryPolicy } from '../domain/delivery.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Tried } from './report.ts'

export type DestinationRates = {
  /** Counts an attempt. */
  attempted: (tried: Tried) => void
  /** Writes what has been counted; null, since it wants to be woken for more. */
  flush: () => Promise<null>
}

type Slot = { slot_at: number; delivered: number; failed: number; durations: Histogram }
/** `failing_since` is the first failure after the last success since the last flush. */
type Health = { succeeded: 0 | 1; failing_since: number | null; window_ms: number }

const SLOT_MS = 300_000
const FLUSH_MS = 10_000
const CHUNK = 200

/** Makes the counters; `onCounted` is called when there is something to flush at `due_at`. */
export function createRates({
  store,
  policyOf,
  clock,
  log,
  metrics,
  onCounted,
}: {
  store: Pick<Store, 'recordRates'>
  policyOf: (project_id: string) => RetryPolicy | undefined
  clock: Clock
  log: Log
  metrics: Metrics
  onCounted: (due_at: number) => void
}): DestinationRates {
  const slots = new Map<string, Slot>()
  let changed = new Map<string, Health>()
  // Whose row says that they do not fail. Another process may come to another view, so it is not believed for long.
  const well = new Set<string>()
  let well_until = 0

  function slotOf(destination_id: string): Slot {
    const slot_at = Math.floor(clock.now() / SLOT_MS) * SLOT_MS
    const known = slots.get(destination_id)
    if (known?.slot_at === slot_at) return known
    const slot = { slot_at, delivered: 0, failed: 0, durations: emptyHistogram() }
    slots.set(destination_id, slot)
    return slot
  }

  async function write(ids: string[], health: Map<string, Health>): Promise<void> {
    const now = clock.now()
    const rates = ids.flatMap((destination_id) => {
      const slot = slots.get(destination_id)
      return slot === undefined ? [] : { destination_id, ...slot, durations: JSON.stringify(slot.durations) }
    })
    const rows = ids.flatMap((id) => {
      const known = health.get(id)
      if (known === undefined || (known.failing_since === null && well.has(id))) return []
      const { succeeded, failing_since, window_ms } = known
      return { id, succeeded, failing_since, failing_before: now - Math.max(FAILING_PAUSE_MS, window_ms) }
    })
    const { paused, resumed } = await store.recordRates({ rates, health: rows })
    for (const { id, failing_since } of rows) {
      if (failing_since === null) well.add(id)
      else well.delete(id)
    }
    for (const destination_id of paused) {
      metrics.destinationPaused()
      log.warn({ destination_id, reason: 'failing' }, 'destination.paused')
    }
    for (const destination_id of resumed) log.info({ destination_id }, 'destination.resumed')
  }

  return {
    attempted({ subject, outcome, attempt }) {
      if (outcome.kind === 'unknown') return
      const { destination_id: id, project_id } = subject
      const delivered = outcome.kind === 'delivered'
      const slot = slotOf(id)
      slot[delivered ? 'delivered' : 'failed']++
      count(slot.durations, attempt.duration_ms)
      const known = changed.get(id)
      // Mailboxes that do not exist, if they are all that is written to, must not pause a whole mail domain.
      const alive = delivered || outcome.kind === 'refused'
      const failing_since = alive ? null : (known?.failing_since ?? attempt.started_at)
      const succeeded = alive ? 1 : (known?.succeeded ?? 0)
      const window_ms = policyOf(project_id)?.window_ms ?? known?.window_ms ?? 0
      changed.set(id, { succeeded, failing_since, window_ms })
      // Whoever sends something again by hand wants to see at once what it changed.
      onCounted(clock.now() + (delivered && subject.byHand ? 0 : FLUSH_MS))
    },
    async flush() {
      if (clock.now() >= well_until) {
        well.clear()
        well_until = clock.now() + SLOT_MS
      }
      const health = changed
      changed = new Map()
      const ids = [...health.keys()].toSorted()
      for (let i = 0; i < ids.length; i += CHUNK) await write(ids.slice(i, i + CHUNK), health)
      const oldest_at = clock.now() - SLOT_MS
      for (const [id, { slot_at }] of slots) if (slot_at <= oldest_at && !changed.has(id)) slots.delete(id)
      return null
    },
  }
}
