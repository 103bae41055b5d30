// What to claim next: a claim takes a little of every destination that is due, and of those that it names what each has room for.
import type { ClaimRequest } from '../store/claiming.ts'
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
// Everybody's commits wait while a claim reads bodies: with sixteen times as many at once those of others took four times as long,
// and large ones were drained no faster (measured).
const BYTES = 4 * 1024 * 1024

/** How many deliveries and bytes a lane has room for, how many by its own limits alone, and where what waits is known to be too large. */
type Known<L> = {
  roomOf: (lane: L) => number
  limitOf: (lane: L) => number
  bytesOf: (lane: L) => number
  tooLarge: readonly string[]
}

/** Plans a claim, and gives how many each lane gets that is named; one that gets none is not looked at. */
export function planClaim<L extends Lane>(
  lanes: readonly L[],
  { held, bytes, spare }: Fitting,
  { project_room, project_bytes, behind }: Rooms,
  { roomOf, limitOf, bytesOf, tooLarge }: Known<L>,
): { request: ClaimRequest; given: Map<L, number> } {
  // Half for those known to have more, half for whoever turns up.
  let named = Math.min(NAMED, Math.ceil(held / 2))
  const unnamed = Math.max(0, Math.min(held - named, spare.held))
  // Where not all can have their turn, the first ones do not get several.
  const per_destination = behind ? 1 : Math.max(1, Math.min(EACH, unnamed))
  const each = Math.max(per_destination, Math.floor(named / lanes.filter(({ backlog }) => backlog).length))
  const given = new Map<L, number>()
  const room: Record<string, number> = {}
  const room_bytes: Record<string, number> = {}
  const past = new Set(tooLarge)

  for (const lane of lanes) {
    // Those of the standing `other` have together what their project has room for.
    const { project, destination_id: id } = lane
    const bounded = lane.standing === 'other'
    const shared = bounded ? (project_room[project.id] ?? 0) : Infinity
    const most = Math.max(0, Math.min(roomOf(lane), shared))
    // Whoever is named is served before those that are due, and so would be before those that wait for their turn.
    const waitsForTurn = most > 0 && bounded && project.behind
    // The claim itself keeps to what a project has room for; to name all its lanes, of which most wait for nothing, would leave
    // none of that to those that do.
    const enough = (bounded ? limitOf(lane) : most) >= per_destination
    const isLikeOthers = enough && (!lane.backlog || named === 0)
    if (most > 0) past.delete(id)
    if (waitsForTurn || isLikeOthers) continue
    const gets = Math.min(most, named, each)
    named -= gets
    given.set(lane, gets)
    if (bounded) project_room[project.id] = (project_room[project.id] ?? 0) - gets
    else if (gets > 0) room_bytes[id] = bytesOf(lane)
    // Of those in a full project none has room anyway, and those that are too large are looked past.
    if ((!bounded || !project.full) && !past.has(id)) room[id] = gets
  }

  const destinations = Math.min(DESTINATIONS, Math.ceil(unnamed / per_destination))
  return {
    request: {
      destinations,
      per_destination,
      bytes: Math.min(BYTES, bytes),
      spare_bytes: Math.min(BYTES, spare.bytes),
      room,
      room_bytes,
      project_room,
      project_bytes,
      past: [...past],
    },
    given,
  }
}
