// Checkpoints beside the writer: what is committed to the write-ahead log is copied into the database by another thread, so that
// no commit waits for it. The log begins anew only when the writer finds everything copied; its own checkpoint, late and
// then short, sees to that.
import { DatabaseSync } from 'node:sqlite'

/** The writer makes its own checkpoint when its log has so many pages: 32 MiB, and one table of the log's index. */
export const WRITER_CHECKPOINT_PAGES = 4000

// Seldom enough that a page written again and again is copied once, often enough that little is left to the writer.
const EVERY_MS = 100

/**
 * Begins to copy what is committed to the database at `path`; gives back how to end that. A round that fails is left out:
 * the writer meets the same trouble, and says so.
 */
export function startCheckpoints(path: string): () => void {
  const connection = new DatabaseSync(path)
  connection.exec('pragma synchronous = full')
  const checkpoint = connection.prepare('pragma wal_checkpoint(passive)')
  const timer = setInterval(() => {
    try {
      checkpoint.get()
    } catch {}
  }, EVERY_MS)
  return () => {
    clearInterval(timer)
    connection.close()
  }
}
