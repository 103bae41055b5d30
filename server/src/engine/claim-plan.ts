// What to claim next: a claim takes a little of every destination that is due, and of those that it names what each has room for.
import { isSmall } from '../domain/weight.ts'
import type { ClaimRequest } from '../store/claiming.ts'
import type { Fitting, Project, Rooms } from './shares.ts'
import type { Standing } from './standings.ts'

type Lane = {
  destination_id: string
  project: Project
  standing: Standing
  /** The bytes of the delivery weighed last. */
  usual: number | null
  /** More may wait in the database. */
  backlog: boolean
}

const DESTINATIONS = 64
// A destination starts with this many and gets more as it proves to have more: a dead one is not worth many leases.
const EACH = 16
const NAMED = 1024
// And this part of the bytes that fit: what else comes meanwhile needs some, too.
const BYTES_PART = 4

/**
 * Plans a claim, and gives how many each lane gets that is named; one that gets none is not looked at. `roomOf` is how many a lane
 * has room for, as far as its project has.
 */
export function planClaim<L extends Lane>(
  lanes: readonly L[],
  { held, bytes, spare }: Fitting,
  rooms: Rooms,
  roomOf: (lane: L) => number,
): { request: ClaimRequest; given: Map<L, number> } {
  // Half for those known to have more, half for whoever turns up.
  let named = Math.min(NAMED, Math.ceil(held / 2))
  const unnamed = Math.max(0, Math.min(held - named, spare))
  // Where not all can have their turn, the first ones do not get several.
  const per_destination = rooms.behind ? 1 : Math.max(1, Math.min(EACH, unnamed))
  const each = Math.max(per_destination, Math.floor(named / lanes.filter(({ backlog }) => backlog).length))
  const given = new Map<L, number>()
  const room: Record<string, number> = {}

  for (const lane of lanes) {
    // Those of the standing `other` have together what their project has room for.
    const { id, behind: waits, full } = lane.project
    const bounded = lane.standing === 'other'
    const weight = lane.usual === null || isSmall(lane.usual) ? 0 : lane.usual
    const shared = bounded ? inProject(rooms, id, weight) : Infinity
    const most = Math.max(0, Math.min(roomOf(lane), shared))
    // Whoever is named is served before those that are due, and so would be before those that wait for their turn.
    const waitsForTurn = most > 0 && bounded && waits
    const isLikeOthers = most >= per_destination && (!lane.backlog || named === 0)
    if (waitsForTurn || isLikeOthers) continue
    const gets = Math.min(most, named, each)
    named -= gets
    given.set(lane, gets)
    if (bounded) takeOf(rooms, id, gets, weight)
    // Of those in a full project none has room anyway.
    if (!bounded || !full) room[lane.destination_id] = gets
  }

  const destinations = Math.min(DESTINATIONS, Math.ceil(unnamed / per_destination))
  return {
    request: {
      destinations,
      per_destination,
      bytes: Math.ceil(bytes / BYTES_PART),
      room,
      project_room: rooms.project_room,
      project_bytes: rooms.project_bytes,
    },
    given,
  }
}

/** How many of a weight a project has room for. */
function inProject({ project_room, project_bytes }: Rooms, id: string, weight: number): number {
  const places = project_room[id] ?? 0
  return weight === 0 ? places : Math.min(places, Math.ceil((project_bytes[id] ?? 0) / weight))
}

function takeOf({ project_room, project_bytes }: Rooms, id: string, count: number, weight: number): void {
  project_room[id] = (project_room[id] ?? 0) - count
  project_bytes[id] = Math.max(0, (project_bytes[id] ?? 0) - count * weight)
}
