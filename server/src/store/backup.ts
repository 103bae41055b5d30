// A copy of a SQLite database while its server goes on. All pages are read in one snapshot: step by step, every commit of the
// server would make the copy begin anew.
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'

const ALL_PAGES = 2 ** 31 - 1

/** The copy cannot be made, or is not sound: one sentence. */
export class BackupError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BackupError'
  }
}

/** Copies the database `source` to the new file `target`, which appears only once it is whole and checked. Gives its bytes. */
export async function backupSqlite(source: string, target: string): Promise<number> {
  if (!existsSync(source))
    throw new BackupError(`there is no database ${source}: name its folder with --data`)
  if (existsSync(target)) throw new BackupError(`${target} exists: name a new file`)
  const part = `${target}.part`
  try {
    rmSync(part, { force: true })
    // It holds all that the database does, so nobody else may read it.
    writeFileSync(part, '', { mode: 0o600 })
    const database = new DatabaseSync(source, { readOnly: true })
    try {
      await backup(database, part, { rate: ALL_PAGES })
    } finally {
      database.close()
    }
    check(part)
    renameSync(part, target)
  } catch (error) {
    rmSync(part, { force: true })
    if (error instanceof BackupError || !(error instanceof Error)) throw error
    throw new BackupError(`${source} cannot be copied to ${target}: ${error.message}`)
  }
  return statSync(target).size
}

function check(path: string): void {
  const copy = new DatabaseSync(path)
  try {
    // Without a log beside it the copy is one file, to be moved as such.
    copy.exec('pragma journal_mode = delete')
    const [found] = copy.prepare('pragma integrity_check(1)').all()
    const word = String(found?.['integrity_check'])
    if (word !== 'ok') throw new BackupError(`the copy is not sound: ${word}`)
  } finally {
    copy.close()
  }
}
