// The SQLite driver: one writer thread, one thread for quick reads and one for lists and checkpoints, so that a slow page never
// stalls a commit or a resolution. A lock file beside the database keeps a second process away.
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { WriteOutcome } from './batch.ts'
import {
  StoreUnavailableError,
  type Admit,
  type Driver,
  type ReadArgs,
  type ReadResult,
  type ReadVerb,
} from './driver.ts'
import type { MigrateMode, Migrated } from './migrate.ts'
import { isQuick } from './quick-reads.ts'
import type { SealedRows } from './sealed.ts'
import type { Role, WorkerAnswer, WorkerRequest } from './sqlite-worker.ts'

type Request = WorkerRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never

// Rows live for a message; more room for them is more memory, and no faster (measured).
const YOUNG_MB = 8

/** A thread as a function from request to promise. What one turn of the event loop asks goes in one message. */
function startThread(path: string, role: Role) {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./sqlite-worker.${extension}`, import.meta.url), {
    workerData: { path, role },
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  })
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  let unsent: WorkerRequest[] = []
  let lastId = 0
  let broken: Error | undefined
  const failed = Promise.withResolvers<Error>()
  worker.on('message', (answers: WorkerAnswer[]) => {
    for (const answer of answers) {
      const caller = waiting.get(answer.id)
      waiting.delete(answer.id)
      if ('error' in answer) caller?.reject(Object.assign(new Error(answer.error), { name: answer.name }))
      else caller?.resolve(answer.value as never)
    }
  })
  function fail(cause: Error): void {
    const ended = new ThreadEndedError(cause)
    for (const { reject } of waiting.values()) reject(ended)
    waiting.clear()
    // One that was told to end has not failed.
    if (broken === undefined) failed.resolve(ended)
    broken ??= ended
  }
  worker.on('error', fail)
  worker.on('exit', (status) => fail(new Error(`it exited with status ${status}`)))
  function send(): void {
    if (unsent.length === 0) return
    worker.postMessage(unsent)
    unsent = []
  }
  return {
    failed: failed.promise,
    ask<T>(request: Request): Promise<T> {
      if (broken !== undefined) return Promise.reject(broken)
      return new Promise<T>((resolve, reject) => {
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        const first = unsent.push({ id, ...request }) === 1
        // A message wakes the thread, which costs more than most look-ups; a batch is worth one of its own, at once.
        if (request.kind !== 'read') send()
        else if (first) setImmediate(send)
      })
    },
    async end() {
      const dead = broken !== undefined
      const closed = dead ? undefined : this.ask({ kind: 'close' })
      broken ??= new StoreUnavailableError('the database is closed')
      await closed
      const exited = dead ? undefined : once(worker, 'exit')
      await worker.terminate()
      await exited
    },
  }
}

/**
 * Opens the database file, and migrates it once `admit` has seen what is sealed in it. Throws when another process has it or
 * the folder cannot be written.
 */
export async function openSqliteDriver(
  path: string,
  { admit = () => {}, mode = 'migrate' }: { admit?: Admit; mode?: MigrateMode } = {},
): Promise<Driver & { migrated: Migrated }> {
  const unlock = lockSqlite(path)
  const writer = startThread(path, 'writer')
  try {
    admit(await writer.ask<SealedRows>({ kind: 'sealed' }))
    const migrated = await writer.ask<Migrated>({ kind: 'migrate', mode })
    const lookups = startThread(path, 'lookups')
    const lists = startThread(path, 'lists')
    let closed: Promise<void> | undefined
    return {
      // The writer never waits for this thread to form its next batch.
      concurrency: 2,
      // Small enough that answering one batch overlaps with committing the next: 128 was a fifth slower with 64 callers.
      batchWrites: 32,
      exclusive: true,
      signals: null,
      failed: Promise.race([writer.failed, lookups.failed, lists.failed]),
      now: Date.now,
      migrated,
      write: (batch) => writer.ask<WriteOutcome[]>({ kind: 'batch', batch }),
      read: <V extends ReadVerb>(verb: V, args: ReadArgs<V>) =>
        (isQuick(verb) ? lookups : lists).ask<ReadResult<V>>({ kind: 'read', verb, args }),
      close: () =>
        (closed ??= (async () => {
          await Promise.all([lookups.end(), lists.end()])
          await writer.end()
          unlock()
        })()),
    }
  } catch (error) {
    await writer.end().catch(() => {})
    unlock()
    const fault = error instanceof ThreadEndedError ? error.cause : error
    throw isSqliteFault(fault) ? new DatabaseFaultError(path, fault) : error
  }
}

// What SQLite says of files; the thread passes on no more of an error than its words.
const FILE_FAULT = /not a database|malformed|readonly|unable to open|disk I\/O|is full/

const isSqliteFault = (error: unknown) => error instanceof Error && FILE_FAULT.test(error.message)

/** Another process has this database. */
export class DatabaseInUseError extends Error {
  constructor(path: string) {
    super(`another ringback process is using ${path}: stop it, or choose another RINGBACK_DATA`)
    this.name = 'DatabaseInUseError'
  }
}

/** A thread that had the database open is gone, and what it was to do nobody does. */
export class ThreadEndedError extends StoreUnavailableError {
  constructor(cause: Error) {
    super(
      `a thread of the database ended (${cause.message}): nothing that was answered is lost, start the server again`,
    )
    this.cause = cause
    this.name = 'ThreadEndedError'
  }
}

/** The files of this database cannot be used as they are. */
export class DatabaseFaultError extends Error {
  constructor(path: string, cause: unknown) {
    super(
      `${path} cannot be used (${cause instanceof Error ? cause.message : String(cause)}): make the file and its folder readable and writable to this user, restore a backup, or choose another RINGBACK_DATA`,
      { cause },
    )
    this.name = 'DatabaseFaultError'
  }
}

const SQLITE_BUSY = 5

const isBusy = (error: unknown) =>
  error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY

/**
 * Keeps other processes of ours away from a database, which is made if there is none; gives back how to end that. An
 * exclusive SQLite transaction on a file of its own is a lock that the system frees when the process dies, and that leaves
 * the database itself open to readers and backups. Throws DatabaseInUseError.
 */
export function lockSqlite(path: string): () => void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  for (const file of [path, `${path}.lock`]) closeSync(openSync(file, 'a', 0o600))
  const holder = new DatabaseSync(`${path}.lock`)
  try {
    holder.exec('pragma locking_mode = exclusive; begin exclusive')
  } catch (error) {
    holder.close()
    throw isBusy(error) ? new DatabaseInUseError(path) : new DatabaseFaultError(path, error)
  }
  return () => holder.close()
}
