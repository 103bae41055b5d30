// Claims: due destinations first, then a few of what waits at each, in separate statements: lock, lease, recompute. One
// statement for all three works on a snapshot older than its locks and strands work (measured).
import type { DestinationKind } from '../../domain/destination.ts'
import { isSmall } from '../../domain/weight.ts'
import { bulk, type Transaction } from '../database.ts'
import type { ClaimRequest, ClaimResult } from '../claiming.ts'
import { lookForDue, type Due } from './claim-look.ts'
import type { WriteContext } from './context.ts'
import { recomputeDueAt } from './destinations.ts'

// A destination without room is looked at again after this long, should the wake-up of its freed slot get lost.
const PARKED_MS = 1000
// Where some that are due are not looked at, nothing tells soon when others will be.
const LOOK_AGAIN_MS = 100
// What got nothing for want of bytes keeps its place before those that did, but for no longer: many such must not hide others.
const PLACE_MS = 500

/** A row that waits at a destination, and what a claim writes of it. */
export type Claimable = {
  id: string
  destination_id: string
  fence: number
  lease_owner: string | null
  lease_until: number | null
}

/** What can be claimed: rows of one kind, and how they are found, leased and completed. */
export type Source<R extends Claimable, T extends Claimable> = {
  kind: DestinationKind
  /** Those whose time has come, at most `room` of each destination, in the order in which they are taken; locked. */
  pending: (tx: Transaction, now: number, open: readonly { id: string; room: number }[]) => Promise<R[]>
  lease_ms: (row: R, settings: string) => number
  lease: (tx: Transaction, claimed: readonly T[]) => Promise<unknown>
  /** What of memory each will take, in bytes, by its id; told without reading what is large. */
  weigh: (tx: Transaction, rows: readonly R[]) => Promise<Map<string, number>>
  /** Rows as whoever claims them gets them. */
  ready: (context: WriteContext, rows: readonly R[]) => Promise<T[]>
}

const parkDestination = bulk(
  { id: 'text', due_at: 'bigint' },
  (v) => `update destinations set due_at = v.due_at from ${v} where destinations.id = v.id`,
)

/** Makes the verb that leases due rows of a kind; a batch holds at most one of its claims. */
export function claimFrom<R extends Claimable, T extends Claimable>(source: Source<R, T>) {
  return async (context: WriteContext, inputs: ClaimRequest[]): Promise<ClaimResult<T>[]> => {
    const results: ClaimResult<T>[] = []
    for (const input of inputs) results.push(await claim(source, context, input))
    return results
  }
}

async function claim<R extends Claimable, T extends Claimable>(
  source: Source<R, T>,
  context: WriteContext,
  request: ClaimRequest,
): Promise<ClaimResult<T>> {
  const { tx, now, owner } = context
  const { open, rooms, parked, spent, isOut, passed } = await lookForDue(tx, now, source.kind, request)
  const roomOf = (id: string) => rooms.get(id) ?? 0
  const opened = new Set(open.flatMap(({ id, opened_at }) => (opened_at === null ? [] : id)))
  const waiting = await source.pending(
    tx,
    now,
    open.map(({ id }) => ({ id, room: roomOf(id) })),
  )
  const destinations = new Map(open.map((destination) => [destination.id, destination]))
  const { fits, cut, hopeless } = within(waiting, await source.weigh(tx, waiting), destinations, request)
  const leased = fits.map((row) => ({
    ...row,
    state: 'sending' as const,
    due_at: null,
    lease_owner: owner,
    lease_until: now + source.lease_ms(row, destinations.get(row.destination_id)?.settings ?? ''),
    fence: row.fence + 1,
  }))
  const claimed = await source.ready(context, leased)
  await source.lease(tx, claimed)
  const probes = claimed.filter(({ destination_id }) => opened.has(destination_id))
  await tx.bulk(
    closeForProbe,
    probes.map(({ destination_id, lease_until }) => ({ id: destination_id, not_before: lease_until })),
  )
  const took = new Set(claimed.map(({ destination_id }) => destination_id))
  const floorOf = ({ id, due_at }: Due) =>
    cut.has(id) && !took.has(id) ? Math.min(now, Math.max(due_at ?? now, now - PLACE_MS)) : now
  await tx.bulk(
    recomputeDueAt,
    open.map((destination) => ({ id: destination.id, now: floorOf(destination) })),
  )
  await tx.bulk(
    parkDestination,
    parked.map((id) => ({ id, due_at: now + PARKED_MS })),
  )
  const counts = Map.groupBy(waiting, ({ destination_id }) => destination_id)
  const isFilled = ({ id }: Due) => (counts.get(id)?.length ?? 0) >= roomOf(id)
  const hasMore = (due: Due) => cut.has(due.id) || (!opened.has(due.id) && isFilled(due))
  // A destination may have fewer than it was given of its project's room, which then has some left for others.
  const isLeft = open.some((due) => spent.has(due.project_id) && !isFilled(due))
  const further = isOut || isLeft || cut.size > hopeless.size
  const full = request.destinations === 0 || passed || hopeless.size > 0
  return {
    claimed,
    more: [...parked, ...open.filter(hasMore).map(({ id }) => id)],
    cut: Object.fromEntries(hopeless),
    further,
    spent: [...spent],
    probes: probes.map(({ id }) => id),
    next_due_at: await nextDueAt(tx, now, source.kind, { full, further, destinations: request.destinations }),
  }
}

