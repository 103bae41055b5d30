// Ids are UUIDv7 (RFC 9562): they sort by the time they were made, which is what keyset pages and the right edge of
// every index rely on. Inside one millisecond a 12-bit counter keeps the order of one process's ids.

/** Fills the given bytes with random ones. */
export type FillRandom = (bytes: Uint8Array) => void

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const hex = (byte: number | undefined) => HEX[byte ?? 0] ?? '00'

/** Makes a generator of UUIDv7 texts; `now` is in milliseconds. A clock that steps back does not make ids go back. */
export function createIds(now: () => number, fillRandom: FillRandom): () => string {
  const pool = new Uint8Array(8 * 128)
  let used = pool.length
  let millisecond = 0
  let counter = 0
  return () => {
    if (used === pool.length) {
      fillRandom(pool)
      used = 0
    }
    const time = now()
    if (time > millisecond) {
      millisecond = time
      counter = (pool[used] ?? 0) & 0x7f
    } else if (++counter > 0xfff) {
      millisecond++
      counter = 0
    }
    const time12 = millisecond.toString(16).padStart(12, '0')
    const variant = hex(0x80 | ((pool[used] ?? 0) & 0x3f))
    let tail = ''
    for (let i = used + 2; i < used + 8; i++) tail += hex(pool[i])
    const id = `${time12.slice(0, 8)}-${time12.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${hex(pool[used + 1])}-${tail}`
    used += 8
    return id
  }
}

/** The smallest UUIDv7 of a millisecond: a bound for ranges of ids by time. */
export function firstIdAt(time_ms: number): string {
  const time12 = Math.max(0, Math.floor(time_ms)).toString(16).padStart(12, '0')
  return `${time12.slice(0, 8)}-${time12.slice(8)}-7000-8000-000000000000`
}

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** When a UUIDv7 was made, in milliseconds; null for any other text. */
export const timeOfId = (id: string): number | null =>
  UUID7.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null

/** A 32-bit FNV-1a hash: spreads, protects nothing. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}
