// What to claim next: a claim takes a little of every destination that is due, and of those that it names what each has room for.
import type { ClaimRequest } from '../store/store.ts'
import type { Fitting, Project, Rooms } from './shares.ts'
import type { Standing } from './standings.ts'

type Lane = {
  destination_id: string
  project: Project
  standing: Standing
  /** More may wait in the database. */
  backlog: boolean
}

const DESTINATIONS = 64
// A destination starts with this many and gets more as it proves to have more: a dead one is not worth many leases.
const EACH = 16
const NAMED = 1024
// And this part of the bytes that fit: how much one weighs is seen only then.
const BYTES_PART = 4

/**
 * Plans a claim, and gives how many each lane gets that is named; one that gets none is not looked at. `roomOf` is how many a lane
 * has room for, as far as its project has.
 */
export function planClaim<L extends Lane>(
  lanes: readonly L[],
  { held, bytes, spare }: Fitting,
  { project_room, behind }: Rooms,
  roomOf: (lane: L) => number,
): { request: ClaimRequest; given: Map<L, number> } {
  // Half for those known to have more, half for whoever turns up.
  let named = Math.min(NAMED, Math.ceil(held / 2))
  const unnamed = Math.max(0, Math.min(held - named, spare))
  // Where not all can have their turn, the first ones do not get several.
  const per_destination = behind ? 1 : Math.max(1, Math.min(EACH, unnamed))
  const each = Math.max(per_destination, Math.floor(named / lanes.filter(({ backlog }) => backlog).length))
  const given = new Map<L, number>()
  const room: Record<string, number> = {}

  for (const lane of lanes) {
    // Those of the standing `other` have together what their project has room for.
    const { id, behind: waits, full } = lane.project
    const bounded = lane.standing === 'other'
    const most = Math.max(0, Math.min(roomOf(lane), bounded ? (project_room[id] ?? 0) : Infinity))
    // Whoever is named is served before those that are due, and so would be before those that wait for their turn.
    const waitsForTurn = most > 0 && bounded && waits
    const isLikeOthers = most >= per_destination && (!lane.backlog || named === 0)
    if (waitsForTurn || isLikeOthers) continue
    const gets = Math.min(most, named, each)
    named -= gets
    given.set(lane, gets)
    if (bounded) project_room[id] = (project_room[id] ?? 0) - gets
    // Of those in a full project none has room anyway.
    if (!bounded || !full) room[lane.destination_id] = gets
  }

  const destinations = Math.min(DESTINATIONS, Math.ceil(unnamed / per_destination))
  return {
    request: { destinations, per_destination, bytes: Math.ceil(bytes / BYTES_PART), room, project_room },
    given,
  }
}
