// The engine's memory of who is being sent what: one lane per destination, so that a hung receiver holds up nobody but
// itself. Everything here is a hint for speed; the truth about a delivery is its row. Empty lanes are forgotten.
import { defaultSettings, type Limits } from '../domain/project.ts'
import type { ClaimRequest, ClaimResult } from '../store/claiming.ts'
import type { Addressed } from '../store/store.ts'
import { planClaim } from './claim-plan.ts'
import type { Clock } from './clock.ts'
import { createHeads } from './heads.ts'
import { createShares, type Project } from './shares.ts'
import {
  createRemembered,
  isInTime,
  noteEnd,
  noteLate,
  standingOf,
  type Standing,
  type Times,
} from './standings.ts'

/** What is sent to a destination, and what is known of it. */
type Lane<T> = Addressed & {
  project: Project
  times: Times
  /** By its times, when they were last looked at. */
  standing: Standing
  limits: Limits
  /** When the next one may begin at the pace of the limit; `callOff` ends the wait for that. */
  next_at: number
  callOff: (() => void) | null
  reserved: number
  in_flight: number
  /** Answered but not yet written. */
  unsettled: number
  queue: T[]
  /** Of all that is reserved, queued, in flight or unsettled. */
  bytes: number
  /** More may wait in the database. */
  backlog: boolean
  /** That was heard since the last claim was asked for, which may not have seen it. */
  told: boolean
  /** Its queue is being begun. */
  pumping: boolean
}

/** What goes along a lane: a delivery or a call that this process holds a lease of. */
export type Leased = Addressed & { id: string; lease_until: number | null }