/** Bytes that are left, as a request has them. */
type Budget = Pick<ClaimRequest, 'bytes' | 'spare_bytes' | 'room_bytes' | 'project_bytes'>

/**
 * Those for which there are bytes: all that are small, but not past a large one of the same destination for which there are none.
 * What that one weighs is in `cut`, and in `hopeless` where there were none to begin with.
 */
function within<R extends Claimable>(
  rows: readonly R[],
  sizes: ReadonlyMap<string, number>,
  destinations: ReadonlyMap<string, Due>,
  request: Budget,
): { fits: R[]; cut: Map<string, number>; hopeless: Map<string, number> } {
  const fits: R[] = []
  const cut = new Map<string, number>()
  const hopeless = new Map<string, number>()
  const left: Budget = {
    ...request,
    room_bytes: { ...request.room_bytes },
    project_bytes: { ...request.project_bytes },
  }
  for (const row of rows) {
    const due = destinations.get(row.destination_id)
    if (due === undefined || cut.has(due.id)) continue
    const size = sizes.get(row.id) ?? 0
    if (isSmall(size)) fits.push(row)
    else if (bytesFor(due, left) > 0) {
      fits.push(row)
      spend(due, left, size)
    } else {
      cut.set(due.id, size)
      if (bytesFor(due, request) <= 0) hopeless.set(due.id, size)
    }
  }
  return { fits, cut, hopeless }
}

function bytesFor(
  { id, project_id }: Due,
  { bytes, spare_bytes, room_bytes, project_bytes }: Budget,
): number {
  return Math.min(bytes, room_bytes[id] ?? Math.min(spare_bytes, project_bytes[project_id] ?? Infinity))
}

function spend({ id, project_id }: Due, left: Budget, size: number): void {
  left.bytes -= size
  const own = left.room_bytes[id]
  if (own !== undefined) left.room_bytes[id] = own - size
  else {
    left.spare_bytes -= size
    left.project_bytes[project_id] = (left.project_bytes[project_id] ?? Infinity) - size
  }
}

async function nextDueAt(
  tx: Transaction,
  now: number,
  kind: DestinationKind,
  { full, further, destinations }: { full: boolean; further: boolean; destinations: number },
): Promise<number | null> {
  if (full) return further && destinations > 0 ? now : now + LOOK_AGAIN_MS
  const [next] = await tx.all(
    `select min(due_at) as due_at from destinations where kind = '${kind}' and due_at is not null`,
  )
  return (next?.['due_at'] as number | null | undefined) ?? null
}

// Nothing else goes to a destination with an open breaker until its probe is settled, or its lease is over.
const closeForProbe = bulk(
  { id: 'text', not_before: 'bigint' },
  (v) =>
    `update destinations set not_before = v.not_before from ${v}
     where destinations.id = v.id and destinations.not_before < v.not_before`,
)
