// Works on records that are due: finds them, holds their lease while the dialect works, and writes what becomes of them. The
// row is the promise: a process that dies in the middle has lost what was not saved, and the record is due again.
import { LostRecordError, type Fetch, type Work } from '../dialects/work.ts'
import type { StoredRecord } from '../domain/record.ts'
import type { Store } from '../store/store.ts'
import { until, type Clock } from './clock.ts'
import type { Log } from './log.ts'
import { createLoop } from './loop.ts'
import { holdRecord, LEASE_MS, type RecordHold } from './record-hold.ts'

/** Finds the work of a record's dialect; undefined when it has none. */
export type WorkOf = (record: StoredRecord) => Promise<Work | undefined>

export type RecordWorker = {
  start(): void
  /**
   * Begins nothing more, aborts the signal of what is under way and gives it `grace_ms` to end. What has not come to its end
   * then is due at once, for another node or the next start.
   */
  stop(grace_ms: number): Promise<void>
  /** A record is due from `due_at` on. */
  recordDue(due_at: number): void
}

// What another node made due is found at the next look.
const EVERY_MS = 1000
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 300_000
const FAILING_MAX = 10_000

// A work mostly waits for a customer's server, so that many at a time cost little; but no project may take all places with
// servers that hang.
const AT_A_TIME = { in_all: 32, per_project: 4 }

type UnderWay = { project_id: string; hold: RecordHold; abort: () => void; over: Promise<void> }

/** Makes a worker that works on so many records at a time, so that one that hangs stops no other, nor a project another's. */
export function createRecordWorker({
  store,
  workOf,
  fetch,
  clock,
  log,
  at_a_time = AT_A_TIME,
}: {
  store: Pick<Store, 'claimRecord' | 'nextRecordDue' | 'updateRecord'>
  workOf: WorkOf
  fetch: Fetch
  clock: Clock
  log: Log
  at_a_time?: { in_all: number; per_project: number }
}): RecordWorker {
  const underWay = new Set<UnderWay>()
  // How often in a row, by name.
  const failures = new Map<string, number>()
  const loop = createLoop({ name: 'records', clock, log, run: look })

  async function look(): Promise<number> {
    while (underWay.size < at_a_time.in_all) {
      const now = clock.now()
      const full = fullProjects()
      const due_at = await store.nextRecordDue(full)
      if (due_at === null || due_at > now) return Math.min(due_at ?? Infinity, now + EVERY_MS)
      const record = await store.claimRecord(LEASE_MS, full)
      // Another node was quicker.
      if (record === undefined) break
      begin(record)
    }
    return clock.now() + EVERY_MS
  }

  function fullProjects(): string[] {
    const counts = new Map<string, number>()
    for (const { project_id } of underWay) counts.set(project_id, (counts.get(project_id) ?? 0) + 1)
    return [...counts].flatMap(([id, count]) => (count < at_a_time.per_project ? [] : id))
  }

  function begin(record: StoredRecord): void {
    const aborting = new AbortController()
    const abort = () => aborting.abort()
    const hold = holdRecord({ record, store, clock, onLost: abort })
    const over = workOn(record, hold, aborting.signal).finally(() => {
      underWay.delete(work)
      loop.wake()
    })
    const work = { project_id: record.project_id, hold, abort, over }
    underWay.add(work)
  }

  async function workOn(record: StoredRecord, hold: RecordHold, signal: AbortSignal): Promise<void> {
    try {
      const work = await workOf(record)
      if (work === undefined) throw new Error(`No dialect here works on records of the kind ${record.kind}`)
      const {
        body,
        due_at,
        expires_at = record.expires_at,
      } = await work(record, {
        now: clock.now,
        signal,
        save: (text) => hold.save(text),
        fetch: (url, bounds) =>
          fetch(url, {
            ...bounds,
            signal: bounds.signal === undefined ? signal : AbortSignal.any([signal, bounds.signal]),
          }),
      })
      await hold.end({ body, due_at, expires_at, updated_at: clock.now() })
      failures.delete(nameOf(record))
    } catch (error) {
      // Once it is aborted there is nobody to blame: the process stops, or the record is lost.
      await putOff(record, hold, signal.aborted ? null : error)
    }
  }

  /** Makes a record due again after its work failed, or at once when it was only interrupted. */
  async function putOff(record: StoredRecord, hold: RecordHold, error: unknown): Promise<void> {
    const { project_id, mode, kind, key } = record
    const wait_ms = error === null ? 0 : nextWait(nameOf(record))
    if (error !== null) log.error({ project_id, mode, kind, key, wait_ms, err: error }, 'record.failed')
    try {
      await hold.end({ due_at: clock.now() + wait_ms })
    } catch (failure) {
      // Its lease ends by itself.
      if (!(failure instanceof LostRecordError))
        log.warn({ project_id, mode, kind, key, err: failure }, 'record.unwritten')
    }
  }

  function nextWait(name: string): number {
    const count = failures.get(name) ?? 0
    if (failures.size >= FAILING_MAX) failures.clear()
    failures.set(name, count + 1)
    return Math.min(FIRST_WAIT_MS * 2 ** count, LONGEST_WAIT_MS)
  }

  async function stop(grace_ms: number): Promise<void> {
    await loop.stop()
    for (const { abort } of underWay) abort()
    const over = Promise.all(Array.from(underWay, ({ over }) => over))
    await Promise.race([over, until(clock, clock.now() + grace_ms)])
    // What does not hear is taken from it; whatever it writes from now on is lost.
    const deaf = Array.from(underWay, ({ hold }) => hold.end({ due_at: clock.now() }))
    await Promise.allSettled(deaf)
  }

  return {
    start: () => loop.start(),
    stop,
    recordDue: (due_at) => loop.wakeAt(due_at),
  }
}

const nameOf = ({ project_id, mode, kind, key }: StoredRecord) =>
  JSON.stringify([project_id, mode, kind, key])
