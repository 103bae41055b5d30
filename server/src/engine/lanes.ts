// The engine's memory of who is being sent what: one lane per destination, so that a hung receiver holds up nobody but
// itself. Everything here is a hint for speed; the truth about a delivery is its row. Empty lanes are forgotten.
import { defaultSettings, type Limits } from '../domain/project.ts'
import type { Addressed, ClaimRequest, ClaimResult } from '../store/store.ts'
import type { Clock } from './clock.ts'

/** What a project's lanes hold together: so many reserved, queued, in flight and unsettled, and the bytes of all but the first. */
type Project = { lanes: number; held: number; bytes: number }

/**
 * `unsettled` are those answered but not yet written, `backlog` says that more may wait in the database, `next_at` is when
 * the next one may begin at the pace of the limit, and `callOff` ends the wait for that.
 */
type Lane<T> = Addressed & {
  project: Project
  limits: Limits
  next_at: number
  callOff: (() => void) | null
  reserved: number
  in_flight: number
  unsettled: number
  queue: T[]
  /** Of what is queued, in flight and unsettled. */
  bytes: number
  backlog: boolean
}

/** What goes along a lane: a delivery or a call that this process holds a lease of. */
export type Leased = Addressed & { id: string; lease_until: number | null }

export type Lanes<T extends Leased> = {
  /** Keeps a place for a delivery to come; false when there is none, or when older work waits in the database. */
  reserve: (addressed: Addressed) => boolean
  /** Gives a reserved place back. */
  cancel: (addressed: Addressed) => void
  /**
   * Sends a delivery, at once or when its lane's turn comes. False when too many wait there for the limit of a second: its
   * slot stays reserved, and it must be given back.
   */
  push: (delivery: T, limits: Limits) => boolean
  /** Counts a claimed delivery in, before it is pushed. */
  adopt: (delivery: T) => void
  /** An attempt is over: its slot is free, though the delivery still counts until `forget`. Idempotent. */
  finish: (delivery: T) => void
  /** A finished delivery is settled, or left to the rescuer. */
  forget: (delivery: T) => void
  /** What to claim now; null when there is no room. */
  request: () => ClaimRequest | null
  /** Learns from a claim where more waits; true when there is room to claim it at once. */
  learn: (request: ClaimRequest, result: ClaimResult<T>) => boolean
  /** Empties all queues, or that of one destination; each delivery in them is now one with a reserved slot. */
  drain: (destination_id?: string) => T[]
  /** Resolves when nothing is reserved, queued, in flight or unsettled. */
  idle: () => Promise<void>
  inFlight: () => number
  size: () => number
}

export type LanesOptions<T> = {
  clock: Clock
  start: (delivery: T) => void
  /** What of memory one takes, roughly. */
  bytesOf: (delivery: T) => number
  /** A lane, or the whole, has room again for what waits in the database. */
  onRoom: () => void
  /** So many times what may be in flight is held for a destination: more lets nobody wait for a commit of ours, less keeps choice. */
  ahead?: number
  /** Whether one goes before another that waits in the same lane; else they go as they come. */
  precedes?: (one: T, other: T) => boolean
  /** Bounds memory: reserved, queued, in flight and not yet settled together. */
  capacity?: number
}

const CAPACITY = 8192
const CAPACITY_BYTES = 256 * 1024 * 1024
// What a claim will weigh is guessed from what is held, mixed with so many bodies of the largest size.
const GUESS_COUNT = 16
const GUESS_BYTES = 1024 * 1024
const CLAIM_DESTINATIONS = 64
// A destination starts with this many and gets more as it proves to have more: a dead one is not worth many leases.
const CLAIM_EACH = 16
const CLAIM_NAMED = 1024
// A lane holds so many times what may be in flight, so that the receiver never waits for a commit of ours. It is also the
// most that a kill can make arrive twice.
const AHEAD = 4
// A limit of so many a second lets a tenth of a second's worth begin at once, and two seconds' worth wait here: a lease
// must not run out in the queue.
const BURST_MS = 100
const QUEUED_S = 2

