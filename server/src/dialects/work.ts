// A dialect's work in the background, and what it may use. The engine does the rest; a dialect names no socket, timer or loop,
// so that all reading of customers' URLs goes through the one guard and its bounds.
import type { StoredRecord } from '../domain/record.ts'

/** How far a fetch may go: bytes read, milliseconds for all of it, and milliseconds of the other side's silence. */
export type FetchBounds = { max_bytes: number; total_ms: number; idle_ms: number; signal?: AbortSignal }

/**
 * Reads what a URL holds by GET, piece by piece as it arrives; nothing is sent before the first piece is asked for. Whoever
 * stops asking closes the connection by leaving the loop. `total_ms` counts the reader's own time, too; `idle_ms` does not.
 * Fails with a FetchError, and with nothing else.
 */
export type Fetch = (url: string, bounds: FetchBounds) => AsyncIterable<Buffer>

/** Why a URL could not be read. */
export type FetchFailure =
  | 'invalid_url' // no http or https URL, given or redirected to
  | 'forbidden' // the egress guard refused the address, given or redirected to
  | 'unreachable' // no answer, none that can be read, or one that broke off
  | 'status' // an answer that is no 2xx, or one redirect too many
  | 'too_large' // more than max_bytes
  | 'timeout' // total_ms or idle_ms is over
  | 'stopped' // the signal, or this server is stopping: it may be tried again

/**
 * A fetch that failed. `status` is the last answer's, null without one. The message is a sentence for the customer that says
 * what to do and repeats no URL: that may hold a secret.
 */
export class FetchError extends Error {
  readonly reason: FetchFailure
  readonly status: number | null

  constructor(reason: FetchFailure, message: string, status: number | null = null) {
    super(message)
    this.name = 'FetchError'
    this.reason = reason
    this.status = status
  }
}

/** Somebody else has written the record meanwhile: what this work would write is worth nothing, and it ends without a word. */
export class LostRecordError extends Error {
  constructor() {
    super('Somebody else has written this record')
    this.name = 'LostRecordError'
  }
}

/** What work on a record may use. */
export type WorkTools = {
  /** Ends with `signal`, too. */
  fetch: Fetch
  /** The store's time in milliseconds. */
  now: () => number
  /** Aborts when this process stops, and when somebody else has written the record: nothing should be begun any more. */
  signal: AbortSignal
  /** Writes progress, so that whoever goes on begins there, and renews the lease. Throws LostRecordError. */
  save: (body: string) => Promise<void>
}

/** What is written in the end: due again at `due_at`, or done with null. Without `expires_at` that stays as it is. */
export type WorkResult = { body: string; due_at: number | null; expires_at?: number | null }

/**
 * One piece of work on a record that was due. It may be begun again from what was saved last, on any node, however it ended: a
 * process can die between any two of its steps. What it throws is logged, and the record is due again after a growing wait.
 */
export type Work = (record: StoredRecord, tools: WorkTools) => Promise<WorkResult>
