// The only reader of the environment. One table makes the frozen Config, --help, `config list` and the documentation.
// Flags go before environment, environment before defaults; an unknown RINGBACK_ variable is an error.
import { resolve } from 'node:path'
import type { MailPlace } from './domain/mail.ts'
import {
  adminKey,
  baseUrl,
  bearer,
  cidrs,
  httpUrl,
  lowPorts,
  mailAddress,
  mailPlace,
  oneOf,
  postgresUrl,
  proxyUrl,
  rate,
  secretKey,
  text,
  whole,
} from './setting-forms.ts'

/** A setting that is missing or not valid: the message is one sentence that names it and the remedy. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConfigError'
  }
}

type Setting<T> = {
  env: string
  /** The value's form, as --help shows it. */
  form: string
  /** The default's text; null is none. */
  fallback: string | null
  secret?: true
  /** What to set it to, where `serve` makes nothing up. */
  required?: string
  doc: string
  parse: (text: string) => T
}

const setting = <T, const F extends string | null>(
  given: Setting<T> & { fallback: F },
): Setting<T> & { fallback: F } => given

/** Every setting. The key is the flag, too: `body_limit` is `--body-limit`. */
export const settings = {
  port: setting({
    env: 'RINGBACK_PORT',
    form: 'NUMBER',
    fallback: '7464',
    doc: 'Port to listen on; 0 takes a free one.',
    parse: whole(0, 65_535),
  }),
  host: setting({
    env: 'RINGBACK_HOST',
    form: 'ADDRESS',
    fallback: '127.0.0.1',
    doc: 'Address to listen on; 0.0.0.0 or :: for all.',
    parse: text,
  }),
  admin_port: setting({
    env: 'RINGBACK_ADMIN_PORT',
    form: 'NUMBER',
    fallback: null,
    doc: 'Port of its own for /metrics and the admin routes, which are on no other then; 0 takes a free one.',
    parse: whole(0, 65_535),
  }),
  admin_host: setting({
    env: 'RINGBACK_ADMIN_HOST',
    form: 'ADDRESS',
    fallback: null,
    doc: 'Address that RINGBACK_ADMIN_PORT listens on; without it, that of RINGBACK_HOST.',
    parse: text,
  }),
  data: setting({
    env: 'RINGBACK_DATA',
    form: 'FOLDER',
    fallback: './data',
    doc: 'Folder of the SQLite database.',
    parse: (value) => resolve(value),
  }),
  database_url: setting({
    env: 'RINGBACK_DATABASE_URL',
    form: 'URL',
    fallback: null,
    secret: true,
    doc: 'PostgreSQL 15 or newer (postgres://user:password@host:port/database) for any number of processes; without it, SQLite.',
    parse: postgresUrl,
  }),
  migrate: setting({
    env: 'RINGBACK_MIGRATE',
    form: 'start|never',
    fallback: 'start',
    doc: 'When the database is brought to this program’s schema: at start, or never but by `ringback migrate`.',
    parse: oneOf('start', 'never'),
  }),
  public_url: setting({
    env: 'RINGBACK_PUBLIC_URL',
    form: 'URL',
    fallback: null,
    required: 'the URL under which providers reach this server',
    doc: 'Base of the inbound URLs that providers call, with its path if a proxy adds one.',
    parse: baseUrl,
  }),
  admin_key: setting({
    env: 'RINGBACK_ADMIN_KEY',
    form: 'TEXT',
    fallback: null,
    secret: true,
    required: '32 characters or more, such as `openssl rand -hex 32`',
    doc: 'Key of the admin routes, 32 characters or more.',
    parse: adminKey,
  }),
  secret_key: setting({
    env: 'RINGBACK_SECRET_KEY',
    form: 'BASE64',
    fallback: null,
    secret: true,
    required: '32 bytes in base64, such as `openssl rand -base64 32`',
    doc: '32 bytes that seal the secrets in the database; with another key they cannot be read.',
    parse: secretKey,
  }),
  secret_key_old: setting({
    env: 'RINGBACK_SECRET_KEY_OLD',
    form: 'BASE64',
    fallback: null,
    secret: true,
    doc: 'Another key that opens what it has sealed and seals nothing: the old one, until `ringback secrets rotate` is done.',
    parse: secretKey,
  }),
  egress_allow: setting({
    env: 'RINGBACK_EGRESS_ALLOW',
    form: 'CIDR,…',
    fallback: '',
    doc: 'Private ranges that callbacks may go to, separated by commas; without it, public addresses only.',
    parse: cidrs(0),
  }),
  egress_ports: setting({
    env: 'RINGBACK_EGRESS_PORTS',
    form: 'PORT,…',
    fallback: '',
    doc: 'Ports below 1024 that callbacks may go to besides 80 and 443, separated by commas.',
    parse: lowPorts,
  }),
  egress_proxy: setting({
    env: 'RINGBACK_EGRESS_PROXY',
    form: 'URL',
    fallback: null,
    secret: true,
    doc: 'Proxy (http://user:password@host:port) through which all callbacks and calls go, by CONNECT to the address that was judged; without it, directly.',
    parse: proxyUrl,
  }),
  trust_proxy: setting({
    env: 'RINGBACK_TRUST_PROXY',
    form: 'CIDR,…',
    fallback: '',
    doc: 'Proxies whose x-forwarded-for is believed, separated by commas; without it, nobody’s.',
    parse: cidrs(1),
  }),
  inbound_rate: setting({
    env: 'RINGBACK_INBOUND_RATE',
    form: 'COUNT/SECONDS',
    fallback: '30/60',
    doc: 'Inbound callbacks and signals allowed from one address (IPv6: one /64) in so many seconds; off for no limit.',
    parse: rate,
  }),
  wrong_key_rate: setting({
    env: 'RINGBACK_WRONG_KEY_RATE',
    form: 'COUNT/SECONDS',
    fallback: '30/60',
    doc: 'Wrong keys that one address (IPv6: one /64) may send in so many seconds; then only keys that were right before are looked up. off for no limit.',
    parse: rate,
  }),
  api_rate: setting({
    env: 'RINGBACK_API_RATE',
    form: 'COUNT/SECONDS',
    fallback: 'off',
    doc: 'Requests that one key may make in so many seconds, to each process; off for no limit.',
    parse: rate,
  }),
  team_rate: setting({
    env: 'RINGBACK_TEAM_RATE',
    form: 'COUNT/SECONDS',
    fallback: '600/60',
    doc: 'Requests that the customers of an AsyncQueue project may make in so many seconds, to each process; off for no limit.',
    parse: rate,
  }),
  connections: setting({
    env: 'RINGBACK_CONNECTIONS',
    form: 'NUMBER',
    fallback: '32768',
    doc: 'Connections that may be open at a time; further ones are closed at once.',
    parse: whole(1, 1_000_000),
  }),
  connections_per_address: setting({
    env: 'RINGBACK_CONNECTIONS_PER_ADDRESS',
    form: 'NUMBER',
    fallback: '16384',
    doc: 'Connections that one address (IPv6: one /64) may have open at a time, unless it is in RINGBACK_TRUST_PROXY.',
    parse: whole(1, 1_000_000),
  }),
  body_limit: setting({
    env: 'RINGBACK_BODY_LIMIT',
    form: 'BYTES',
    fallback: '1048576',
    doc: 'Largest request body, in bytes.',
    parse: whole(1024, 64 * 1024 * 1024),
  }),
  signature_window: setting({
    env: 'RINGBACK_SIGNATURE_WINDOW',
    form: 'SECONDS',
    fallback: '300',
    doc: 'How far the time in a signed request (of a Stardust customer) may be off this server’s clock, either way.',
    parse: whole(1, 86_400),
  }),
  stop_grace: setting({
    env: 'RINGBACK_STOP_GRACE',
    form: 'SECONDS',
    fallback: '25',
    doc: 'Seconds to finish what is in flight when stopping; the rest is sent after the next start.',
    parse: whole(0, 3600),
  }),
  operator_url: setting({
    env: 'RINGBACK_OPERATOR_URL',
    form: 'URL',
    fallback: null,
    secret: true,
    doc: 'Where destinations that paused by themselves are told of, by a POST of JSON; user:password@ is sent as a header.',
    parse: httpUrl,
  }),
  smtp_url: setting({
    env: 'RINGBACK_SMTP_URL',
    form: 'URL',
    fallback: null,
    secret: true,
    doc: 'Mail server for callbacks to e-mail addresses: smtp://user:password@host:port (587; encrypted if the server offers it), smtps:// (465), or file:FOLDER for .eml files. Without it such addresses are refused; `dev` writes to `mail` in its data folder.',
    parse: mailPlace,
  }),
  smtp_from: setting({
    env: 'RINGBACK_SMTP_FROM',
    form: 'ADDRESS',
    fallback: null,
    doc: 'Address that e-mails come from; a mail server in RINGBACK_SMTP_URL needs it.',
    parse: mailAddress,
  }),
  surface: setting({
    env: 'RINGBACK_SURFACE',
    form: 'all|api|inbound',
    fallback: 'all',
    doc: 'Routes of this process: inbound is the one-time URLs only, api all but those; health is in both.',
    parse: oneOf('all', 'api', 'inbound'),
  }),
  log_level: setting({
    env: 'RINGBACK_LOG_LEVEL',
    form: 'LEVEL',
    fallback: 'info',
    doc: 'Least level that is logged: debug, info, warn, error or silent. `dev` logs from warn on unless told.',
    parse: oneOf('debug', 'info', 'warn', 'error', 'silent'),
  }),
}

