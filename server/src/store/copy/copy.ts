// Copies a whole database: all rows of all tables as they are, in chunks whose progress is committed with them, so that
// whoever is killed on the way goes on when run again. The end is not the last row, but that both sides have the same.
import type { Transaction } from '../database.ts'
import { wake, type WakeUp } from '../sql/destinations.ts'
import { CopyError } from './copy-error.ts'
import { digestOf, type Digest } from './digest.ts'
import { nameOf, withEnd, type End, type Place } from './end.ts'
import { knownTables, type Table } from './known-tables.ts'
import { assertCopyable, prepare } from './prepare.ts'
import { keyOf, readTable } from './read-table.ts'
import { advance, markFinished, type Progress, type Unfinished } from './unfinished.ts'

/** How far a copy is: rows of so many that were copied; or read again on both sides, to check the copy. */
export type Report = { step: 'copying' | 'checking'; rows: number; total: number }

/** A copy that was made and checked. */
export type Copied = {
  from: string
  to: string
  /** How many rows an interrupted copy had brought before. */
  resumed_rows: number
  tables: ({ name: string } & Digest)[]
}

type Pair = { source: End; target: End; tables: readonly Table[]; report: (report: Report) => void }

/**
 * Copies the database at `from` into the empty one at `to`, or goes on with a copy that was interrupted. Throws CopyError when
 * a server is on either, the source has another schema, the target is not empty, or the copy is not the same in the end.
 */
export async function copyDatabase(
  { from, to }: { from: Place; to: Place },
  report: (report: Report) => void,
): Promise<Copied> {
  if (nameOf(from) === nameOf(to))
    throw new CopyError('--from and --to are the same database: name another --to')
  const tables = await knownTables()
  return withEnd(from, '--from', (source) =>
    // One moment of the source is copied, whatever happens to it meanwhile.
    source.database.snapshot(async (tx) => {
      await assertCopyable(tx, source.name)
      return withEnd(to, '--to', (target) => copy(tx, { source, target, tables, report }))
    }),
  )
}

async function copy(from: Transaction, pair: Pair): Promise<Copied> {
  const { source, target } = pair
  const { progress } = await prepare(pair)
  const resumed_rows = rowsOf(progress)
  await copyRows(from, pair, progress)
  const tables = await check(from, pair)
  await source.assertAlone()
  await target.assertAlone()
  await finish(from, pair)
  return { from: source.name, to: target.name, resumed_rows, tables }
}

const rowsOf = (progress: Unfinished['progress']): number =>
  [...progress.values()].reduce((sum, { rows }) => sum + rows, 0)

async function copyRows(
  from: Transaction,
  { target, tables, report }: Pair,
  progress: Unfinished['progress'],
): Promise<void> {
  const total = await countRows(from, tables)
  let copied = rowsOf(progress)
  for (const table of tables) {
    let at: Progress = progress.get(table.name) ?? { after: null, rows: 0 }
    for await (const rows of readTable(from, table, at.after)) {
      const next = { after: keyOf(table, rows.at(-1) ?? {}), rows: at.rows + rows.length }
      await target.database.write(async (tx) => {
        await tx.bulk(table.insert, rows)
        await advance(tx, table.name, next)
      })
      at = next
      copied += rows.length
      report({ step: 'copying', rows: copied, total })
    }
  }
}

async function countRows(tx: Transaction, tables: readonly Table[]): Promise<number> {
  let total = 0
  for (const { name } of tables) {
    const [row] = await tx.all(`select count(*) as count from ${name}`)
    total += Number(row?.count)
  }
  return total
}

/** Reads both sides anew, and throws unless they have the same. */
function check(from: Transaction, { target, tables, report }: Pair): Promise<Copied['tables']> {
  return target.database.snapshot(async (to) => {
    const total = (await countRows(from, tables)) + (await countRows(to, tables))
    let read = 0
    const checked: Copied['tables'] = []
    for (const table of tables) {
      const onRows = (count: number) => report({ step: 'checking', rows: (read += count), total })
      const [wanted, found] = [await digestOf(from, table, onRows), await digestOf(to, table, onRows)]
      if (wanted.rows !== found.rows || wanted.hash !== found.hash) {
        throw new CopyError(
          `${table.name} of ${target.name} differs from its source (${found.rows} rows and not ${wanted.rows}, or others): the source has changed since an interrupted copy, or somebody wrote to the copy; empty it, and copy anew`,
        )
      }
      checked.push({ name: table.name, ...wanted })
    }
    return checked
  })
}

/** Writes what is no row of the source's tables, and takes the mark away. */
async function finish(from: Transaction, { target, tables }: Pair): Promise<void> {
  const wakeUps = await pendingWakeUps(from)
  await target.database.write(async (tx) => {
    await wake(tx, wakeUps)
    await markFinished(tx)
    // Without statistics the first minutes of a server on so many new rows would be slow ones.
    if (tx.flavor.name === 'postgres') for (const { name } of tables) await tx.all(`analyze ${name}`)
  })
}

/** Wake-ups that no claim has moved into their destinations; only PostgreSQL has a table of them. */
async function pendingWakeUps(tx: Transaction): Promise<WakeUp[]> {
  if (tx.flavor.name !== 'postgres') return []
  const rows = await tx.all(
    'select destination_id as id, min(due_at) as due_at from wakeups group by destination_id',
  )
  return rows as WakeUp[]
}
