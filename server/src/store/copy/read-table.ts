// Walks a table along its primary key, a bounded chunk at a time. Each database sorts texts its own way, so a key tells
// where to go on only to the database that it came from.
import type { Row, Transaction } from '../database.ts'
import type { Table } from './known-tables.ts'
import type { Key } from './unfinished.ts'

const CHUNK_ROWS = 1000
const CHUNK_BYTES = 4 * 1024 * 1024

/** A table's rows behind a key, or all of them; a chunk has 1000 rows or 4 MiB at most, unless a single row is larger. */
export async function* readTable(
  tx: Transaction,
  table: Table,
  after: Key | null = null,
): AsyncGenerator<Row[], void> {
  const columns = Object.keys(table.columns).join(', ')
  for (let last = after; ;) {
    const rows = await read(tx, table, columns, last, await fitting(tx, table, last))
    const end = rows.at(-1)
    if (end === undefined) return
    yield rows
    last = keyOf(table, end)
  }
}

/** The primary key of a row. */
export const keyOf = ({ key }: Table, row: Row): Key => key.map((name) => row[name] ?? null)

/** How many of the next rows are no more than a chunk. */
async function fitting(tx: Transaction, table: Table, after: Key | null): Promise<number> {
  const texts = Object.keys(table.columns).filter((name) => table.columns[name] === 'text')
  const size = texts.map((name) => `coalesce(octet_length(${name}), 0)`).join(' + ')
  const rows = await read(tx, table, `${size} as bytes`, after, CHUNK_ROWS)
  let sum = 0
  const end = rows.findIndex(({ bytes }) => (sum += Number(bytes)) > CHUNK_BYTES)
  return end === -1 ? rows.length : Math.max(1, end)
}

function read(
  tx: Transaction,
  { name, key }: Table,
  columns: string,
  after: Key | null,
  limit: number,
): Promise<Row[]> {
  const keys = key.join(', ')
  const binds = key.map((_, i) => `$${i + 1}`).join(', ')
  const behind = after === null ? '' : `where (${keys}) > (${binds})`
  const bound = after ?? []
  return tx.all(`select ${columns} from ${name} ${behind} order by ${keys} limit $${bound.length + 1}`, [
    ...bound,
    limit,
  ])
}
