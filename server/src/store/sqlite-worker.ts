// A thread with one SQLite connection: the writer, or a reader. Messages are answered in order.
import { parentPort, workerData } from 'node:worker_threads'
import { runBatch, type Batch } from './batch.ts'
import type { Transaction } from './database.ts'
import { migrate, type MigrateMode } from './migrate.ts'
import { isUnavailable, openSqlite } from './sqlite-database.ts'
import { reads } from './sql/reads.ts'
import { startCheckpoints } from './sqlite-checkpoints.ts'
import { sealedByEachKey } from './sql/sealing.ts'

/** What a thread is for: commits, quick reads, or lists and checkpoints. */
export type Role = 'writer' | 'lookups' | 'lists'

/** A request to the thread; the answer carries the same id. */
export type WorkerRequest =
  | { id: number; kind: 'sealed' }
  | { id: number; kind: 'migrate'; mode: MigrateMode }
  | { id: number; kind: 'batch'; batch: Batch }
  | { id: number; kind: 'read'; verb: keyof typeof reads; args: unknown }
  | { id: number; kind: 'close' }
export type WorkerAnswer = { id: number; value: unknown } | { id: number; error: string; name: string }

const { path, role } = workerData as { path: string; role: Role }
const database = openSqlite(path, { readonly: role !== 'writer' })
const endCheckpoints = role === 'lists' ? startCheckpoints(path) : () => {}
// Quick answers share a message; none waits for slow ones behind it.
const GATHER_MS = 1

async function answer(request: WorkerRequest): Promise<unknown> {
  switch (request.kind) {
    case 'sealed':
      return database.read(sealedByEachKey)
    case 'migrate':
      return migrate(database, request.mode)
    case 'batch':
      return runBatch(database, request.batch, isUnavailable)
    case 'read': {
      const read = reads[request.verb] as (tx: Transaction, args: unknown) => Promise<unknown>
      return database.read((tx) => read(tx, request.args))
    }
    case 'close':
      endCheckpoints()
      return database.close()
  }
}

async function answerSafely(request: WorkerRequest): Promise<WorkerAnswer> {
  try {
    return { id: request.id, value: await answer(request) }
  } catch (error) {
    const { message, name } = error instanceof Error ? error : new Error(String(error))
    return { id: request.id, error: message, name }
  }
}

async function answerAll(requests: WorkerRequest[]): Promise<void> {
  let answers: WorkerAnswer[] = []
  let since = performance.now()
  for (const request of requests) {
    answers.push(await answerSafely(request))
    if (performance.now() - since < GATHER_MS) continue
    parentPort?.postMessage(answers)
    answers = []
    since = performance.now()
  }
  if (answers.length > 0) parentPort?.postMessage(answers)
}

// One request at a time: a transaction must not see the statements of the next message.
let last = Promise.resolve()
parentPort?.on('message', (requests: WorkerRequest[]) => {
  last = last.then(() => answerAll(requests))
})
