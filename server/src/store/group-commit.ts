// Group commit: writes that arrive while a commit is under way form the next batch. A batch holds at most one write per
// task, so that two compare-and-sets never meet in one statement; the queue is bounded in bytes. Small writes pass large ones, but
// never one of the same task: with some of 1 MB in each batch everybody's took a second (measured). And they pass patient ones, but for
// a share of each batch: four thousand attempts broken off at one moment kept everybody's waiting for 2 s, where a
// commit takes 20 ms (measured). Who asks for many at a time makes himself wait: where more wait than go into a batch, they take turns
// by project.
import { AppError } from '../domain/errors.ts'
import type { BatchWrite, WriteOutcome } from './batch.ts'
import { StoreUnavailableError, type Driver } from './driver.ts'

const MIB = 1024 * 1024
// As a write is reckoned, not as a delivery weighs.
const SMALL_BYTES = 16 * 1024
// Large writes fill the queue to here, small ones to there. Sixteen callers with 900 kB each, which are reckoned 3.6 MB, are none too many.
const QUEUE_BYTES = { large: 64 * MIB, small: 80 * MIB }
// Of a batch; one is taken in any case.
const LARGE_BYTES = 4 * MIB
// Of a batch's writes, where others wait as well: leases run down meanwhile.
const PATIENT_SHARE = 1 / 4

/**
 * A write waiting for its batch. `asker` is the project whose turn it takes, or null for the server; `prepare` runs when its batch is
 * formed, right before the commit; `patient` says that nobody waits for it.
 */
export type QueuedWrite = Omit<BatchWrite, 'input'> & {
  asker: string | null
  bytes: number
  patient: boolean
  prepare: () => unknown
}

export type WriteOptions = Partial<Pick<QueuedWrite, 'asker' | 'task_ids' | 'bytes' | 'patient'>>

type Waiting = QueuedWrite & { resolve: (value: unknown) => void; reject: (error: Error) => void }

export type GroupCommit = {
  /** Commits a write with others and gives its own result. Throws `overloaded` when too much is waiting. */
  write(write: QueuedWrite): Promise<unknown>
  /** Resolves when nothing is waiting or under way. */
  idle(): Promise<void>
}

export function createGroupCommit({
  driver,
  now,
  owner,
}: {
  driver: Pick<Driver, 'write' | 'concurrency' | 'batchWrites'>
  now: () => number
  owner: string
}): GroupCommit {
  let prompt: Waiting[] = []
  let patient: Waiting[] = []
  let queuedBytes = 0
  let running = 0
  let idleListeners: (() => void)[] = []

  function takeBatch(): Waiting[] {
    const batch: Waiting[] = []
    // Those of the batch, and of what stays behind.
    const tasks = new Set<string>()
    let large_bytes = 0

    /** Takes from a queue until the batch has so many; gives what stays behind. */
    function take(queue: Waiting[], most: number): Waiting[] {
      const later: Waiting[] = []
      let i = 0
      for (; i < queue.length && batch.length < most; i++) {
        const write = queue[i] as Waiting
        const large = isSmall(write) ? 0 : write.bytes
        const isTooMuch = large > 0 && large_bytes > 0 && large_bytes + large > LARGE_BYTES
        if (isTooMuch || write.task_ids.some((id) => tasks.has(id))) later.push(write)
        else {
          large_bytes += large
          queuedBytes -= write.bytes
          batch.push(write)
        }
        for (const id of write.task_ids) tasks.add(id)
      }
      return later.length === 0 ? queue.slice(i) : [...later, ...queue.slice(i)]
    }

    if (patient.length > driver.batchWrites) patient = inTurn(patient)
    if (prompt.length > driver.batchWrites) prompt = inTurn(prompt)
    patient = take(patient, driver.batchWrites * PATIENT_SHARE)
    prompt = take(prompt, driver.batchWrites)
    patient = take(patient, driver.batchWrites)
    return batch
  }

  async function run() {
    running++
    // A macrotask later everything that this turn of the event loop brings has joined.
    await new Promise(setImmediate)
    while (prompt.length + patient.length > 0) {
      const batch = takeBatch()
      let outcomes: WriteOutcome[]
      try {
        const writes = batch.map(({ verb, task_ids, prepare }) => ({ verb, task_ids, input: prepare() }))
        outcomes = await driver.write({ now: now(), owner, writes })
      } catch (error) {
        const lost = { ok: false as const, error: String(error), unavailable: true }
        outcomes = batch.map(() => lost)
      }
      batch.forEach((write, i) => finish(write, outcomes[i]))
    }
    running--
    if (running === 0) for (const listener of idleListeners.splice(0)) listener()
  }

  return {
    write(write) {
      // A single write may be larger than the bound; it must then wait for an empty queue.
      const most = isSmall(write) ? QUEUE_BYTES.small : QUEUE_BYTES.large
      if (queuedBytes > 0 && queuedBytes + write.bytes > most) {
        return Promise.reject(
          new AppError('overloaded', 'Too many writes are waiting for the store; try again soon'),
        )
      }
      return new Promise((resolve, reject) => {
        ;(write.patient ? patient : prompt).push({ ...write, resolve, reject })
        queuedBytes += write.bytes
        if (running < driver.concurrency) void run()
      })
    },
    idle: () =>
      running === 0
        ? Promise.resolve()
        : new Promise((resolve) => (idleListeners = [...idleListeners, resolve])),
  }
}

/** The writes with one of each asker in turn, each asker's in the order in which they came. Whose is first stays first. */
function inTurn(writes: Waiting[]): Waiting[] {
  let askers = [...Map.groupBy(writes, ({ asker }) => asker).values()]
  if (askers.length === 1) return writes
  const turns: Waiting[] = []
  for (let i = 0; askers.length > 0; i++) {
    for (const own of askers) turns.push(own[i] as Waiting)
    askers = askers.filter(({ length }) => i + 1 < length)
  }
  return turns
}

const isSmall = ({ bytes }: QueuedWrite): boolean => bytes <= SMALL_BYTES

function finish(write: Waiting, outcome: WriteOutcome | undefined): void {
  if (outcome?.ok === true) write.resolve(outcome.value)
  else if (outcome?.unavailable === true) write.reject(new StoreUnavailableError(outcome.error))
  else write.reject(new Error(`${write.verb} failed in the store: ${outcome?.error ?? 'no outcome'}`))
}
