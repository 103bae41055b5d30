// The PostgreSQL driver, for 15 or newer: batches over a pool of connections, signals between the nodes on it, and the time
// as the database has it, so that nodes whose clocks differ agree on every deadline.
import { runBatch } from './batch.ts'
import { assertNotCopied } from './copy/alone.ts'
import type { Database, Transaction } from './database.ts'
import { createDatabaseClock } from './database-clock.ts'
import {
  StoreUnavailableError,
  type Admit,
  type Driver,
  type ReadArgs,
  type ReadResult,
  type ReadVerb,
} from './driver.ts'
import { migrate, type MigrateMode, type Migrated } from './migrate.ts'
import { isUnavailable, openPostgres } from './postgres-database.ts'
import { assertUsable, explainStart } from './postgres-start.ts'
import { isQuick } from './quick-reads.ts'
import { createSignals } from './signals.ts'
import { DRAINED, drainWakeUps } from './sql/destinations.ts'
import { reads } from './sql/reads.ts'
import { sealedByEachKey } from './sql/sealing.ts'

// A claim moves so many thousands of wake-ups at most; each is a transaction of its own.
const MOST_DRAINS = 10
const BATCHES = 2
// Each statement of a batch costs about as much, however many rows it has: 32 were a third slower with 64 callers.
const BATCH_WRITES = 64
const LOOKUPS = 2
const LISTS = 2
const CLOCK_EVERY_MS = 10_000

/** Brings the database to this program's schema, once `admit` has seen what is sealed in it. Throws PostgresStartError. */
export async function migratePostgres(
  url: string,
  { admit = () => {}, mode }: { admit?: Admit; mode?: MigrateMode } = {},
): Promise<Migrated> {
  const database = openPostgres(url, { connections: 1, patient: true })
  try {
    await database.read(assertUsable)
    await database.read(assertNotCopied)
    admit(await database.read(sealedByEachKey))
    return await migrate(database, mode)
  } catch (error) {
    throw explainStart(error, url)
  } finally {
    await database.close()
  }
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const LOCKED = /^(40P01|55P03)$/

/** Brings a claim what became due. One that met somebody who wanted its locks, and had others, fails no write: the next drains more. */
async function drain(database: Database): Promise<void> {
  try {
    for (let i = 0; i < MOST_DRAINS && (await database.write(drainWakeUps)) === DRAINED; i++);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && LOCKED.test(String(error.code)))) throw error
  }
}

const askTime = async (tx: Transaction): Promise<number> => {
  const [row] = await tx.all('select (extract(epoch from clock_timestamp()) * 1000)::bigint as time')
  return Number(row?.time)
}

/** Opens the database, migrated; `owner` tells this process from the others on it. Throws PostgresStartError. */
export async function openPostgresDriver(
  url: string,
  { owner = '', ...opening }: { owner?: string; admit?: Admit; mode?: MigrateMode } = {},
): Promise<Driver & { migrated: Migrated }> {
  const migrated = await migratePostgres(url, opening)
  const database = openPostgres(url, { connections: BATCHES })
  // Connections of their own, so that slow reads keep no commit waiting, and slow pages no quick read.
  const lookups = openPostgres(url, { connections: LOOKUPS })
  const lists = openPostgres(url, { connections: LISTS })
  const clock = await createDatabaseClock(() => lookups.read(askTime))
  const setting = setInterval(() => void clock.set().catch(() => {}), CLOCK_EVERY_MS).unref()
  const signals = createSignals({ url, from: owner })
  return {
    concurrency: BATCHES,
    batchWrites: BATCH_WRITES,
    exclusive: false,
    migrated,
    signals,
    // Connections are opened anew for as long as it takes.
    failed: new Promise(() => {}),
    now: () => clock.now(),
    async write(batch) {
      if (batch.writes.some(({ verb }) => verb === 'claim' || verb === 'claimCalls')) await drain(database)
      return runBatch(database, batch, isUnavailable)
    },
    async read<V extends ReadVerb>(verb: V, args: ReadArgs<V>) {
      const run = reads[verb] as (tx: Transaction, args: unknown) => Promise<ReadResult<V>>
      try {
        return await (isQuick(verb) ? lookups : lists).read((tx) => run(tx, args))
      } catch (error) {
        throw isUnavailable(error) ? new StoreUnavailableError(String(error)) : error
      }
    },
    async close() {
      clearInterval(setting)
      await signals.close()
      await Promise.all([database, lookups, lists].map((each) => each.close()))
    },
  }
}