/** What the commands that call a running server read. No setting of the server, which only lets them be. */
export const clientSettings = {
  url: setting({
    env: 'RINGBACK_URL',
    form: 'URL',
    fallback: null,
    doc: 'Base URL of the server; without it that of the `dev` server, from dev.json in the data folder.',
    parse: baseUrl,
  }),
  key: setting({
    env: 'RINGBACK_KEY',
    form: 'KEY',
    fallback: null,
    secret: true,
    doc: 'Key of a project.',
    parse: bearer,
  }),
}

export type SettingName = keyof typeof settings
type Value<S> = S extends Setting<infer T> ? T : never
type Values<T> = {
  readonly [K in keyof T]: T[K] extends { fallback: null } ? Value<T[K]> | null : Value<T[K]>
}
/** The settings as values; null where nothing was given and there is no default. */
export type Config = Values<typeof settings>
const everySetting = { ...settings, ...clientSettings }
const clientTable = { ...clientSettings, admin_key: settings.admin_key, data: settings.data }

/** How e-mails go out, or null. Throws ConfigError when nobody is named whom they come from. */
export function mailOf({
  smtp_url: place,
  smtp_from,
}: Pick<Config, 'smtp_url' | 'smtp_from'>): { place: MailPlace; from: string } | null {
  if (place === null) return null
  const from = smtp_from ?? (place.kind === 'folder' ? 'ringback@localhost' : null)
  if (from !== null) return { place, from }
  throw new ConfigError('RINGBACK_SMTP_FROM is missing: set it to the address that e-mails come from')
}

