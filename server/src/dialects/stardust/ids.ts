// Ids of batches and tasks: long decimal numbers, sent as JSON strings (contract §1). All ids of an import follow from that of
// its batch and the number of the line, so a line that is read again is recognised as the task it already is.
import { hash } from 'node:crypto'
import type { Scope } from '../../domain/project.ts'

// A batch has the 20 lowest bits for its lines, 0 being itself. In the years at hand that makes 19 digits.
const LINE_BITS = 20n

/** Lines that a batch has numbers for. */
export const MOST_LINES = 1_000_000

/** The id of a batch of this millisecond; there is one a millisecond, so when it is taken, take the next one's. */
export const batchIdAt = (time_ms: number): string => (BigInt(time_ms) << LINE_BITS).toString()

/** When a batch was made, in milliseconds. */
export const timeOfBatch = (batch_id: string): number => Number(BigInt(batch_id) >> LINE_BITS)

/** The ids of the task of a line, from 1: a UUIDv7 that sorts by batch and line, and the number that its customer knows. */
export function lineIds(
  { project_id, mode }: Scope,
  batch_id: string,
  line: number,
): { id: string; external_id: string } {
  const time12 = timeOfBatch(batch_id).toString(16).padStart(12, '0')
  const digest = Buffer.from(hash('sha256', `${project_id}|${mode}|${batch_id}|${line}`), 'hex')
  // 20 bits of line: 12 behind the version, 6 behind the variant, 2 before the hash.
  digest.writeUInt16BE(0x7000 | (line >>> 8), 0)
  digest[2] = 0x80 | ((line >>> 2) & 0x3f)
  digest[3] = ((line & 3) << 6) | (digest.readUInt8(3) & 0x3f)
  const tail = digest.toString('hex', 0, 10)
  return {
    id: `${time12.slice(0, 8)}-${time12.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}`,
    external_id: (BigInt(batch_id) + BigInt(line)).toString(),
  }
}
