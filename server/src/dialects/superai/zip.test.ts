import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, inflateRawSync } from 'node:zlib'
import { zipOf } from './zip.ts'

const file = { name: 'jobs.json', time_ms: Date.UTC(2024, 2, 5, 9, 10, 11) }

async function* of(...texts: string[]) {
  yield* texts
}

async function bytesOf(contents: AsyncIterable<string>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of zipOf(file, contents)) pieces.push(piece)
  return Buffer.concat(pieces)
}

test('a ZIP says at its end where its file is, and of which size, time and checksum', async () => {
  const text = `[${'"héllo",'.repeat(1000)}1]`
  const zip = await bytesOf(of(text.slice(0, 100), '', text.slice(100)))
  const end = zip.subarray(-22)
  assert.equal(end.toString('latin1', 0, 4), 'PK\x05\x06')
  assert.deepEqual([end.readUInt16LE(8), end.readUInt16LE(10)], [1, 1])
  const directory = zip.subarray(end.readUInt32LE(16), -22)
  assert.equal(directory.length, end.readUInt32LE(12))
  assert.equal(directory.toString('latin1', 0, 4), 'PK\x01\x02')
  const [packed, size] = [directory.readUInt32LE(20), directory.readUInt32LE(24)]
  assert.equal(size, Buffer.byteLength(text))
  assert.equal(directory.readUInt32LE(16), crc32(text))
  assert.equal(directory.toString('latin1', 46), 'jobs.json')
  const at = directory.readUInt32LE(42) + 30 + 'jobs.json'.length
  assert.equal(inflateRawSync(zip.subarray(at, at + packed)).toString(), text)
  // 09:10:10 on 5 March 2024.
  assert.deepEqual([directory.readUInt16LE(12), directory.readUInt16LE(14)], [0x4945, 0x5865])
})

test('a ZIP of nothing is one, too', async () => {
  assert.equal((await bytesOf(of())).subarray(-22).readUInt16LE(10), 1)
})

test('contents that break off break the ZIP off', async () => {
  async function* broken() {
    yield '['
    throw new Error('gone')
  }
  await assert.rejects(bytesOf(broken()), /gone/)
})
