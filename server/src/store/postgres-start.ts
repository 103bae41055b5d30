// Why a PostgreSQL cannot be used, in one sentence with the remedy. Passwords of the URL are never shown.

/** The database cannot be used as it is. */
export class PostgresStartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PostgresStartError'
  }
}

/** Turns what a start met into one sentence, as far as somebody other than us can mend it. */
export function explainStart(error: unknown, url: string): unknown {
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
  if (/^E[A-Z_]+$/.test(code) || /timeout|terminated/i.test(error.message)) {
    return say(
      `no answer from PostgreSQL at ${host} (${code || error.message}): start it, or correct RINGBACK_DATABASE_URL`,
    )
  }
  if (code.startsWith('28')) {
    return say(
      `PostgreSQL at ${host} refused the login of ${user} (${error.message}): correct RINGBACK_DATABASE_URL`,
    )
  }
  if (code === '3D000') {
    return say(`there is no database ${database} at ${host}: create it, or correct RINGBACK_DATABASE_URL`)
  }
  if (code === '42501') {
    return say(
      `${user} lacks rights in database ${database} (${error.message}): make it the owner of the database, or grant it CREATE on its schema`,
    )
  }
  return error
}
