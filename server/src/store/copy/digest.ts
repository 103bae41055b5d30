// What two databases must agree on: for each table the number of its rows and a hash over them that does not depend on their
// order, since the two sort texts differently.
import { hash } from 'node:crypto'
import type { Transaction } from '../database.ts'
import type { Table } from './known-tables.ts'
import { readTable } from './read-table.ts'

/** The rows of a table, counted and hashed; `hash` has 32 hex digits. */
export type Digest = { rows: number; hash: string }

/** Reads a whole table; `onRows` hears of each chunk. */
export async function digestOf(
  tx: Transaction,
  table: Table,
  onRows: (count: number) => void,
): Promise<Digest> {
  const names = Object.keys(table.columns)
  let rows = 0
  let high = 0n
  let low = 0n
  for await (const chunk of readTable(tx, table)) {
    for (const row of chunk) {
      const bytes = hash('sha256', JSON.stringify(names.map((name) => row[name])), 'buffer')
      // A sum and not a xor, in which what occurs twice would vanish.
      high = BigInt.asUintN(64, high + bytes.readBigUInt64BE(0))
      low = BigInt.asUintN(64, low + bytes.readBigUInt64BE(8))
    }
    rows += chunk.length
    onRows(chunk.length)
  }
  return { rows, hash: hexOf(high) + hexOf(low) }
}

const hexOf = (sum: bigint): string => sum.toString(16).padStart(16, '0')
