// Brings deliveries to their lanes, on two ways: straight from the commit that made them (Outlet), and by claims of what
// waits in the database. Both are hints that may get lost: the claim loop also looks once a second.
import type { Outlet, Ready, Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import type { Deliver } from './deliver.ts'
import { createLanes, type Lanes } from './lanes.ts'
import type { Log } from './log.ts'
import { createLoop } from './loop.ts'
import type { Terms, TermsCache } from './terms.ts'

export type Dispatcher = {
  outlet: Omit<Outlet, 'recordDue'>
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

/** Makes the dispatcher; it rests until `start`. */
export function createDispatcher({
  store,
  deliver,
  terms,
  clock,
  onProbe,
  log,
}: {
  store: Pick<Store, 'claim'>
  deliver: Deliver
  terms: TermsCache
  clock: Clock
  /** A claim took the one delivery that an open breaker lets through. */
  onProbe: (probe: Ready) => void
  log: Log
}): Dispatcher {
  let running = false
  let rest_until = 0
  const lanes: Lanes = createLanes({ clock, start: begin, onRoom: () => loop.wake() })
  const loop = createLoop({ name: 'claim', clock, log, run: claim })
  const { finish } = lanes

  function begin(ready: Ready): void {
    deliver.attempt(ready, finish).then(
      () => lanes.forget(ready),
      (error: unknown) => {
        log.error({ err: error, delivery_id: ready.id }, 'delivery.left_to_rescuer')
        finish(ready)
        lanes.forget(ready)
      },
    )
  }

  /** Takes a leased delivery with a reserved slot. */
  function take(ready: Ready): void {
    const known = terms.get(ready.project_id)
    if (known !== undefined) return enqueue(ready, known)
    terms.load(ready.project_id).then(
      (loaded) => enqueue(ready, loaded),
      (error: unknown) => {
        log.warn({ err: error, project_id: ready.project_id }, 'terms.unreadable')
        giveBack(ready, clock.now() + LOAD_WAIT_MS)
      },
    )
  }

  function enqueue(ready: Ready, { project }: Terms): void {
    if (!running || !lanes.push(ready, project.settings.limits)) giveBack(ready, clock.now())
  }

  function giveBack(ready: Ready, due_at: number): void {
    void deliver.release(ready, due_at).finally(() => lanes.cancel(ready.destination_id))
  }

  async function claim(): Promise<number | null> {
    const request = lanes.request()
    if (request === null) return clock.now() + TICK_MS
    const result = await store.claim(request)
    const probes = new Set(result.probes)
    for (const ready of result.deliveries) {
      lanes.adopt(ready)
      if (probes.has(ready.id)) onProbe(ready)
      take(ready)
    }
    const now = clock.now()
    if (lanes.learn(request, result)) return now
    rest_until = now + REST_MS
    const next_due_at = result.next_due_at ?? Infinity
    return Math.max(rest_until, Math.min(next_due_at, now + TICK_MS))
  }

  return {
    outlet: {
      admit: (destination_id) => running && lanes.reserve(destination_id),
      withdraw: (destination_id) => lanes.cancel(destination_id),
      launch: take,
      hold(destination_id) {
        for (const ready of lanes.drain(destination_id)) giveBack(ready, clock.now())
      },
      wake: (due_at) => loop.wakeAt(Math.max(due_at, rest_until)),
      projectChanged: (project_id) => terms.forget(project_id),
    },
    start() {
      running = true
      loop.start()
    },
    async stop() {
      running = false
      await loop.stop()
      const now = clock.now()
      for (const ready of lanes.drain()) giveBack(ready, now)
    },
    idle: () => lanes.idle(),
    inFlight: () => lanes.inFlight(),
  }
}
