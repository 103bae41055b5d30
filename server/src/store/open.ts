// The store as the rest of the program sees it: seals and opens secrets, asks the engine for room before a delivery is
// inserted, hands it over after the commit, and remembers projects for a second.
import { AppError } from '../domain/errors.ts'
import type { Task } from '../domain/task.ts'
import { bodyWeight, deliveryBytes, SMALL_BYTES, taskLength } from '../domain/weight.ts'
import { callVerbs, type CallWrite } from './call-verbs.ts'
import type { Cipher } from './cipher.ts'
import {
  StoreUnavailableError,
  type Driver,
  type ReadArgs,
  type ReadResult,
  type ReadVerb,
} from './driver.ts'
import { gather } from './gather.ts'
import { createGroupCommit, type WriteOptions } from './group-commit.ts'
import { createLargeTurns } from './large-turns.ts'
import { leasing, readyOf } from './lease.ts'
import { createNodes } from './nodes.ts'
import { projectVerbs } from './project-verbs.ts'
import { recordVerbs } from './record-verbs.ts'
import { sealCall, sealedOrNull } from './sealed.ts'
import { isQuick } from './quick-reads.ts'
import { soon } from './soon.ts'
import type { Inserted } from './sql/delivery-insert.ts'
import type { WriteInput, WriteResult, WriteVerb } from './sql/verbs.ts'
import type { Idempotency, NewDelivery, Outlet, Store } from './store.ts'
import { createTurns, turnOf } from './turns.ts'

export type StoreOptions = {
  driver: Driver
  cipher: Cipher
  /** The store's clock, in milliseconds. */
  now: () => number
  /** Node and boot: the owner of this process's leases. */
  owner: string
}

const noOutlet: Outlet = {
  admit: () => false,
  withdraw() {},
  launch() {},
  hold() {},
  wake() {},
  wakeCalls() {},
  projectChanged() {},
  recordDue() {},
}

