// An import as it is kept in its record: where its file is, how far it was read, and what was wrong with which lines. Counts
// and cursor are written together, so lines that are read again after a crash are counted once.
import type { Printable } from '../../domain/json.ts'

/** The kind of the records of imports; their key is the batch's id. */
export const IMPORT = 'import'

/** The numbers are ours: the platform's documentation explains none (contract §3.1). */
export const importStatus = { waiting: 1, importing: 2, finished: 3 } as const

type ImportError = { uniqueIdentifier: string | null; jsonLine: string | null; error: string }

export type ImportState = {
  /** Digits: the platform's project, not ours. */
  project_id: string
  url: string
  /** The file's name, for people. */
  name: string
  /** The AccessKey that asked for it. */
  access_key: string
  status: (typeof importStatus)[keyof typeof importStatus]
  /** Lines done, good and bad: where to go on. */
  line_count: number
  fail_count: number
  errors: ImportError[]
  /** How often the file could not be read to its end. */
  fetch_failures: number
}

// All are counted, so many are shown; a file of garbage must not become a record of the same size.
const ERRORS_SHOWN = 1000
const SHOWN_CHARS = 120

/** A new import. */
export const newImport = (given: Pick<ImportState, 'project_id' | 'url' | 'access_key'>): ImportState => ({
  ...given,
  name: fileName(given.url),
  status: importStatus.waiting,
  line_count: 0,
  fail_count: 0,
  errors: [],
  fetch_failures: 0,
})

function fileName(url: string): string {
  const { pathname, hostname } = new URL(url)
  const last = pathname.split('/').findLast((part) => part !== '') ?? hostname
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}

/** Something that failed: a line, or (without one) the file as a whole. */
export const failing = (
  state: ImportState,
  {
    identifier = null,
    line = null,
    error,
  }: { identifier?: string | null; line?: Buffer | null; error: string },
): ImportState => ({
  ...state,
  fail_count: state.fail_count + 1,
  errors:
    state.errors.length < ERRORS_SHOWN
      ? [
          ...state.errors,
          {
            uniqueIdentifier: identifier && shown(identifier),
            jsonLine: line && shown(line.toString()),
            error,
          },
        ]
      : state.errors,
})

const shown = (text: string) => text.slice(0, SHOWN_CHARS).toWellFormed()

export const printImport = (state: ImportState): string => JSON.stringify(state)
export const readImport = (body: string): ImportState => JSON.parse(body) as ImportState

/** An import as its customer sees it. */
export const presentImport = (batch_id: string, state: ImportState): Printable => ({
  batchId: batch_id,
  jsonlName: state.name,
  taskCount: state.line_count,
  importFailCount: state.fail_count,
  status: state.status,
  errors: state.errors,
})
