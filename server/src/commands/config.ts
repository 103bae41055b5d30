// `ringback config list`: every setting, its value and where the value came from. Secrets are not shown.
import { readConfig, settingNames, settings } from '../config.ts'
import { defineCommand, jsonOption, settingFlags } from './command.ts'

export const configList = defineCommand({
  name: 'config list',
  summary: 'Lists the settings, their values and where those came from.',
  options: { json: jsonOption },
  async run(flags) {
    const { config, origins } = readConfig(settingFlags(flags), process.env)
    const rows = settingNames.map((name) => {
      const { env, doc, secret } = { secret: false, ...settings[name] }
      return { name, env, value: shown(config[name], secret), origin: origins[name], doc }
    })
    if (flags['json'] === true) return console.log(JSON.stringify(rows, null, 2))
    const width = Math.max(...rows.map(({ env }) => env.length)) + 1
    for (const { env, value, origin, doc } of rows)
      console.log(`${env.padEnd(width)}${value} (${origin})\n  ${doc}`)
  },
})

function shown(value: unknown, secret: boolean): string {
  if (value === null) return 'not set'
  if (secret) return 'set, not shown'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',')
  return typeof value === 'object' ? Object.values(value).join('/') : `${value as string | number}`
}
