// The log of a server in production: JSON lines on standard output, a few at a time, since a system call for each of ten
// thousand a second is felt. A kill loses at most the last tenth of a second of log, and of nothing else.
import { pino, type Logger } from 'pino'

const BUFFER_BYTES = 4096
const FLUSH_MS = 100

/** Opens the log; the end of the process writes what is left. */
export function openLog(level: string): Logger {
  const destination = pino.destination({ sync: true, minLength: BUFFER_BYTES, periodicFlush: FLUSH_MS })
  process.once('exit', () => destination.flushSync())
  return pino({ level, base: null }, destination)
}
