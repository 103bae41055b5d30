// The work on batches that are not done: those whose inputs are in a file, those with more inputs than a request waits for, and
// those whose process ended on the way.
import type { WorkDeps } from '../front.ts'
import type { Work } from '../work.ts'
import { writeBatch } from './batch.ts'
import { ingest, type Ingested } from './ingest.ts'
import { readInputsFile } from './inputs-file.ts'
import { metadataFault, parseNewBatch, printNewBatch } from './new-batch.ts'
import { createNumbers } from './numbers.ts'

// A file that cannot be read now may be there in a while; a batch that waits longer is of no use.
const FILE_WAITS_MS = [10_000, 60_000, 300_000]

/** Makes the work on records of kind `ingest`. */
export function createIngestWork(given: WorkDeps): Work {
  const deps = { ...given, numbers: createNumbers(given.store) }
  return async ({ project_id, mode, key: batch_id, created_at, body }, { fetch, now, signal, save }) => {
    const project = await deps.directory.project(project_id)
    if (project === undefined) return { body, due_at: null }
    const owner = { scope: { project_id, mode }, project, batch_id }
    let batch = parseNewBatch(body)
    const end = async (ingested: Omit<Ingested, 'first_uuid'>) => {
      await writeBatch(deps.store, owner, { app: batch.app, created_at, ...ingested })
      return { body: '{}', due_at: null, expires_at: now() }
    }
    const refuse = (error_message: string) => end({ total: 0, valid: 0, invalid_index: null, error_message })

    if (batch.inputs === null) {
      const file = await readInputsFile(fetch, batch.file_url ?? '')
      if ('fault' in file) {
        const wait_ms = file.passing ? FILE_WAITS_MS[batch.failures] : undefined
        if (wait_ms === undefined) return refuse(file.fault)
        return {
          body: printNewBatch({ ...batch, failures: batch.failures + 1 }),
          due_at: now() + wait_ms,
        }
      }
      batch = { ...batch, inputs: file.inputs }
      // Another reading might give another file.
      await save(printNewBatch(batch))
    }
    const inputs = batch.inputs ?? []
    const fault = batch.metadata?.startsWith('[')
      ? metadataFault(JSON.parse(batch.metadata) as unknown[], inputs)
      : undefined
    return fault === undefined ? end(await ingest(deps, owner, { ...batch, inputs }, signal)) : refuse(fault)
  }
}
