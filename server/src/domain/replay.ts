// A replay is a durable job: every event whose latest delivery matches it gets a fresh delivery of its original bytes. What
// matches is fixed when the job is made, so that neither what the job makes nor what settles meanwhile is among it.
import { deliveryStates, isUnsettled, type DeliveryState } from './delivery.ts'
import { firstIdAt } from './id.ts'
import type { Scope } from './project.ts'

export const replayStates = ['running', 'done'] as const
export type ReplayState = (typeof replayStates)[number]

/** The states whose deliveries can be replayed: an unsettled one is still on its way. */
export const replayableStates: readonly DeliveryState[] = deliveryStates.filter(
  (state) => !isUnsettled(state),
)

/**
 * Which deliveries match: the latest ones of their events that are in `delivery_state`, to `destination_id` unless that is
 * null, created from `from_at` (null: ever since) until before `to_at`, and settled when the job was made, at `created_at`.
 */
export type ReplayFilter = Scope & {
  delivery_state: DeliveryState
  destination_id: string | null
  from_at: number | null
  to_at: number
  created_at: number
}

/**
 * A replay as stored. `cursor` is the id of the first delivery not looked at yet, `count` how many matched when the job was
 * made. Of those, `replayed` got a fresh delivery, and `skipped` were sent again otherwise meanwhile, or deleted; that is known
 * at the end, and 0 until then.
 */
export type Replay = ReplayFilter & {
  id: string
  state: ReplayState
  cursor: string
  count: number
  replayed: number
  skipped: number
  updated_at: number
  finished_at: number | null
}

/** The job for a filter that `count` deliveries match; with none it is done. */
export const newReplay = (id: string, filter: ReplayFilter, count: number): Replay => ({
  ...filter,
  id,
  state: count === 0 ? 'done' : 'running',
  cursor: firstIdAt(filter.from_at ?? 0),
  count,
  replayed: 0,
  skipped: 0,
  updated_at: filter.created_at,
  finished_at: count === 0 ? filter.created_at : null,
})
