// Checkpoints beside the writer: what is committed to the write-ahead log is copied into the database by another thread, so that
// no commit waits for it. The log begins anew only when the writer finds everything copied; its own checkpoint, late and
// then short, sees to that. Between lists that follow each other without a gap it never does: 18 s of them left a log of
// 626 MiB (measured). So a long one is begun anew from here, where no list is read.
import { DatabaseSync } from 'node:sqlite'

/** The writer makes its own checkpoint when its log has so many pages: 32 MiB, and one table of the log's index. */
export const WRITER_CHECKPOINT_PAGES = 4000

/** A log that has grown beyond this is cut to it when it begins anew. */
export const LOG_LIMIT_BYTES = 64 * 1024 * 1024

// Seldom enough that a page written again and again is copied once, often enough that little is left to the writer.
const EVERY_MS = 100

const LONG_LOG_PAGES = 2 * WRITER_CHECKPOINT_PAGES
// No commit is made while a log begins anew: only a few pages may be left to be copied, and no reader to be waited for.
const LEFT_PAGES = 256
const RESTART_WAIT_MS = 50

/**
 * Begins to copy what is committed to the database at `path`; gives back how to end that. A round that fails is left out:
 * the writer meets the same trouble, and says so.
 */
export function startCheckpoints(path: string): () => void {
  const connection = new DatabaseSync(path)
  connection.exec('pragma synchronous = full')
  connection.exec(`pragma busy_timeout = ${RESTART_WAIT_MS}`)
  const copy = connection.prepare('pragma wal_checkpoint(passive)')
  const restart = connection.prepare('pragma wal_checkpoint(restart)')
  const timer = setInterval(() => {
    try {
      const { log, checkpointed } = copy.get() as { log: number; checkpointed: number }
      if (log > LONG_LOG_PAGES && log - checkpointed < LEFT_PAGES) restart.get()
    } catch {}
  }, EVERY_MS)
  return () => {
    clearInterval(timer)
    connection.close()
  }
}
