// Reads the inputs of a batch from a customer's file: a JSON array, as large as what a request may carry.
import { isUtf8 } from 'node:buffer'
import { DEPTH_MAX, isTooDeep, elements } from '../../domain/json.ts'
import { FetchError, type Fetch } from '../work.ts'

/** As large as a request's inputs may be, in bytes (contract §1.3). */
export const INPUTS_BYTES = 4 * 1024 * 1024

const BOUNDS = { max_bytes: INPUTS_BYTES, total_ms: 60_000, idle_ms: 15_000 }

/** The inputs as JSON texts, or what is wrong with the file, and whether that may be better another time. */
export type InputsFile = { inputs: string[] } | { fault: string; passing: boolean }

/** Reads a file. Throws only when the reading was stopped. */
export async function readInputsFile(fetch: Fetch, url: string): Promise<InputsFile> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of fetch(url, BOUNDS)) pieces.push(piece)
  } catch (error) {
    if (!(error instanceof FetchError) || error.reason === 'stopped') throw error
    return { fault: `inputsFileUrl: ${error.message}`, passing: isPassing(error) }
  }
  const bytes = Buffer.concat(pieces)
  const fault = (why: string) => ({ fault: `inputsFileUrl: ${why}`, passing: false })
  if (!isUtf8(bytes)) return fault('the file is not UTF-8')
  const text = bytes.toString().replace(/^\uFEFF/, '')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return fault(`the file is not JSON: ${error instanceof Error ? error.message : ''}`)
  }
  if (isTooDeep(text)) return fault(`the file is nested deeper than ${DEPTH_MAX} levels`)
  return Array.isArray(value) ? { inputs: elements(text) } : fault('the file must hold a JSON array')
}

const isPassing = ({ reason, status }: FetchError) =>
  reason === 'unreachable' || reason === 'timeout' || status === 429 || (status ?? 0) >= 500
