// Makes jobs of a batch's inputs. A batch can be begun again after any step, by any process: what each input has become is known
// by its unique id, so that no input becomes two jobs.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { compact, elements, hasNul } from '../../domain/json.ts'
import type { Scope, Project } from '../../domain/project.ts'
import { draftTask } from '../create-task.ts'
import type { Store } from '../../store/store.ts'
import { labelsOf, printFields, type JobFields } from './job.ts'
import type { NewBatch } from './new-batch.ts'
import type { Numbers } from './numbers.ts'

export type IngestDeps = { store: Store; newId: () => string; numbers: Numbers }

/** What has become of a batch; `first_uuid` is that of its first job. */
export type Ingested = {
  total: number
  valid: number
  invalid_index: number | null
  error_message: string | null
  first_uuid: string | null
}

/** So many jobs are made at a time. */
export const CHUNK = 100

// The callback URL was judged when the batch was taken, and is again whenever it is called.
const judged = { egress: { checkUrl: async () => ({ ok: true as const }) }, config: { mail: true } }

/** Makes a job of each good input. Stops between two chunks when `signal` aborts, by throwing its reason. */
export async function ingest(
  deps: IngestDeps,
  { scope, project, batch_id }: { scope: Scope; project: Project; batch_id: string },
  batch: NewBatch & { inputs: readonly string[] },
  signal?: AbortSignal,
): Promise<Ingested> {
  const { app, inputs } = batch
  const metadata = metadataOf(batch)
  const fields = { batch_id, tags: batch.tags }

  /** Null for a bad input. */
  async function createJob(index: number, input: string): Promise<string | null> {
    if (inputFault(input) !== undefined) return null
    const given = metadata(index)
    const ext: JobFields = { ...fields, has_metadata: given !== null }
    const draft = await draftTask(
      { ...judged, store: deps.store },
      { scope, project },
      {
        id: deps.newId(),
        external_id: await deps.numbers.take(scope, 'job'),
        type: app,
        status: batch.parked ? 'suspended' : 'pending',
        params: input,
        metadata: given ?? '{}',
        unique_id: `${batch_id}/${index}`,
        ext: printFields(ext),
        callback_url: batch.callback_url,
      },
    )
    const result = await deps.store.createTask({ ...draft, idempotency: null, labels: labelsOf(app, ext) })
    return result.kind === 'unique_id_taken' ? result.task_id : draft.task.id
  }

  const ingested: Ingested = {
    total: inputs.length,
    valid: 0,
    invalid_index: null,
    error_message: null,
    first_uuid: null,
  }
  for (let from = 0; from < inputs.length; from += CHUNK) {
    signal?.throwIfAborted()
    // Bad inputs wait for no database: two million of them held up everybody for half a second (measured).
    await nextTurn()
    const chunk = inputs.slice(from, from + CHUNK)
    const uuids = await Promise.all(chunk.map((input, i) => createJob(from + i, input)))
    const made = uuids.filter((uuid) => uuid !== null)
    ingested.valid += made.length
    ingested.first_uuid ??= made[0] ?? null
    const bad = ingested.invalid_index === null ? uuids.indexOf(null) : -1
    if (bad === -1) continue
    ingested.invalid_index = from + bad
    ingested.error_message = `inputs[${from + bad}]: ${inputFault(chunk[bad] ?? '')}`
  }
  return ingested
}

function inputFault(input: string): string | undefined {
  if (!input.startsWith('{')) return 'must be an object'
  return hasNul(input) ? 'has a text with NUL (\\u0000), which cannot be kept; remove it' : undefined
}

/** Gives the metadata of the job at an index, or null. */
function metadataOf({ metadata }: NewBatch): (index: number) => string | null {
  if (metadata === null || !metadata.startsWith('[')) return () => metadata
  const list = elements(compact(metadata)).map((text) => (text === 'null' ? null : text))
  return (index) => list[index] ?? null
}