/** Puts the seam over a driver. */
export function createStore({ driver, cipher, now, owner }: StoreOptions): Store {
  const commits = createGroupCommit({ driver, now, owner })
  const lists = createTurns(LISTS)
  const tasks = createLargeTurns<Task | null>({
    bytesOf: (task) => (task === null ? 0 : taskLength(task)),
    now,
  })
  // Whoever asks while it is counted has that answer: some ask every second, whatever it takes.
  let counting: Promise<number> | undefined
  const listeners = new Set<(task: Task) => void>()
  const knownDestinations = new Set<string>()
  let outlet = noOutlet
  // When the database last refused a write, if none has succeeded since: it may still answer reads, as with a full disk.
  let refused_at = -Infinity
  const nodes = createNodes({ outlet: () => outlet, signals: driver.signals, now })
  let closed: Promise<void> | undefined

  /** Queues a write; `input` may be a function that is called when the batch is formed. */
  async function write<V extends WriteVerb>(
    verb: V,
    input: WriteInput<V> | (() => WriteInput<V>),
    { asker = null, task_ids = [], bytes = 256, patient = false }: WriteOptions = {},
  ): Promise<WriteResult<V>> {
    const prepare = typeof input === 'function' ? input : () => input
    try {
      const result = (await commits.write({
        verb,
        asker,
        task_ids,
        bytes,
        patient,
        prepare,
      })) as WriteResult<V>
      refused_at = -Infinity
      return result
    } catch (error) {
      if (error instanceof StoreUnavailableError) refused_at = now()
      throw asProblem(error)
    }
  }

  async function read<V extends ReadVerb>(verb: V, args: ReadArgs<V>): Promise<ReadResult<V>> {
    try {
      return await (isQuick(verb)
        ? driver.read(verb, args)
        : lists(turnOf(args), () => driver.read(verb, args)))
    } catch (error) {
      throw asProblem(error)
    }
  }

  const sealedFor = <T extends { callback_id: string | null }>(task_id: string, call: T): T =>
    sealCall(cipher, { ...call, task_id })
  const sealed = (idempotency: Idempotency | null | undefined) => sealedOrNull(cipher, idempotency)

  /**
   * A write that inserts a delivery: reserves a slot for its bytes when its batch is formed, and uses or returns it after the commit.
   */
  async function writeDelivery<T>(
    delivery: NewDelivery | null,
    bytes: number,
    commit: (leased: () => boolean) => Promise<{ value: T; inserted: Inserted | null; body: string }>,
  ): Promise<T> {
    let leased = false
    const lease = () => (leased = delivery !== null && outlet.admit(delivery, bytes))
    try {
      const { value, inserted, body } = await commit(lease)
      if (delivery !== null && leased && inserted?.state === 'sending') {
        leased = false
        outlet.launch(readyOf(delivery, inserted, body, owner), bytes)
      } else if (delivery !== null && inserted?.state === 'pending') nodes.wake(now(), delivery)
      return value
    } finally {
      if (delivery !== null && leased) outlet.withdraw(delivery, bytes)
    }
  }

  const lost = (limit: number, lost_boots: boolean) => ({
    now: now(),
    owner,
    limit,
    lost_boots: lost_boots && driver.exclusive,
  })

  function tellMoved(task: Task): void {
    for (const listener of listeners) listener(task)
    nodes.moved(task)
  }

  return {
    now,
    async ping() {
      await soon(read('ping', undefined as never))
      if (now() - refused_at < REFUSED_MS) {
        throw new AppError('store_unavailable', 'The database takes no writes; try again soon')
      }
    },
    failed: driver.failed,
    attach(engine) {
      outlet = engine
    },
    onTransition(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    shared: driver.signals !== null,
    onMovedElsewhere: (listener) => nodes.onMoved(listener),
    movedTasks: (waits) => read('movedTasks', { waits }),
    close: () => (closed ??= commits.idle().then(() => driver.close())),

    createTask(input) {
      const { task, destination, idempotency, labels, applied, call, hashes } = input
      const known = destination === null || knownDestinations.has(destination.id)
      const body = applied?.event?.body ?? ''
      return writeDelivery(applied?.delivery ?? null, deliveryBytes({ body }), async (lease) => {
        const { delivery, ...result } = await write(
          'createTask',
          () => ({
            task,
            destination: known ? null : destination,
            idempotency: sealed(idempotency),
            labels,
            hashes,
            call: call && sealedFor(task.id, call),
            applied: applied === undefined ? null : leasing(applied, lease),
          }),
          { asker: task.project_id, bytes: 512 + taskLength(task) + 2 * body.length },
        )
        if (result.kind === 'created') {
          if (call) nodes.wakeCalls(call.due_at)
          if (destination !== null) remember(knownDestinations, destination.id)
          if (applied !== undefined) tellMoved(applied.task)
        }
        return { value: result, inserted: delivery, body }
      })
    },
    transition(input) {
      const { task, event, delivery, call } = input
      const body = event?.body ?? ''
      const sealed = call?.kind === 'restart' ? { ...input, call: sealedFor(task.id, call) } : input
      return writeDelivery(delivery, deliveryBytes({ body }), async (lease) => {
        const { result, delivery: inserted } = await write('transition', () => leasing(sealed, lease), {
          asker: task.project_id,
          task_ids: [task.id],
          bytes: 1024 + 2 * body.length,
        })
        if (result === 'done') {
          tellMoved(task)
          const due_at = dueAfter(call)
          if (due_at !== null) nodes.wakeCalls(due_at ?? now())
        }
        return { value: result, inserted, body }
      })
    },
    async amendTask(input) {
      const { id, project_id, mode, unique_id, metadata, ext } = input.task
      const bytes = 512 + metadata.length + (ext?.length ?? 0)
      try {
        return await write('amendTask', input, { asker: project_id, task_ids: [id], bytes })
      } catch (error) {
        if (unique_id === null) throw error
        // Another process may have taken it after this one has looked, and then the write fails.
        const scope = { project_id, mode }
        const page = { limit: 1, offset: 0, order: 'newest' } as const
        const [holder] = (await read('findTasks', { scope, filter: { unique_id }, page })).rows
        if (holder === undefined || holder.id === id) throw error
        return { kind: 'unique_id_taken', task_id: holder.id }
      }
    },
    findTask: async (scope, id) =>
      (await tasks(scope?.project_id ?? null, () => read('findTask', { scope, id }))) ?? undefined,
    findTaskByCallback: gather((hashes) => read('findTasksByCallback', { hashes })),
    listTasks: (scope, filter, page) =>
      read('findTasks', {
        scope,
        filter,
        page: { ...page, offset: 0, order: 'newest' },
      }),
    findTasks: (scope, filter, page) => read('findTasks', { scope, filter, page }),
    countTasks: (scope, filter, limit) => read('countTasks', { scope, filter, limit }),
    overdueTasks: (limit) => read('overdueTasks', { now: now(), limit }),
    listEvents: (task_id, page) => read('listEvents', { task_id, page }),
    lastEvent: async (task_id) => (await read('lastEvent', { task_id })) ?? undefined,

    async recordArrival(arrival) {
      await write('recordArrival', arrival, { bytes: 512 + (arrival.body?.length ?? 0) })
    },
    listArrivals: (task_id, page) => read('listArrivals', { task_id, page }),
    findArrival: async (scope, id) => (await read('findArrival', { scope, id })) ?? undefined,

    claim: (request) => write('claim', request),
    async settle({ delivery, settlement, attempt, lease_ms }) {
      const { id, project_id, task_id, destination_id, fence, sequence, resend, ordered } = delivery
      const row = { id, project_id, task_id, destination_id, fence, sequence, resend, ordered }
      let leased = false
      const lease = () =>
        (leased = settlement.state !== 'pending' && ordered === 1 && outlet.admit(delivery, SMALL_BYTES))
      try {
        const { won, released } = await write(
          'settle',
          () => ({ delivery: row, settlement, attempt, lease_ms, leased: lease() }),
          {
            asker: project_id,
            task_ids: [task_id],
            bytes: 512 + (attempt?.response_body?.length ?? 0),
            patient: settlement.state === 'pending',
          },
        )
        if (released === 'queued') nodes.wake(now(), delivery)
        else if (released !== null) {
          leased = false
          outlet.launch(released, SMALL_BYTES)
        } else if (won && settlement.state === 'pending') nodes.wake(settlement.due_at ?? now())
        return won
      } finally {
        if (leased) outlet.withdraw(delivery, SMALL_BYTES)
      }
    },
    async resend({ delivery, unsettled_id, idempotency, audit }) {
      const { project_id, task_id, sequence } = delivery
      const fresh = unsettled_id === null ? delivery : null
      const length = fresh === null ? 0 : await read('bodyLength', { task_id, sequence })
      return writeDelivery(fresh, bodyWeight(length), async (lease) => {
        const output = await write(
          'resend',
          () => ({
            delivery: { ...delivery, leased: lease() },
            unsettled_id,
            idempotency: sealed(idempotency),
            audit,
          }),
          { asker: project_id, task_ids: [task_id], bytes: 1024 + length },
        )
        if (fresh === null) nodes.wake(now())
        return { value: output.result, inserted: output.delivery, body: output.body }
      })
    },
    async cancelDelivery(delivery, audit = null) {
      const { project_id, task_id } = delivery
      await write('cancelDelivery', { ...delivery, audit }, { asker: project_id, task_ids: [task_id] })
      nodes.wake(now())
    },
    findDelivery: async (scope, id) => (await read('findDelivery', { scope, id })) ?? undefined,
    unsettledDelivery: async (task_id, sequence) =>
      (await read('unsettledDelivery', { task_id, sequence })) ?? undefined,
    listDeliveries: (scope, filter, page) => read('listDeliveries', { scope, filter, page }),

    countReplay: (filter) => read('countReplay', { filter }),
    createReplay: ({ replay, idempotency, audit }) =>
      write('createReplay', { replay, idempotency: sealed(idempotency), audit }),
    findReplay: async (scope, id) => (await read('findReplay', { scope, id })) ?? undefined,
    async stepReplay(limit) {
      const step = await read('nextReplay', { limit })
      if (step === null) return undefined
      const { replay, task_ids } = step
      const after = await write('stepReplay', step, { task_ids, bytes: 1024 * (1 + task_ids.length) })
      if (after !== null && after.replayed > replay.replayed) nodes.wake(now())
      return after ?? replay
    },

    lostLeases: (limit, lost_boots) => read('lostLeases', lost(limit, lost_boots)),
    async releaseStuck(after, limit) {
      const { task_ids, next } = await read('stuckTasks', { after, limit })
      if (task_ids.length > 0 && (await write('releaseStuck', { task_ids }, { task_ids })) > 0)
        nodes.wake(now())
      return next
    },
    listDestinations: (scope, page) => read('listDestinations', { scope, page, now: now() }),
    findDestination: async (scope, id) =>
      (await read('findDestination', { scope, id, now: now() })) ?? undefined,
    async pauseDestination(id, audit = null) {
      await write('pauseDestination', { id, audit })
      nodes.hold(id)
    },
    async resumeDestination(id, audit = null) {
      const resumed = await write('resumeDestination', { id, audit })
      nodes.wake(now())
      return resumed
    },
    async setBreaker(input) {
      await write('setBreaker', input)
      if (input.open) nodes.hold(input.id)
      nodes.wake(input.not_before)
    },
    async recordRates(input) {
      const result = await write('recordRates', input, { bytes: 256 * input.rates.length })
      for (const id of result.paused) nodes.hold(id)
      if (result.resumed.length > 0) nodes.wake(now())
      return result
    },
    unreportedPauses: (limit) => read('unreportedPauses', { limit, now: now() }),
    async markReported(id) {
      await write('markReported', { id })
    },
    countWaiting: (limit) =>
      soon((counting ??= read('countWaiting', { limit }).finally(() => (counting = undefined)))),
    sweepDestinations: (after, limit) => write('sweepDestinations', { after, limit }),
    prune: (after, limit) => write('prune', { after, limit }),

    ...callVerbs({ read, write, cipher, lost, wake: (due_at) => nodes.wakeCalls(due_at) }),
    ...projectVerbs({ read, write, cipher, onChanged: (id) => nodes.changed(id) }),
    ...recordVerbs({ read, write, cipher, due: (due_at) => outlet.recordDue(due_at) }),
  }
}

function asProblem(error: unknown): unknown {
  if (!(error instanceof StoreUnavailableError)) return error
  return Object.assign(new AppError('store_unavailable', 'The database does not answer; try again soon'), {
    cause: error,
  })
}

/** From when on a verb's call is pending; undefined for at once, null for not. */
function dueAfter(call: CallWrite | null | undefined): number | null | undefined {
  if (call === null || call === undefined) return null
  if (call.kind === 'settle') return call.change.due_at
  if (call.kind === 'restart') return call.due_at
  return call.kind === 'resume' ? undefined : null
}

// Two, so that the database has the next one when the first is done.
const LISTS = { at_once: 2, most_waiting: 100 }

// So long a refused write speaks for those that nobody has tried since.
const REFUSED_MS = 1000

const KNOWN_DESTINATIONS = 50_000

// Destinations are never deleted, so a known one needs no insert. Forgetting all of them now and then only costs inserts.
function remember(known: Set<string>, id: string): void {
  if (known.size >= KNOWN_DESTINATIONS) known.clear()
  known.add(id)
}
