// A record in this process's hands. Each write is a compare-and-set on the version, so what somebody else has written meanwhile
// is never overwritten. Writes go one after the other: a renewal beside a save would take that for somebody else's.
import { LostRecordError } from '../dialects/work.ts'
import type { StoredRecord } from '../domain/record.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from './clock.ts'

/** For how long a record stays with whoever claimed it and says no more, in milliseconds. */
export const LEASE_MS = 60_000
// Two renewals may fail before the lease is over.
const RENEW_MS = LEASE_MS / 3

export type RecordHold = {
  /** Writes a new body and renews the lease. Throws LostRecordError. */
  save(body: string): Promise<void>
  /**
   * Writes the record for the last time, unless it was; what is not given stays as it was saved. Throws LostRecordError, also
   * when it was, and may be called again when the store failed.
   */
  end(last: Partial<Pick<StoredRecord, 'body' | 'due_at' | 'expires_at' | 'updated_at'>>): Promise<void>
}

/** Holds a record just claimed, and renews its lease until the end; `onLost` is called when somebody else has written it. */
export function holdRecord({
  record,
  store,
  clock,
  onLost,
}: {
  record: StoredRecord
  store: Pick<Store, 'updateRecord'>
  clock: Clock
  onLost: () => void
}): RecordHold {
  let row = record
  let open = true
  let ended = false
  let lastWrite: Promise<void> = Promise.resolve()
  let callOff = renewLater()

  function write(changes: Partial<StoredRecord>): Promise<void> {
    const written = lastWrite.then(() => put(changes))
    lastWrite = written.catch(() => {})
    return written
  }

  async function put(changes: Partial<StoredRecord>): Promise<void> {
    if (ended) throw new LostRecordError()
    const next = { ...row, ...changes, version: row.version + 1 }
    if (await store.updateRecord(next)) {
      row = next
      return
    }
    ended = true
    callOff()
    onLost()
    throw new LostRecordError()
  }

  const leased = () => ({ due_at: clock.now() + LEASE_MS })

  function renewLater(): () => void {
    return clock.at(clock.now() + RENEW_MS, () => {
      // One that fails has another try, and one that comes too late hurts nobody.
      write(leased()).catch(() => {})
      callOff = renewLater()
    })
  }

  return {
    async save(body) {
      if (!open) throw new LostRecordError()
      await write({ ...leased(), body, updated_at: clock.now() })
    },
    async end(last) {
      open = false
      callOff()
      await write(last)
      ended = true
    },
  }
}
