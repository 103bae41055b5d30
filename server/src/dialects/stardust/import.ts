// The work on an import: reads the file line by line, makes tasks of the lines, and writes down how far it is. It may be
// killed anywhere; whoever takes the record next reads the file again from its start and goes on behind the cursor.
import type { Project } from '../../domain/project.ts'
import type { StoredRecord } from '../../domain/record.ts'
import type { WorkDeps } from '../front.ts'
import { FetchError, type Work, type WorkResult, type WorkTools } from '../work.ts'
import { printExt } from './ext.ts'
import { MOST_LINES } from './ids.ts'
import type { Batch } from './import-line.ts'
import { takeIn, trackProgress, type Progress } from './import-progress.ts'
import { failing, importStatus, printImport, readImport, type ImportState } from './import-state.ts'
import { splitLines, type RawLine } from './lines.ts'
import { toolsOf } from './project-record.ts'

const MEBIBYTE = 1024 * 1024
const BOUNDS = { max_bytes: 100 * MEBIBYTE, total_ms: 900_000, idle_ms: 30_000 }
// Lines that become tasks at a time: about one transaction.
const CHUNK = { lines: 100, bytes: MEBIBYTE }
// A file that could not be read to its end is asked for again after these, unless that would change nothing.
const RETRY_WAITS_MS = [10_000, 60_000, 300_000]
const DAY_MS = 86_400_000

/** Makes the work on imports. */
export function createImport(deps: WorkDeps): Work {
  return async (record, tools) => {
    const project = await deps.directory.project(record.project_id)
    if (project === undefined) return { body: record.body, due_at: null }
    const found = readImport(record.body)
    const batch = await batchOf(deps, { record, project, state: found })
    const progress = trackProgress({ ...found, status: importStatus.importing }, tools)
    await progress.save()
    const fault = await readFile({ deps, batch, progress, tools })
    const state = progress.state()
    if (fault instanceof FetchError && isTemporary(fault)) {
      const wait_ms = RETRY_WAITS_MS[state.fetch_failures]
      const again = { ...state, fetch_failures: state.fetch_failures + 1 }
      if (wait_ms !== undefined) return { body: printImport(again), due_at: tools.now() + wait_ms }
    }
    return finished(fault === null ? state : failing(state, { error: fault.message }), project, tools.now())
  }
}

function finished(state: ImportState, { settings }: Project, now: number): WorkResult {
  return {
    body: printImport({ ...state, status: importStatus.finished }),
    due_at: null,
    expires_at: now + settings.retention_days * DAY_MS,
  }
}

type Found = { record: StoredRecord; project: Project; state: ImportState }

async function batchOf(deps: WorkDeps, { record, project, state }: Found): Promise<Batch> {
  const scope = { project_id: record.project_id, mode: record.mode }
  const { project_id, access_key, name } = state
  const own = await toolsOf(deps.store, scope, project_id)
  return {
    batch_id: record.key,
    scope,
    project,
    project_id,
    ext: printExt({
      access_key: JSON.stringify(access_key),
      project_id,
      ...own,
      file_name: JSON.stringify(name),
    }),
    begun: state.status !== importStatus.waiting,
  }
}

type Reading = { deps: WorkDeps; batch: Batch; progress: Progress; tools: WorkTools }

/** Reads the file behind the cursor, to its end or as far as it can be read; gives what is wrong with it as a whole. */
async function readFile({ deps, batch, progress, tools }: Reading): Promise<Error | null> {
  const longest = deps.config.body_limit
  let chunk: RawLine[] = []
  let bytes = 0
  const flush = async () => {
    await takeIn(deps, batch, progress, chunk)
    chunk = []
    bytes = 0
  }
  let passed = 0
  const { line_count, url } = progress.state()
  try {
    for await (const line of splitLines(tools.fetch(url, BOUNDS), { longest })) {
      if (passed === MOST_LINES) {
        await flush()
        return new Error(
          `The file has more than ${MOST_LINES} lines, which were read; send the others in another file`,
        )
      }
      if (++passed <= line_count) continue
      chunk.push(line)
      bytes += line.bytes.length
      if (chunk.length === CHUNK.lines || bytes >= CHUNK.bytes) await flush()
    }
  } catch (error) {
    if (!(error instanceof FetchError) || error.reason === 'stopped') throw error
    // What came whole before it broke off is good.
    await flush()
    return error
  }
  await flush()
  return passed === 0 ? new Error('The file has no lines') : null
}

/** Whether the same file may be readable a little later. */
const isTemporary = ({ reason, status }: FetchError): boolean =>
  reason === 'unreachable' ||
  reason === 'timeout' ||
  (reason === 'status' && status !== null && (status >= 500 || status === 408 || status === 429))
