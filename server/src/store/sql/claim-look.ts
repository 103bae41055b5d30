// Which destinations a claim takes something of, and how much: those whose time has come, and those that it names.
import type { DestinationKind } from '../../domain/destination.ts'
import type { ClaimRequest } from '../claiming.ts'
import { bulk, type Transaction } from '../database.ts'

// So many due destinations are looked at, however few there is room for: those without room must not hide the others.
const LOOKED_AT = 64
// And so many times at most: each time those that were read past before are, too.
const LOOKS = 4
// Of what its project has left a destination gets this part at most: the first ones, with one delivery each, would else use it up, and a
// claim would follow for every two or three.
const SHARED_BY = 16

/** A destination that a claim looks at. */
export type Due = {
  id: string
  project_id: string
  due_at: number | null
  opened_at: number | null
  settings: string
}

/** How many each destination has room for, in their order; who is not in it has none, or has come too late for this claim. */
type Allotted = {
  rooms: Map<string, number>
  /** Those without room of their own. */
  parked: string[]
  /** Projects whose room is given away, and of which there are more. */
  spent: Set<string>
  /** Others might have had something, but this claim takes no more destinations. */
  late: boolean
}

/** What a claim is to take. */
export type Look = {
  open: Due[]
  rooms: Map<string, number>
  parked: string[]
  spent: Set<string>
  /** More may be due, of which something could be taken. */
  isOut: boolean
  /** Whether anything that is due was left out for want of room. */
  passed: boolean
}

/** Finds the destinations that are due, those due longest first, and locks them. */
export async function lookForDue(
  tx: Transaction,
  now: number,
  kind: DestinationKind,
  request: ClaimRequest,
): Promise<Look> {
  const full = Object.keys(request.project_room).filter((id) => request.project_room[id] === 0)
  const due = new Map<string, Due>()
  let spent = new Set<string>()
  for (let looks = 1; ; looks++) {
    const past = [...full, ...spent]
    const found = await selectDue(tx, now, kind, { projects: past, ids: request.past })
    for (const destination of found) due.set(destination.id, destination)
    const isOut = found.length === LOOKED_AT
    const known = spent.size
    spent = allot([...due.values()], request).spent
    // Those for which their project has no room left do not hide others, which are looked for once more without them.
    if (isOut && request.destinations > 0 && spent.size > known && looks < LOOKS) continue
    const candidates = [...due.values(), ...(await selectNamed(tx, now, request, due))]
    const { rooms, parked, late } = allot(candidates, request)
    return {
      open: candidates.filter(({ id }) => (rooms.get(id) ?? 0) > 0),
      rooms,
      parked,
      spent,
      isOut: isOut || late,
      passed: full.length + spent.size + request.past.length > 0,
    }
  }
}

function allot(
  destinations: readonly Due[],
  { destinations: most_unnamed, per_destination, room, project_room }: ClaimRequest,
): Allotted {
  const rooms = new Map<string, number>()
  const parked: string[] = []
  const spent = new Set<string>()
  const left = new Map(Object.entries(project_room))
  let unnamed = 0
  let late = false
  for (const { id, project_id, opened_at } of destinations) {
    const own = room[id]
    const shared = left.get(project_id) ?? Infinity
    const most = Math.min(per_destination, Math.ceil(shared / SHARED_BY))
    const given = Math.min(own ?? most, opened_at === null ? Infinity : 1)
    if (own === 0) parked.push(id)
    else if (own !== undefined) rooms.set(id, given)
    else if (given <= 0) spent.add(project_id)
    else if (unnamed === most_unnamed) late = true
    else {
      unnamed++
      left.set(project_id, shared - given)
      rooms.set(id, given)
    }
  }
  return { rooms, parked, spent, late }
}

/** Those of full projects, and those with large ones, are read past: to park them would be to write each of them, over and over. */
async function selectDue(
  tx: Transaction,
  now: number,
  kind: DestinationKind,
  past: { projects: readonly string[]; ids: readonly string[] },
): Promise<Due[]> {
  return (await tx.all(
    `select d.id, d.project_id, d.due_at, d.opened_at, p.settings from destinations d join projects p on p.id = d.project_id
     where d.kind = '${kind}' and d.due_at <= $1 and d.project_id ${tx.flavor.noneOf('$3')} and d.id ${tx.flavor.noneOf('$4')}
     order by d.due_at limit $2 ${tx.flavor.skipLocked === '' ? '' : 'for no key update of d skip locked'}`,
    [now, LOOKED_AT, JSON.stringify(past.projects), JSON.stringify(past.ids)],
  )) as Due[]
}

const selectById = bulk(
  { id: 'text', now: 'bigint' },
  (v) => `select d.id, d.project_id, d.due_at, d.opened_at, p.settings from ${v}
    join destinations d on d.id = v.id join projects p on p.id = d.project_id where d.not_before <= v.now`,
)

/** Those that are named with room and are not due: a freed slot must not wait until its destination's parking ends. */
async function selectNamed(
  tx: Transaction,
  now: number,
  { room }: ClaimRequest,
  due: ReadonlyMap<string, Due>,
): Promise<Due[]> {
  const named = Object.keys(room).filter((id) => !due.has(id) && (room[id] ?? 0) > 0)
  if (named.length === 0) return []
  const locked = tx.flavor.skipLocked === '' ? named : await lockFree(tx, named)
  const rows = await tx.bulk(
    selectById,
    locked.map((id) => ({ id, now })),
  )
  return rows as Due[]
}

const lockNamed = bulk(
  { id: 'text' },
  (v) =>
    `select d.id from destinations d join ${v} on d.id = v.id order by d.id for no key update of d skip locked`,
)

async function lockFree(tx: Transaction, ids: string[]): Promise<string[]> {
  const rows = await tx.bulk(
    lockNamed,
    ids.map((id) => ({ id })),
  )
  return rows.map(({ id }) => String(id))
}