export type Lanes<T extends Leased> = {
  /**
   * Keeps a place for a delivery of so many bytes; false when there is none, or older work waits in the database. The place is
   * filled by `accept`, which a push must follow, or given back.
   */
  reserve: (addressed: Addressed, bytes: number) => boolean
  /**
   * Told of what waits in the database: whether its lane has as much as its limits allow, or its project as much as its share
   * does. Then it needs no claim of its own: one follows when there is a place.
   */
  awaits: (addressed: Addressed) => boolean
  /** Gives back a place for so many bytes in which nothing was pushed. */
  cancel: (addressed: Addressed, bytes: number) => void
  /**
   * Sends a delivery, at once or when its lane's turn comes. False when too many wait there for the limit of a second: its
   * slot stays reserved, and it must be given back.
   */
  push: (delivery: T, limits: Limits) => boolean
  /** Puts a delivery in the place that was reserved for so many bytes, before it is pushed. */
  accept: (delivery: T, reserved_bytes: number) => void
  /** Counts a claimed delivery in, before it is pushed. */
  adopt: (delivery: T) => void
  /**
   * An attempt is over: its slot is free, though the delivery still counts until `forget`. `tried` says whether anything was sent;
   * else it tells nothing of the receiver. Idempotent.
   */
  finish: (delivery: T, tried: boolean) => void
  /** A finished delivery is settled, or left to the rescuer. */
  forget: (delivery: T) => void
  /** What to claim now; null when there is no room. */
  request: () => ClaimRequest | null
  /** Learns from a claim where more waits; true when there is room to claim it at once. */
  learn: (request: ClaimRequest, result: ClaimResult<T>) => boolean
  /** Empties all queues, or that of one destination; each delivery in them is now one in a place of its own, as before its push. */
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
  const shares = createShares(capacity)
  const heads = createHeads(() => clock.now())
  /** Those without a lane. */
  const remembered = createRemembered()
  /** When each attempt under way began. */
  const inFlight = new Map<T, number>()
  let short = false
  let whenIdle: (() => void)[] = []

  function laneOf({ project_id, destination_id }: Addressed): Lane<T> {
    let lane = lanes.get(destination_id)
    if (lane === undefined) {
      const times = remembered.recall(destination_id)
      lane = {
        project_id,
        destination_id,
        project: shares.enter(project_id),
        times,
        standing: standingOf(times, clock.now()),
        limits: defaultSettings.limits,
        next_at: 0,
        callOff: null,
        reserved: 0,
        in_flight: 0,
        unsettled: 0,
        queue: [],
        bytes: 0,
        backlog: false,
        told: false,
        pumping: false,
      }
      lanes.set(destination_id, lane)
    }
    return lane
  }

  const held = (lane: Lane<T>) => lane.reserved + lane.in_flight + lane.unsettled + lane.queue.length

  function tidy(lane: Lane<T>): void {
    if (lane.backlog || held(lane) > 0) return
    if (beginsAt(lane) > clock.now()) return waitForTurn(lane)
    lane.callOff?.()
    lanes.delete(lane.destination_id)
    shares.leave(lane.project)
    remembered.keep(lane.destination_id, lane.times)
  }

  const hasSlot = ({ limits: { in_flight: limit }, in_flight, unsettled }: Lane<T>) =>
    in_flight < limit && in_flight + unsettled < ahead * limit

  /** When the next one may begin as far as the limit of a second goes. */
  function beginsAt(lane: Lane<T>): number {
    const { per_second } = lane.limits
    if (per_second === null) return 0
    // It is later than this only if the clock was set back.
    lane.next_at = Math.min(lane.next_at, clock.now() + 1000 / per_second + BURST_MS)
    return Math.ceil(lane.next_at - Math.max(0, BURST_MS - 1000 / per_second))
  }

  const mayBegin = (lane: Lane<T>) => hasSlot(lane) && beginsAt(lane) <= clock.now()

  function pump(lane: Lane<T>): void {
    // An attempt that is over before its `start` returns comes back here: thousands of them, one within the other, have no stack.
    if (lane.pumping) return
    lane.pumping = true
    while (lane.queue.length > 0 && mayBegin(lane)) begin(lane, lane.queue.shift() as T)
    lane.pumping = false
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
    inFlight.set(delivery, clock.now())
    start(delivery)
  }

  function take(lane: Lane<T>, bytes: number): void {
    lane.reserved++
    shares.count(lane, 1, bytes)
  }

  function release(lane: Lane<T>, bytes: number): void {
    shares.count(lane, -1, bytes)
    if (shares.taken() === 0) for (const resolve of whenIdle.splice(0)) resolve()
    if (short && shares.taken() <= capacity / 2) {
      short = false
      onRoom()
    }
    if (shares.freed(lane.project)) onRoom()
  }

  /** How many more its limits allow a lane. */
  function allowed(lane: Lane<T>): number {
    const { in_flight, per_second } = lane.limits
    const most = ahead * in_flight - held(lane)
    return per_second === null
      ? most
      : Math.min(most, QUEUED_S * per_second - lane.queue.length - lane.reserved)
  }

  const room = (lane: Lane<T>, bytes = heads.bytesOf(lane.destination_id)) =>
    Math.min(allowed(lane), shares.room(lane, held(lane), bytes))

  // At the edge of a share a lane would ask for one at a time, and so would those that wait for their turn, one after the other.
  const wantsMore = (lane: Lane<T>) =>
    lane.backlog &&
    (lane.standing !== 'other' || !(lane.project.full || lane.project.behind)) &&
    lane.queue.length <= lane.limits.in_flight &&
    room(lane) > 0 &&
    shares.room(lane, held(lane), heads.bytesOf(lane.destination_id)) >= held(lane) / 2

  /** Behind the others, so that each has its turn to be named when there is not enough for all. */
  function moveBehind(lane: Lane<T>): void {
    lanes.delete(lane.destination_id)
    lanes.set(lane.destination_id, lane)
  }

  /** Looks for attempts that have been under way for long; a claim is asked for at least every second. */
  function judgeAll(): void {
    const now = clock.now()
    for (const [delivery, began_at] of inFlight) {
      // They stand in the order in which they began.
      if (isInTime(now - began_at)) return
      const lane = laneOf(delivery)
      noteLate(lane.times, now)
      judge(lane)
    }
  }

  const judge = (lane: Lane<T>) => shares.judge(lane, held(lane), standingOf(lane.times, clock.now()))

  return {
    reserve(addressed, bytes) {
      const lane = laneOf(addressed)
      judge(lane)
      // A refusal makes no backlog: nothing waits yet. Once it does, `awaits` is told.
      const fits = !lane.backlog && room(lane, bytes) > 0
      if (fits) take(lane, bytes)
      else tidy(lane)
      return fits
    },
    awaits(addressed) {
      const { destination_id, project_id } = addressed
      const lane = lanes.get(destination_id)
      const full = shares.isFull(project_id)
      const prompt = lane === undefined ? remembered.isPrompt(destination_id) : lane.standing !== 'other'
      // A claim reads past a full project, but not past those that are named.
      const named = lane !== undefined && (allowed(lane) <= 0 || (lane.backlog && room(lane) <= 0))
      if (named || (full && prompt)) Object.assign(laneOf(addressed), { backlog: true, told: true })
      return named || (full && !prompt)
    },
    cancel(addressed, bytes) {
      const lane = laneOf(addressed)
      lane.reserved--
      release(lane, bytes)
      if (wantsMore(lane)) onRoom()
      tidy(lane)
    },
    accept: (delivery, reserved_bytes) =>
      shares.correct(laneOf(delivery), bytesOf(delivery) - reserved_bytes),
    adopt: (delivery) => take(laneOf(delivery), bytesOf(delivery)),
    push(delivery, limits) {
      const lane = laneOf(delivery)
      lane.limits = limits
      if (limits.per_second !== null && lane.queue.length >= QUEUED_S * limits.per_second) return false
      lane.reserved--
      enqueue(lane.queue, delivery)
      pump(lane)
      return true
    },
    finish(delivery, tried) {
      const began_at = inFlight.get(delivery)
      if (began_at === undefined) return
      inFlight.delete(delivery)
      const lane = laneOf(delivery)
      const now = clock.now()
      if (tried) {
        noteEnd(lane.times, now - began_at, now)
        judge(lane)
      }
      lane.in_flight--
      lane.unsettled++
      pump(lane)
    },
    forget(delivery) {
      const lane = laneOf(delivery)
      lane.unsettled--
      release(lane, bytesOf(delivery))
      pump(lane)
      if (wantsMore(lane)) onRoom()
      tidy(lane)
    },
    request() {
      judgeAll()
      const free = shares.fitting()
      if (free.held <= 0) {
        short = true
        return null
      }
      for (const lane of lanes.values()) {
        lane.told = false
        judge(lane)
      }
      const { request, given } = planClaim([...lanes.values()], free, shares.rooms(), {
        roomOf: (lane) => room(lane),
        limitOf: allowed,
        bytesOf: shares.roomBytes,
        tooLarge: heads.ids(),
      })
      for (const [lane, count] of given) if (count > 0) moveBehind(lane)
      return request
    },
    learn(request, { claimed, more, cut, further, spent }) {
      const full = new Set(more)
      for (const [id, bytes] of Object.entries(cut)) heads.note(id, bytes)
      const looked = new Set(claimed.map(({ destination_id }) => destination_id))
      // By what the claim was asked for: what has come free since is nobody's turn yet.
      const past = Object.keys(request.project_room).filter((id) => request.project_room[id] === 0)
      let moved = (!further && shares.caughtUp(new Set([...past, ...spent]))) || claimed.length > 0
      let again = further
      for (const [id, lane] of lanes) {
        if (full.has(id)) {
          lane.backlog = true
          // Named, it has bytes of its own.
          moved ||= id in cut && wantsMore(lane)
        } else if (!lane.told && (looked.has(id) || (request.room[id] ?? 0) > 0)) {
          moved ||= lane.backlog
          lane.backlog = false
        }
        if (wantsMore(lane)) again = true
        tidy(lane)
      }
      // Where nobody had room, the next will not have much: a rest, or very many such would take all of the writer.
      return again && moved
    },
    drain(destination_id) {
      const queued: T[] = []
      const drained = destination_id === undefined ? lanes.values() : [lanes.get(destination_id) ?? []].flat()
      for (const lane of drained) {
        lane.reserved += lane.queue.length
        queued.push(...lane.queue.splice(0))
      }
      return queued
    },
    idle: () =>
      new Promise((resolve) => {
        if (shares.taken() === 0) resolve()
        else whenIdle.push(resolve)
      }),
    inFlight: () => inFlight.size,
    size: () => lanes.size,
  }
}
