// Why a PostgreSQL cannot be used, in one sentence with the remedy. Passwords of the URL are never shown.
import type { Transaction } from './database.ts'

const OLDEST_VERSION = 150_000

/** The database cannot be used as it is. */
export class PostgresStartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PostgresStartError'
  }
}

/** Throws PostgresStartError for a server that is older than we know how to use, and a database that cannot hold every text. */
export async function assertUsable(tx: Transaction): Promise<void> {
  const [row] = await tx.all(
    `select current_setting('server_version_num') as server_version_num, current_setting('server_encoding') as encoding`,
  )
  if (Number(row?.server_version_num) < OLDEST_VERSION)
    throw new PostgresStartError('this PostgreSQL is older than 15: use 15 or newer')
  if (row?.encoding !== 'UTF8') {
    throw new PostgresStartError(
      `the database has the encoding ${String(row?.encoding)}, which lacks characters: make one with the encoding UTF8`,
    )
  }
}

// What PostgreSQL says of itself, by SQLSTATE, and what to do about it.
const states: Record<string, string> = {
  '25006': 'takes no writes: use the primary, not a standby, and a database that is not read-only',
  '53100': 'has no space left on its disk: make room',
  '53200': 'is out of memory: see its log',
  '53300': 'takes no more connections: raise max_connections, or the limit of the user or database',
  '57P01': 'is being stopped: start it, and try again',
  '57P02': 'has crashed: try again when it has recovered',
  '57P03': 'is starting up or stopping: try again soon',
}

/** Turns what a start met into one sentence, as far as somebody other than us can mend it; `given` is where the URL stood. */
export function explainStart(error: unknown, url: string, given = 'RINGBACK_DATABASE_URL'): unknown {
  if (
    !(error instanceof Error) ||
    (error.name !== 'Error' && error.name !== 'AggregateError' && error.name !== 'error')
  )
    return error
  const code = 'code' in error ? String(error.code) : ''
  const { host, username, pathname } = new URL(url)
  const user = decodeURIComponent(username) || 'the default user'
  const database = decodeURIComponent(pathname.slice(1)) || user
  const say = (message: string) => new PostgresStartError(message, { cause: error })
  const { path } = error as { path?: string }
  if (code === 'ENOENT' && path !== undefined) return say(`there is no file ${path}: correct ${given}`)
  if ((/^E[A-Z_]+$/.test(code) && !/^E(SSL|PROTO)/.test(code)) || /timeout|terminated/i.test(error.message)) {
    return say(
      `no answer from PostgreSQL at ${host} (${code || error.message}): start it, or correct ${given}`,
    )
  }
  const state = states[code]
  if (state !== undefined) return say(`PostgreSQL at ${host} ${state} (${error.message})`)
  if (/SSL|TLS|certificate|self.signed/i.test(`${code} ${error.message}`)) {
    return say(
      `no encrypted connection to PostgreSQL at ${host} (${error.message}): correct sslmode in ${given}, or the server`,
    )
  }
  // The driver's own words, before it has sent anything that could be refused.
  if (error.message.endsWith('client password must be a string'))
    return say(`PostgreSQL at ${host} wants a password of ${user}: put it into ${given}, or set PGPASSWORD`)
  if (code.startsWith('28')) {
    return say(`PostgreSQL at ${host} refused the login of ${user} (${error.message}): correct ${given}`)
  }
  if (code === '3D000') {
    return say(`there is no database ${database} at ${host}: create it, or correct ${given}`)
  }
  if (code === '42501') {
    return say(
      `${user} lacks rights in database ${database} (${error.message}): make it the owner of the database, or grant it CREATE on its schema`,
    )
  }
  return error
}
