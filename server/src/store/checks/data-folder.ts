// Whether SQLite has a place to be: a folder and files that this user may write, and room on the disk. Nothing is tried
// out; a file that is made by the wrong user would be one more thing to mend.
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fail, ok, warn, type Finding } from '../../domain/finding.ts'

const { R_OK, W_OK, X_OK } = constants

const ANOTHER = 'choose another RINGBACK_DATA'
const RIGHTS = 'run it as the user who owns them, or change their owner'

/** The files of a database, by what is appended to its name. */
const FILES = ['', '-wal', '-shm', '.lock', '.lock-journal']

/** Looks at the folder of a database. */
export function checkFolder(folder: string): Finding {
  const existing = nearest(folder)
  if (!statSync(existing).isDirectory()) return fail(`${existing} is a file, not a folder`, ANOTHER)
  if (!isOpen(existing, W_OK | X_OK))
    return fail(`${existing} is not open to this user for writing`, `change its rights, or ${ANOTHER}`)
  return existing === folder
    ? ok(`${folder} can be written`)
    : ok(`${folder} does not exist yet: the first start makes it`)
}

/** Looks at the files of a database. */
export function checkFiles(path: string): Finding {
  const files = FILES.map((suffix) => path + suffix).filter((file) => existsSync(file))
  const closed = files.filter((file) => !isOpen(file, R_OK | W_OK))
  if (closed.length > 0) return fail(`not open to this user: ${closed.join(', ')}`, RIGHTS)
  return existsSync(path)
    ? ok(`${path} can be read and written, ${size(statSync(path).size)}`)
    : ok(`${path} does not exist yet: the first start makes it`)
}

const LOW_BYTES = 1024 ** 3
const EMPTY_BYTES = 64 * 1024 ** 2

/** Looks at the disk of a folder. */
export function checkDisk(folder: string): Finding {
  const { bavail, bsize } = statfsSync(nearest(folder))
  return judgeSpace(bavail * bsize, folder)
}

/** Judges the room that is left for a folder, in bytes. */
export function judgeSpace(free_bytes: number, folder: string): Finding {
  const found = `${size(free_bytes)} are free for ${folder}`
  if (free_bytes < EMPTY_BYTES) return fail(found, 'make room: soon nothing can be taken any more')
  return free_bytes < LOW_BYTES ? warn(found, `make room: less than ${size(LOW_BYTES)} is little`) : ok(found)
}

/** The folder, or the next one above it that exists. */
function nearest(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearest(dirname(folder))
}

function isOpen(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

/** A number of bytes, rounded to what one would say. */
export function size(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 || value >= 100 ? Math.floor(value) : value.toFixed(1)} ${UNITS[power] ?? ''}`
}
