// A ZIP of one file, made while it is sent: sizes and checksum are known only behind the data, so they follow it (APPNOTE.TXT
// 4.4.4, bit 3). Written here because the standard library packs and sums, and what is left is three small records.
import { Readable, pipeline } from 'node:stream'
import { createDeflateRaw, crc32 } from 'node:zlib'

const VERSION = 20
const SIZES_FOLLOW = 1 << 3
const DEFLATED = 8
// Behind this the format has other records (ZIP64), which not every reader knows.
const BYTES_MAX = 0xffff_ffff

/** Gives the bytes of a ZIP with one file of these contents. Throws a RangeError when they are longer than 4 GiB. */
export async function* zipOf(
  { name, time_ms }: { name: string; time_ms: number },
  contents: AsyncIterable<string>,
): AsyncGenerator<Buffer> {
  let crc = 0
  let size = 0
  let packed_size = 0
  async function* summed(): AsyncGenerator<Buffer> {
    for await (const text of contents) {
      const bytes = Buffer.from(text)
      crc = crc32(bytes, crc)
      size += bytes.length
      if (size > BYTES_MAX) throw new RangeError('The contents are longer than 4 GiB')
      yield bytes
    }
  }
  const fields = (crc: number, packed_size: number, size: number) =>
    Buffer.concat([
      shorts(VERSION, SIZES_FOLLOW, DEFLATED, ...dosTime(time_ms)),
      longs(crc, packed_size, size),
      shorts(name.length, 0),
    ])
  const head = Buffer.concat([Buffer.from('PK\x03\x04'), fields(0, 0, 0), Buffer.from(name)])
  yield head
  const packed: AsyncIterable<Buffer> = pipeline(Readable.from(summed()), createDeflateRaw(), () => {})
  for await (const bytes of packed) {
    packed_size += bytes.length
    yield bytes
  }
  yield Buffer.concat([Buffer.from('PK\x07\x08'), longs(crc, packed_size, size)])
  const directory = Buffer.concat([
    Buffer.from('PK\x01\x02'),
    shorts(VERSION),
    fields(crc, packed_size, size),
    // Comment, disk, and attributes of a file; it begins at 0.
    shorts(0, 0, 0),
    longs(0, 0),
    Buffer.from(name),
  ])
  const at = head.length + packed_size + 16
  yield Buffer.concat([
    directory,
    Buffer.from('PK\x05\x06'),
    shorts(0, 0, 1, 1),
    longs(directory.length, at),
    shorts(0),
  ])
}

function shorts(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2)
  values.forEach((value, i) => bytes.writeUInt16LE(value, i * 2))
  return bytes
}

function longs(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeUInt32LE(value, i * 4))
  return bytes
}

/** Time and date as the format has them: from 1980 on, every other second. */
function dosTime(time_ms: number): [time: number, date: number] {
  const at = new Date(time_ms)
  return [
    (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  ]
}
