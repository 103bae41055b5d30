// A thread with one SQLite connection: the writer, or a reader. Messages are answered in order.
import { parentPort, workerData } from 'node:worker_threads'
import { runBatch, type Batch } from './batch.ts'
import type { Transaction } from './database.ts'
import { migrate } from './migrate.ts'
import { openSqlite } from './sqlite-database.ts'
import { reads } from './sql/reads.ts'

/** A request to the thread; the answer carries the same id. */
export type WorkerRequest =
  | { id: number; kind: 'migrate' }
  | { id: number; kind: 'batch'; batch: Batch }
  | { id: number; kind: 'read'; verb: keyof typeof reads; args: unknown }
  | { id: number; kind: 'close' }
export type WorkerAnswer = { id: number; value: unknown } | { id: number; error: string; name: string }

const { path, readonly } = workerData as { path: string; readonly: boolean }
const database = openSqlite(path, { readonly })
// SQLite is a local file: what fails now may work after the disk has room, but there is no connection to lose.
const neverUnavailable = () => false

async function answer(request: WorkerRequest): Promise<unknown> {
  switch (request.kind) {
    case 'migrate':
      return migrate(database)
    case 'batch':
      return runBatch(database, request.batch, neverUnavailable)
    case 'read': {
      const read = reads[request.verb] as (tx: Transaction, args: unknown) => Promise<unknown>
      return database.read((tx) => read(tx, request.args))
    }
    case 'close':
      return database.close()
  }
}

// One request at a time: a transaction must not see the statements of the next message.
let last = Promise.resolve()
parentPort?.on('message', (request: WorkerRequest) => {
  last = last.then(async () => {
    try {
      parentPort?.postMessage({ id: request.id, value: await answer(request) } satisfies WorkerAnswer)
    } catch (error) {
      const { message, name } = error instanceof Error ? error : new Error(String(error))
      parentPort?.postMessage({ id: request.id, error: message, name } satisfies WorkerAnswer)
    }
  })
})