/** Where each value came from, for `config list`. */
export type Origin = 'flag' | 'environment' | 'default'

export const settingNames = Object.keys(settings) as SettingName[]
const known = new Set(Object.values(everySetting).map(({ env }) => env))

/** The flag of a setting. */
export const flagOf = (name: string): string => name.replaceAll('_', '-')

type Given = Readonly<Record<string, string | undefined>>
type Table = Record<string, Setting<unknown>>
type Read<T> = { config: Values<T>; origins: Record<keyof T, Origin> }
type Survey<T> = {
  /** What is unknown or not valid. */
  faults: ConfigError[]
  origins: Record<keyof T, Origin>
  /** The value of a setting; throws its fault if it has one. */
  value: <N extends keyof T>(name: N) => Values<T>[N]
}

/** Reads all settings. Throws ConfigError for the first that is unknown or not valid. */
export const readConfig = (flags: Given, env: Given): Read<typeof settings> => read(settings, flags, env)

/** Reads what a client of a running server needs; throws as `readConfig` does. */
export const readClientConfig = (flags: Given, env: Given): Read<typeof clientTable> =>
  read(clientTable, flags, env)

/** Reads every setting there is, of the server and of its clients, and throws for none: for who wants to hear of all faults. */
export const surveyConfig = (flags: Given, env: Given): Survey<typeof everySetting> =>
  survey(everySetting, flags, env)

function read<T extends Table>(table: T, flags: Given, env: Given): Read<T> {
  const { faults, origins, value } = survey(table, flags, env)
  const [fault] = faults
  if (fault !== undefined) throw fault
  const config = Object.fromEntries(Object.keys(table).map((name) => [name, value(name)]))
  return { config: Object.freeze(config) as Values<T>, origins }
}

function survey<T extends Table>(table: T, flags: Given, env: Given): Survey<T> {
  const faults = Object.keys(env)
    .filter((name) => name.startsWith('RINGBACK_') && !known.has(name))
    .map(
      (name) =>
        new ConfigError(
          `${name} is not a setting: remove it, or see \`ringback config list\` for those there are`,
        ),
    )
  const values = new Map<keyof T, () => unknown>()
  const origins: Record<string, Origin> = {}
  for (const [name, { env: variable, fallback, parse }] of Object.entries(table)) {
    const flag = flags[flagOf(name)]
    origins[name] = flag !== undefined ? 'flag' : env[variable] !== undefined ? 'environment' : 'default'
    const raw = flag ?? env[variable] ?? fallback
    try {
      const value = raw === null ? null : parse(raw)
      values.set(name, () => value)
    } catch (error) {
      const label = origins[name] === 'flag' ? `--${flagOf(name)}` : variable
      const fault = new ConfigError(
        `${label} is not valid: ${error instanceof Error ? error.message : String(error)}`,
      )
      faults.push(fault)
      values.set(name, () => {
        throw fault
      })
    }
  }
  return {
    faults,
    origins: origins as Record<keyof T, Origin>,
    value: (name) => values.get(name)?.() as never,
  }
}
