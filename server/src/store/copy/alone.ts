// A PostgreSQL is copied while no server is on it: those that are there are seen by the name of their connections, and a lock
// keeps new ones from starting. The lock alone would not do, since a server takes it only for the moment of its start.
import { setTimeout as delay } from 'node:timers/promises'
import type { Transaction } from '../database.ts'
import { SERVER_NAME } from '../postgres-database.ts'
import { PostgresStartError } from '../postgres-start.ts'
import { CopyError } from './copy-error.ts'

const COPY_LOCK = 7_464_746_474_647_465

/** Throws PostgresStartError while a copy from or to this database is under way. */
export async function assertNotCopied(tx: Transaction): Promise<void> {
  if (!(await taken(tx, 'pg_try_advisory_xact_lock_shared'))) {
    throw new PostgresStartError(
      'the database is being copied: wait until `ringback copy` has ended, and start on the copy only',
    )
  }
}

/** Keeps servers and other copies from starting on this database for as long as the transaction lasts. Throws CopyError. */
export async function keepOthersOut(tx: Transaction, place: string): Promise<void> {
  if (await soon(() => taken(tx, 'pg_try_advisory_xact_lock'))) return
  throw new CopyError(`another copy or a start is under way on ${place}: wait until it has ended`)
}

async function taken(tx: Transaction, verb: string): Promise<boolean> {
  const [row] = await tx.all(`select case when ${verb}(${COPY_LOCK}) then 1 else 0 end as taken`)
  return row?.taken === 1
}

/** Throws CopyError when a server is connected to this database. */
export async function assertNoServer(tx: Transaction, place: string): Promise<void> {
  if (await soon(async () => (await countServers(tx)) === 0)) return
  throw new CopyError(`a server is connected to ${place}: stop every server on it first`)
}

async function countServers(tx: Transaction): Promise<number> {
  // A transaction goes on seeing the connections that there were when it first looked.
  await tx.all('select 1 from pg_stat_clear_snapshot()')
  const [row] = await tx.all(
    'select count(*) as count from pg_stat_activity where datname = current_database() and application_name = $1',
    [SERVER_NAME],
  )
  return Number(row?.count)
}

const TRIES = 10
const PAUSE_MS = 100

// PostgreSQL notices a moment later that a process is gone, and somebody may have stopped it just now.
async function soon(check: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 1; !(await check()); tries++) {
    if (tries === TRIES) return false
    await delay(PAUSE_MS)
  }
  return true
}