/** Makes the lanes. */
export function createLanes<T extends Leased>({
  clock,
  start,
  onRoom,
  bytesOf,
  ahead = AHEAD,
  precedes,
  capacity = CAPACITY,
}: LanesOptions<T>): Lanes<T> {
  const lanes = new Map<string, Lane<T>>()
  const projects = new Map<string, Project>()
  let taken = 0
  let bytes = 0
  const inFlight = new Set<T>()
  let short = false
  let whenIdle: (() => void)[] = []

  function projectOf(project_id: string): Project {
    let project = projects.get(project_id)
    if (project === undefined) projects.set(project_id, (project = { lanes: 0, held: 0, bytes: 0 }))
    return project
  }

  function laneOf({ project_id, destination_id }: Addressed): Lane<T> {
    let lane = lanes.get(destination_id)
    if (lane === undefined) {
      lane = {
        project_id,
        destination_id,
        project: projectOf(project_id),
        limits: defaultSettings.limits,
        next_at: 0,
        callOff: null,
        reserved: 0,
        in_flight: 0,
        unsettled: 0,
        queue: [],
        bytes: 0,
        backlog: false,
      }
      lanes.set(destination_id, lane)
      lane.project.lanes++
    }
    return lane
  }

  const held = (lane: Lane<T>) => lane.reserved + lane.in_flight + lane.unsettled + lane.queue.length

  function tidy(lane: Lane<T>): void {
    if (lane.backlog || held(lane) > 0) return
    if (beginsAt(lane) > clock.now()) return waitForTurn(lane)
    lane.callOff?.()
    lanes.delete(lane.destination_id)
    if (--lane.project.lanes === 0) projects.delete(lane.project_id)
  }

  const hasSlot = ({ limits: { in_flight: limit }, in_flight, unsettled }: Lane<T>) =>
    in_flight < limit && in_flight + unsettled < ahead * limit

  /** When the next one may begin as far as the limit of a second goes. */
  function beginsAt({ limits: { per_second }, next_at }: Lane<T>): number {
    return per_second === null ? 0 : Math.ceil(next_at - Math.max(0, BURST_MS - 1000 / per_second))
  }

  const mayBegin = (lane: Lane<T>) => hasSlot(lane) && beginsAt(lane) <= clock.now()

  function pump(lane: Lane<T>): void {
    while (mayBegin(lane)) {
      const delivery = lane.queue.shift()
      if (delivery === undefined) return
      begin(lane, delivery)
    }
    if (lane.queue.length > 0 && hasSlot(lane)) waitForTurn(lane)
  }

  function waitForTurn(lane: Lane<T>): void {
    lane.callOff ??= clock.at(beginsAt(lane), () => {
      lane.callOff = null
      pump(lane)
      if (wantsMore(lane)) onRoom()
      tidy(lane)
    })
  }

  function enqueue(queue: T[], delivery: T): void {
    const at = precedes === undefined ? -1 : queue.findIndex((other) => precedes(delivery, other))
    if (at < 0) queue.push(delivery)
    else queue.splice(at, 0, delivery)
  }

  function begin(lane: Lane<T>, delivery: T): void {
    const { per_second } = lane.limits
    if (per_second !== null) lane.next_at = Math.max(lane.next_at, clock.now()) + 1000 / per_second
    lane.in_flight++
    inFlight.add(delivery)
    start(delivery)
  }

  function weigh(lane: Lane<T>, size: number): void {
    lane.bytes += size
    lane.project.bytes += size
    bytes += size
  }

  function take(lane: Lane<T>): void {
    lane.reserved++
    lane.project.held++
    taken++
  }

  function release({ project }: Lane<T>): void {
    project.held--
    taken--
    if (taken === 0) for (const resolve of whenIdle.splice(0)) resolve()
    if (short && taken <= capacity / 2) {
      short = false
      onRoom()
    }
  }

  /** How many more fit, of which `count` and `size` are spoken for. */
  function freeCount(count = 0, size = 0): number {
    const mean_bytes = (bytes + GUESS_COUNT * GUESS_BYTES) / (taken + GUESS_COUNT)
    return Math.min(capacity - taken - count, Math.floor((CAPACITY_BYTES - bytes - size) / mean_bytes))
  }

  // No project holds more than is left for all others, and no lane more than its project may still have: n lanes of one that
  // hang have one part in 2n + 1 each (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet
  // switches", 1998, in two levels). Else one hung receiver of large bodies would stop everybody.
  const share = (lane: Lane<T>) => freeCount(lane.project.held + held(lane), lane.project.bytes + lane.bytes)

  function fullProjects(): string[] {
    return [...projects].flatMap(([id, project]) => (freeCount(project.held, project.bytes) <= 0 ? id : []))
  }

  function room(lane: Lane<T>): number {
    const { in_flight, per_second } = lane.limits
    const free = Math.min(ahead * in_flight - held(lane), share(lane))
    return per_second === null
      ? free
      : Math.min(free, QUEUED_S * per_second - lane.queue.length - lane.reserved)
  }

  // At the edge of its share a lane would ask for one at a time.
  const wantsMore = (lane: Lane<T>) =>
    lane.backlog && lane.queue.length <= lane.limits.in_flight && room(lane) > 0 && share(lane) >= held(lane)

  return {
    reserve(addressed) {
      if (taken >= capacity || bytes >= CAPACITY_BYTES) return false
      const lane = laneOf(addressed)
      // A refusal makes no backlog: whoever is refused wakes the claim, which finds out.
      const fits = !lane.backlog && room(lane) > 0
      if (fits) take(lane)
      else tidy(lane)
      return fits
    },
    cancel(addressed) {
      const lane = laneOf(addressed)
      lane.reserved--
      release(lane)
      if (wantsMore(lane)) onRoom()
      tidy(lane)
    },
    adopt: (delivery) => take(laneOf(delivery)),
    push(delivery, limits) {
      const lane = laneOf(delivery)
      lane.limits = limits
      if (limits.per_second !== null && lane.queue.length >= QUEUED_S * limits.per_second) return false
      lane.reserved--
      weigh(lane, bytesOf(delivery))
      enqueue(lane.queue, delivery)
      pump(lane)
      return true
    },
    finish(delivery) {
      if (!inFlight.delete(delivery)) return
      const lane = laneOf(delivery)
      lane.in_flight--
      lane.unsettled++
      pump(lane)
    },
    forget(delivery) {
      const lane = laneOf(delivery)
      lane.unsettled--
      weigh(lane, -bytesOf(delivery))
      release(lane)
      pump(lane)
      if (wantsMore(lane)) onRoom()
      tidy(lane)
    },
    request() {
      const free = freeCount()
      if (free <= 0) {
        short = true
        return null
      }
      // Half for those known to have more, half for whoever turns up.
      let named = Math.min(CLAIM_NAMED, Math.floor(free / 2))
      const per_destination = Math.min(CLAIM_EACH, free - named)
      const destinations = Math.min(CLAIM_DESTINATIONS, Math.floor((free - named) / per_destination))
      const rooms: Record<string, number> = {}
      for (const [id, lane] of lanes) {
        const most = Math.max(0, room(lane))
        if (!lane.backlog && most >= per_destination) continue
        // When nothing is left for those that are named, it comes when it has been due the longest.
        if (most > 0 && named === 0) continue
        rooms[id] = Math.min(most, named)
        named -= rooms[id]
        // Nobody will have looked how much more there is.
        if (most === 0) lane.backlog = true
      }
      return { destinations, per_destination, room: rooms, full_projects: fullProjects() }
    },
    learn(request, { claimed, more }) {
      const full = new Set(more)
      const looked = new Set(more)
      for (const { destination_id } of claimed) looked.add(destination_id)
      // Fewer destinations than asked for are all that were due.
      const all = looked.size < request.destinations
      // Where nobody had room, the next will not have much: a rest, or very many such would take all of the writer.
      let again = !all && claimed.length > 0
      for (const [id, lane] of lanes) {
        if (full.has(id)) lane.backlog = true
        else if (looked.has(id) || (all && (request.room[id] ?? 0) > 0)) lane.backlog = false
        if (wantsMore(lane)) again = true
        tidy(lane)
      }
      return again
    },
    drain(destination_id) {
      const queued: T[] = []
      const drained = destination_id === undefined ? lanes.values() : [lanes.get(destination_id) ?? []].flat()
      for (const lane of drained) {
        lane.reserved += lane.queue.length
        for (const one of lane.queue) weigh(lane, -bytesOf(one))
        queued.push(...lane.queue.splice(0))
      }
      return queued
    },
    idle: () =>
      new Promise((resolve) => {
        if (taken === 0) resolve()
        else whenIdle.push(resolve)
      }),
    inFlight: () => inFlight.size,
    size: () => lanes.size,
  }
}
