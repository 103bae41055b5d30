// One group commit: many callers' writes in one transaction, each with its own result. A batch that fails is run again
// write by write, so that one bad write never fails its neighbours.
import type { Database } from './database.ts'
import { lockTasks } from './sql/lock.ts'
import { writes, type WriteVerb } from './sql/verbs.ts'

/** One write of a batch; `task_ids` are the tasks that it locks. */
export type BatchWrite = { verb: WriteVerb; input: unknown; task_ids: readonly string[] }
export type Batch = { now: number; owner: string; writes: BatchWrite[] }

/** A write's own result, or the message of what went wrong with it. */
export type WriteOutcome = { ok: true; value: unknown } | { ok: false; error: string; unavailable: boolean }

/** Says of an error whether the database is gone (then nothing is tried again write by write). */
export type IsUnavailable = (error: unknown) => boolean

/** Runs a batch. Never rejects: every write gets an outcome. */
export async function runBatch(
  database: Database,
  batch: Batch,
  isUnavailable: IsUnavailable,
): Promise<WriteOutcome[]> {
  try {
    return await commit(database, batch)
  } catch (error) {
    const failed = failure(error, isUnavailable)
    if (batch.writes.length === 1 || failed.unavailable) return batch.writes.map(() => failed)
    const outcomes: WriteOutcome[] = []
    for (const write of batch.writes) {
      outcomes.push(...(await runBatch(database, { ...batch, writes: [write] }, isUnavailable)))
    }
    return outcomes
  }
}

const failure = (error: unknown, isUnavailable: IsUnavailable) => ({
  ok: false as const,
  error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  unavailable: isUnavailable(error),
})

function commit(database: Database, { now, owner, writes: batch }: Batch): Promise<WriteOutcome[]> {
  return database.write(async (tx) => {
    const outcomes: WriteOutcome[] = batch.map(() => ({ ok: true, value: null }))
    await lockTasks(
      { tx },
      batch.flatMap(({ task_ids }) => task_ids),
    )
    for (const verb of Object.keys(writes) as WriteVerb[]) {
      const indexes = batch.flatMap((write, i) => (write.verb === verb ? i : []))
      if (indexes.length === 0) continue
      const run = writes[verb] as (context: object, inputs: unknown[]) => Promise<unknown[]>
      const values = await run(
        { tx, now, owner },
        indexes.map((i) => batch[i]?.input),
      )
      indexes.forEach((index, i) => (outcomes[index] = { ok: true, value: values[i] }))
    }
    return outcomes
  })
}
