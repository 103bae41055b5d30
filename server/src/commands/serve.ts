// `ringback serve`: production. What must be given is named; nothing is made up.
import { pino } from 'pino'
import { createApp } from '../app.ts'
import { ConfigError, readConfig, type Config, type SettingName } from '../config.ts'
import { defineCommand, settingFlags } from './command.ts'
import { untilStopped } from './stop.ts'

export const serve = defineCommand({
  name: 'serve',
  summary: 'Serves in production.',
  async run(flags) {
    const { config } = readConfig(settingFlags(flags), process.env)
    const secret_key = required(config, 'secret_key', '32 bytes in base64, such as `openssl rand -base64 32`')
    required(config, 'admin_key', '32 characters or more, such as `openssl rand -hex 32`')
    const public_url = required(config, 'public_url', 'the URL under which providers reach this server')
    const log = pino({ level: config.log_level, base: null })
    if (public_url.startsWith('http:')) log.warn({ public_url }, 'public_url.plain_http')
    if (config.egress_allow.length > 0) log.warn({ egress_allow: config.egress_allow }, 'egress.opened')
    const app = await createApp({ config, secret_key, public_url, log })
    try {
      const { port } = await app.start()
      log.info({ host: config.host, port, data: config.data, surface: config.surface }, 'server.listening')
    } catch (error) {
      await app.stop()
      throw error
    }
    await untilStopped(app, (message) => log.info(message))
    log.info('server.stopped')
  },
})

function required<N extends SettingName>(config: Config, name: N, what: string): NonNullable<Config[N]> {
  const value = config[name]
  if (value === null) throw new ConfigError(`RINGBACK_${name.toUpperCase()} is missing: set it to ${what}`)
  return value
}
