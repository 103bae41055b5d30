// What a driver offers to the store: whole batches in, outcomes out. SQLite runs them in threads of its own, PostgreSQL
// over connections; the store above cannot tell.
import type { Batch, WriteOutcome } from './batch.ts'
import type { SealedRows } from './sealed.ts'
import type { Signals } from './signals.ts'
import type { reads } from './sql/reads.ts'

export type ReadVerb = keyof typeof reads
export type ReadArgs<V extends ReadVerb> = Parameters<(typeof reads)[V]>[1]
export type ReadResult<V extends ReadVerb> = Awaited<ReturnType<(typeof reads)[V]>>

/** Looks at one row of each key that has sealed something, and throws when the database must not be touched. */
export type Admit = (sealed: SealedRows) => void

export interface Driver {
  /** How many batches may be under way at once. */
  readonly concurrency: number
  /** How many writes a batch may hold. */
  readonly batchWrites: number
  /** Whether no other process can be at this database: then leases of other boots are dead at once. */
  readonly exclusive: boolean
  /** How processes on this database tell each other what happened; null where there can be no other. */
  readonly signals: Signals | null
  /** Resolves, if ever, when this process can use the database no more: it has to end, so that another one begins. */
  readonly failed: Promise<Error>
  /** The clock that all deadlines are measured with, in milliseconds. */
  now(): number
  write(batch: Batch): Promise<WriteOutcome[]>
  read<V extends ReadVerb>(verb: V, args: ReadArgs<V>): Promise<ReadResult<V>>
  close(): Promise<void>
}

/** The database did not answer; the caller may try again later. */
export class StoreUnavailableError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'StoreUnavailableError'
  }
}
