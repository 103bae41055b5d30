// Which server a command calls, and with which key: flags, then the environment, then what `dev` has written down.
import { clientSettings, ConfigError, flagOf, readClientConfig, settings } from '../../config.ts'
import { settingFlags, settingOption, type Flags, type Option } from '../command.ts'
import { readDevState } from '../dev/state.ts'

export type Server = { url: string; key: string }

// Where `dev` has written each key down.
const keysOfDev = { project: 'live_key', operator: 'operator_key', admin: 'admin_key' } as const

/** Whose routes a command calls: those of any key of a project, of its operators' keys, or of the administrator. */
export type Caller = keyof typeof keysOfDev

const keyDocs: Partial<Record<Caller, string>> = {
  operator: `An operator key of a project. [${clientSettings.key.env}]`,
  admin: `The admin key. [${settings.admin_key.env}]`,
}

/** The flags that say which server. */
export const serverOptions = (caller: Caller): Record<string, Option> => ({
  [flagOf('url')]: settingOption(clientSettings.url),
  [flagOf('key')]: {
    ...settingOption(clientSettings.key),
    ...(keyDocs[caller] === undefined ? {} : { doc: keyDocs[caller] }),
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
  const given = caller !== 'admin' || origins.key === 'flag' ? config.key : config.admin_key
  const key = given ?? own?.[keysOfDev[caller]]
  if (key === undefined) {
    const { env: variable } = caller === 'admin' ? settings.admin_key : clientSettings.key
    throw new ConfigError(`no key for ${url} is known: set ${variable}, or give --key`)
  }
  return { url, key }
}
