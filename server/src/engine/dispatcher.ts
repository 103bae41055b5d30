// Brings what is due to its lanes, on two ways: straight from the commit that made it, and by claims of what waits in the
// database. Both are hints that may get lost: the claim loop also looks once a second.
import type { ClaimRequest, ClaimResult } from '../store/claiming.ts'
import type { Addressed } from '../store/store.ts'
import type { Clock } from './clock.ts'
import { createLanes, type Lanes, type LanesOptions, type Leased } from './lanes.ts'
import type { Log } from './log.ts'
import { createLoop } from './loop.ts'
import type { Terms, TermsCache } from './terms.ts'

/** What the engine does with deliveries or calls that were leased to this process. */
export type Attempts<T> = {
  /**
   * Makes an attempt; `answered` is called when its slot is free, which is before it is settled. `tried` says whether anything
   * was sent.
   */
  attempt(leased: T, terms: Terms, answered: (leased: T, tried: boolean) => void): Promise<void>
  /** Gives one back unburned, due at `due_at`. */
  release(leased: T, due_at: number): Promise<void>
}

export type Dispatcher<T> = {
  /** Reserves a slot at a destination for so many bytes, or says that there is none or that older work waits there. */
  admit: (addressed: Addressed, bytes: number) => boolean
  /** Gives back a slot for so many bytes that was not used. */
  withdraw: (addressed: Addressed, bytes: number) => void
  /** Takes one that was leased, in the slot that was reserved for so many bytes. */
  launch: (leased: T, reserved_bytes: number) => void
  /** Gives back what has not begun at a destination. */
  hold: (destination_id: string) => void
  /** Something is pending at a destination from `due_at` on; `to` says at which, if that is known. */
  wake: (due_at: number, to?: Addressed) => void
  /** Takes work, and claims what waits. */
  start(): void
  /** Takes no more work and gives back what has not been begun. Resolves when no claim is under way. */
  stop(): Promise<void>
  /** Resolves when everything taken is settled. */
  idle(): Promise<void>
  inFlight(): number
}

const TICK_MS = 1000
// After a claim that found nothing, or nothing there is room for, the next one has little to find.
const REST_MS = 10
const LOAD_WAIT_MS = 1000

/** Makes a dispatcher of deliveries, or of calls; it rests until `start`. */
export function createDispatcher<T extends Leased>({
  name,
  claim: take,
  attempts,
  order,
  terms,
  clock,
  onProbe,
  log,
}: {
  /** Of its loop. */
  name: string
  claim: (request: ClaimRequest) => Promise<ClaimResult<T>>
  attempts: Attempts<T>
  /** What is kept in memory, and in which order it goes. */
  order: Pick<LanesOptions<T>, 'bytesOf' | 'ahead' | 'precedes'>
  terms: TermsCache
  clock: Clock
  /** A claim took the one that an open breaker lets through. */
  onProbe: (probe: T) => void
  log: Log
}): Dispatcher<T> {
  let running = false
  let rest_until = 0
  const lanes: Lanes<T> = createLanes({ ...order, clock, start: begin, onRoom: () => loop.wake() })
  const loop = createLoop({ name, clock, log, run: claim })
  const { finish } = lanes

  function begin(leased: T): void {
    withTerms(leased, attempt, (due_at) => {
      finish(leased, false)
      void attempts.release(leased, due_at).finally(() => lanes.forget(leased))
    })
  }

  function attempt(leased: T, known: Terms): void {
    attempts.attempt(leased, known, finish).then(
      () => lanes.forget(leased),
      (error: unknown) => {
        log.error({ err: error, loop: name, id: leased.id }, 'attempt.left_to_rescuer')
        finish(leased, false)
        lanes.forget(leased)
      },
    )
  }

  const dispatch = (leased: T): void => withTerms(leased, enqueue, (due_at) => giveBack(leased, due_at))

  /** Goes on with the terms of its project, at once if they are known; `otherwise` is told when to try again. */
  function withTerms(
    leased: T,
    proceed: (leased: T, known: Terms) => void,
    otherwise: (due_at: number) => void,
  ): void {
    const { project_id } = leased
    const known = terms.get(project_id)
    if (known !== undefined) return proceed(leased, known)
    terms.load(project_id).then(
      (loaded) => proceed(leased, loaded),
      (error: unknown) => {
        log.warn({ err: error, project_id }, 'terms.unreadable')
        otherwise(clock.now() + LOAD_WAIT_MS)
      },
    )
  }

  function enqueue(leased: T, { project }: Terms): void {
    if (!running || !lanes.push(leased, project.settings.limits)) giveBack(leased, clock.now())
  }

  function giveBack(leased: T, due_at: number): void {
    void attempts.release(leased, due_at).finally(() => lanes.cancel(leased, order.bytesOf(leased)))
  }

  async function claim(): Promise<number | null> {
    const request = lanes.request()
    if (request === null) return clock.now() + TICK_MS
    const result = await take(request)
    const probes = new Set(result.probes)
    for (const leased of result.claimed) {
      lanes.adopt(leased)
      if (probes.has(leased.id)) onProbe(leased)
      dispatch(leased)
    }
    const now = clock.now()
    if (lanes.learn(request, result)) return now
    rest_until = now + REST_MS
    const next_due_at = result.next_due_at ?? Infinity
    return Math.max(rest_until, Math.min(next_due_at, now + TICK_MS))
  }

  return {
    admit: (addressed, bytes) => running && lanes.reserve(addressed, bytes),
    withdraw: (addressed, bytes) => lanes.cancel(addressed, bytes),
    launch(leased, reserved_bytes) {
      lanes.accept(leased, reserved_bytes)
      dispatch(leased)
    },
    hold(destination_id) {
      for (const leased of lanes.drain(destination_id)) giveBack(leased, clock.now())
    },
    wake(due_at, to) {
      // A receiver that is slower than what comes for it would else have a claim, and a commit, for each.
      if (to !== undefined && lanes.awaits(to)) return
      // A clock that was set back would make the rest a long one.
      loop.wakeAt(Math.max(due_at, Math.min(rest_until, clock.now() + REST_MS)))
    },
    start() {
      running = true
      loop.start()
    },
    async stop() {
      running = false
      await loop.stop()
      const now = clock.now()
      for (const leased of lanes.drain()) giveBack(leased, now)
    },
    idle: () => lanes.idle(),
    inFlight: () => lanes.inFlight(),
  }
}
