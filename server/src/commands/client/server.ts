// Which server a command calls, and with which key: flags, then the environment, then what `dev` has written down.
import { clientSettings, ConfigError, flagOf, readClientConfig, settings } from '../../config.ts'
import { settingFlags, settingOption, type Flags, type Option } from '../command.ts'
import { readDevState } from '../dev/state.ts'

export type Server = { url: string; key: string }

/** Whose routes a command calls: those of a project's keys, or those of the administrator. */
export type Caller = 'project' | 'admin'

/** The flags that say which server. */
export const serverOptions = (caller: Caller): Record<string, Option> => ({
  [flagOf('url')]: settingOption(clientSettings.url),
  [flagOf('key')]: {
    ...settingOption(clientSettings.key),
    ...(caller === 'project' ? {} : { doc: `The admin key. [${settings.admin_key.env}]` }),
  },
  [flagOf('data')]: { ...settingOption(settings.data), doc: `Folder of dev.json. [${settings.data.env}]` },
})

/** Finds the server. Throws ConfigError with the remedy when there is none, or no key for it. */
export function serverOf(
  flags: Flags,
  env: Readonly<Record<string, string | undefined>>,
  caller: Caller,
): Server {
  const { config, origins } = readClientConfig(settingFlags(flags), env)
  const dev = readDevState(config.data)
  const url = config.url ?? dev?.base_url
  if (url === undefined) {
    throw new ConfigError(
      `no server is known: start \`ringback dev\`, or set ${clientSettings.url.env} (there is no dev.json in ${config.data})`,
    )
  }
  // The keys of dev.json are for its own server: another one must not get to see them.
  const own = dev?.base_url === url ? dev : undefined
  const given = caller === 'project' || origins.key === 'flag' ? config.key : config.admin_key
  const key = given ?? (caller === 'project' ? own?.live_key : own?.admin_key)
  if (key === undefined) {
    const { env: variable } = caller === 'project' ? clientSettings.key : settings.admin_key
    throw new ConfigError(`no key for ${url} is known: set ${variable}, or give --key`)
  }
  return { url, key }
}
