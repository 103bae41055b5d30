// What can be said of a SQLite database without writing to it, while a server may be using it. A read-only connection is
// not enough for that: it makes the files -wal and -shm where there are none, and a server of another user then cannot open
// them.
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { fail, ok, warn, type Check, type Finding } from '../../domain/finding.ts'
import { checkDisk, checkFiles, checkFolder, size } from './data-folder.ts'
import { UNFINISHED_MARK } from '../copy/unfinished.ts'
import { judgeSchema, unfinishedCopy } from './schema.ts'

const BUSY = 5
const BUSY_TIMEOUT_MS = 1000
// Longer reading would keep a running server from taking its write-ahead log back, and the disk from what it is there for.
const MOST_CHECKED_BYTES = 1024 ** 3
const MOST_FAULTS = 3

/** The checks of a database file, whether it is there or not. */
export const sqliteChecks = (path: string): Check[] => [
  { name: 'data folder', run: () => checkFolder(dirname(path)) },
  { name: 'database files', run: () => checkFiles(path) },
  { name: 'lock', run: () => checkLock(path) },
  { name: 'schema', run: () => judged(path, checkSchema) },
  { name: 'integrity', run: () => judged(path, (database) => checkIntegrity(database, path)) },
  { name: 'disk space', run: () => checkDisk(dirname(path)) },
]

// Reading takes a shared lock for an instant. A server that starts in that very instant says that the database is in use.
function checkLock(path: string): Finding {
  const file = `${path}.lock`
  if (!existsSync(file)) return ok('no process has opened the database yet')
  const probe = new DatabaseSync(file, { readOnly: true })
  try {
    probe.prepare('select count(*) from sqlite_master').get()
    return ok('no process is using the database')
  } catch (error) {
    if (codeOf(error) !== BUSY) throw error
    return ok('a running process is using the database')
  } finally {
    probe.close()
  }
}

const codeOf = (error: unknown) =>
  error instanceof Error && 'errcode' in error ? Number(error.errcode) : undefined

/** Opens a database for a judgement, as far as there is one. */
function judged(path: string, judge: (database: DatabaseSync) => Finding): Finding {
  if (!existsSync(path) || statSync(path).size === 0) return ok('there is no database yet')
  const query = queryFor(path)
  if (query === undefined) {
    return warn(
      `${path}-wal is there without ${path}-shm, so it cannot be read without writing`,
      'start the server, which puts that right',
    )
  }
  const url = pathToFileURL(path)
  url.search = query
  const database = new DatabaseSync(url, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  try {
    return judge(database)
  } finally {
    database.close()
  }
}

/** How to read without leaving a trace: a database that is at rest as a mere file, any other through what it has. */
function queryFor(path: string): string | undefined {
  if (!existsSync(`${path}-wal`)) return '?immutable=1'
  return existsSync(`${path}-shm`) ? '?mode=ro&readonly_shm=1' : undefined
}

function checkSchema(database: DatabaseSync): Finding {
  const tables = database.prepare("select name from sqlite_master where type = 'table'").all()
  if (tables.length > 0 && !tables.some(({ name }) => name === 'schema_migrations'))
    return fail('it is the database of another program', 'choose another RINGBACK_DATA')
  if (tables.some(({ name }) => name === UNFINISHED_MARK)) return unfinishedCopy
  if (tables.length === 0) return judgeSchema(0, 'sqlite')
  const row = database.prepare('select coalesce(max(version), 0) as version from schema_migrations').get()
  return judgeSchema(Number(row?.['version']), 'sqlite')
}

function checkIntegrity(database: DatabaseSync, path: string): Finding {
  const bytes = statSync(path).size
  if (bytes > MOST_CHECKED_BYTES) {
    return warn(
      `not checked: ${size(bytes)} would take long`,
      "check a backup: sqlite3 BACKUP 'pragma quick_check'",
    )
  }
  const faults = faultsOf(database)
  return faults.length === 0
    ? ok('the database file is sound')
    : fail(
        `the database file is damaged: ${faults.join('; ')}`,
        'stop the server, keep the files, and restore the last backup',
      )
}

function faultsOf(database: DatabaseSync): string[] {
  try {
    const rows = database.prepare(`pragma quick_check(${MOST_FAULTS})`).all()
    return rows.map((row) => String(row['quick_check'])).filter((fault) => fault !== 'ok')
  } catch (error) {
    // A page that cannot be read at all ends the check.
    return [error instanceof Error ? error.message : String(error)]
  }
}
