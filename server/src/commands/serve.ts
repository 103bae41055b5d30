// `ringback serve`: production. What must be given is named; nothing is made up.
import { ConfigError, readConfig, settings, type Config } from '../config.ts'
import { defineCommand, settingFlags } from './command.ts'
import { openLog } from './log.ts'
import { untilStopped } from './stop.ts'

export const serve = defineCommand({
  name: 'serve',
  summary: 'Serves in production.',
  async run(flags) {
    const { config } = readConfig(settingFlags(flags), process.env)
    const secret_key = required(config, 'secret_key')
    required(config, 'admin_key')
    const public_url = required(config, 'public_url')
    const log = openLog(config.log_level)
    // Loaded here, so that the commands that only call a server start at once.
    const { createApp } = await import('../app.ts')
    if (public_url.startsWith('http:')) log.warn({ public_url }, 'public_url.plain_http')
    if (config.egress_allow.length > 0) log.warn({ egress_allow: config.egress_allow }, 'egress.opened')
    const app = await createApp({ config, secret_key, public_url, log })
    let ports: Awaited<ReturnType<typeof app.start>>
    try {
      ports = await app.start()
    } catch (error) {
      await app.stop()
      throw error
    }
    // Before the log line: whoever has read it may send a signal.
    const stopped = untilStopped(app, (message) => log.info(message))
    const { host, surface } = config
    const { port, admin_port } = ports
    log.info(
      { host, port, database: placeOf(config), surface, ...(admin_port === null ? {} : { admin_port }) },
      'server.listening',
    )
    await stopped
    log.info('server.stopped')
  },
})

/** Where the data is, without a password. */
function placeOf({ database_url, data }: Config): string {
  if (database_url === null) return data
  const { host, pathname } = new URL(database_url)
  return `postgres://${host}${pathname}`
}

function required<N extends 'secret_key' | 'admin_key' | 'public_url'>(
  config: Config,
  name: N,
): NonNullable<Config[N]> {
  const value = config[name]
  if (value === null)
    throw new ConfigError(`${settings[name].env} is missing: set it to ${settings[name].required}`)
  return value
}
