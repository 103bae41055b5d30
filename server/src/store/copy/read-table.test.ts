import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrate } from '../migrate.ts'
import { openSqlite } from '../sqlite-database.ts'
import { knownTables } from './known-tables.ts'
import { keyOf, readTable } from './read-table.ts'

const MEBIBYTE = 1024 * 1024

test('a chunk is bounded in rows and in bytes, and a single row that is larger comes alone', async (t) => {
  const database = openSqlite(':memory:', { readonly: false })
  t.after(() => database.close())
  await migrate(database)
  const callbackIds = (await knownTables()).find(({ name }) => name === 'callback_ids')!
  const mebibytes = [1, 1, 1, 3, 9, 3, ...Array.from({ length: 2001 }, () => 0)]
  const rows = mebibytes.map((size, index) => ({
    hash: String(index).padStart(5, '0'),
    // Two bytes a character.
    task_id: 'ü'.repeat((size * MEBIBYTE) / 2),
  }))
  await database.write((tx) => tx.bulk(callbackIds.insert, rows))

  const sizes: number[] = []
  const read = await database.snapshot(async (tx) => {
    const all: unknown[] = []
    for await (const chunk of readTable(tx, callbackIds)) {
      sizes.push(chunk.length)
      all.push(...chunk.map((row) => ({ ...row })))
    }
    return all
  })
  assert.deepEqual(sizes, [3, 1, 1, 1000, 1000, 2])
  assert.deepEqual(read, rows)

  const behind = await database.snapshot(async (tx) => {
    for await (const chunk of readTable(tx, callbackIds, keyOf(callbackIds, rows[2004]!))) return chunk.length
  })
  assert.equal(behind, 2)
})
