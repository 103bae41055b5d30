// argv → commands. The only place that ends the process: 0 done, 1 failed, 2 wrong usage.
import { parseArgs } from 'node:util'
import { RingbackError } from '@ringback/sdk'
import { refusal } from './commands/client/exchange.ts'
import { UsageError, type Command, type Flags } from './commands/command.ts'
import { callOf, commandHelp, familyHelp, mainHelp } from './commands/help.ts'
import { commands } from './commands/index.ts'
import { screenOf } from './commands/screen.ts'
import { ConfigError } from './config.ts'
import { version } from './version.ts'

async function main(argv: string[]): Promise<void> {
  const screen = screenOf(process.stdout, process.env)
  const [first] = argv
  if (first === '--version' || first === '-V') return console.log(version)
  if (first === undefined || first === '--help' || first === '-h' || first === 'help')
    return console.log(mainHelp(screen))
  const command = commands.find(({ name }) => name === argv.slice(0, name.split(' ').length).join(' '))
  if (command === undefined) {
    const family = commands.filter(({ name }) => name.startsWith(`${first} `))
    if (family.length === 0)
      throw new UsageError(`there is no command ${first}; \`ringback --help\` lists them`)
    if (argv[1] === '--help' || argv[1] === '-h') return console.log(familyHelp(first, family, screen))
    throw new UsageError(`use one of: ${family.map(({ name }) => `ringback ${name}`).join(', ')}`)
  }
  const { flags, args } = parse(command, argv.slice(command.name.split(' ').length))
  if (flags['help'] === true) return console.log(commandHelp(command, screen))
  checkArguments(command, args)
  await command.run(flags, args)
}

/** The flags and words behind a command. */
function parse(command: Command, argv: string[]): { flags: Flags; args: string[] } {
  const options = { help: { type: 'boolean', short: 'h' }, ...command.options } as const
  try {
    const { values, positionals } = parseArgs({ args: argv, options, strict: true, allowPositionals: true })
    return { flags: values, args: positionals }
  } catch (error) {
    throw new UsageError(`${parseTrouble(error)}; ${seeHelp(command)}`)
  }
}

function parseTrouble(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const [, dashed] = /use '(--[\w-]+)=-XYZ'/.exec(error.message) ?? []
  return dashed === undefined
    ? (error.message.split(/\.(?: |$)/)[0] ?? '')
    : `${dashed} has no value; one that begins with a dash is written ${dashed}=-1`
}

function checkArguments(command: Command, args: string[]): void {
  const missing = command.args[args.length]
  if (missing !== undefined)
    throw new UsageError(`${missing.name} is missing: ringback ${callOf(command)}; ${seeHelp(command)}`)
  const extra = args[command.args.length]
  if (extra !== undefined) throw new UsageError(`Unexpected argument '${extra}'; ${seeHelp(command)}`)
  for (const [index, { name, choices }] of command.args.entries()) {
    const given = args[index] ?? ''
    if (choices !== undefined && !choices.includes(given))
      throw new UsageError(`${name} is one of ${choices.join(', ')}; ${seeHelp(command)}`)
  }
}

const seeHelp = ({ name }: Command) => `\`ringback ${name} --help\` lists the options`

// Whoever closes our pipe, as `head` does, has read enough: no fault of anybody.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof ConfigError || error instanceof UsageError) {
    console.error(`ringback: ${error.message}`)
    process.exit(2)
  }
  console.error(`ringback: ${explain(error)}`)
  process.exit(1)
})

const plainErrors = new Set([
  'BackupError',
  'CopyError',
  'DatabaseFaultError',
  'DatabaseInUseError',
  'NewerDatabaseError',
  'OlderDatabaseError',
  'PostgresStartError',
  'StopError',
  'ThreadEndedError',
  'UnfinishedCopyError',
  'WrongSecretKeyError',
  'UnreachableError',
  'FailedError',
])

/** One clear sentence for what a person can mend; the stack for what only we can. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (plainErrors.has(error.name)) return error.message
  if (error instanceof RingbackError) return refusal(error)
  const { code, port, path } = error as Error & { code?: string; port?: number; path?: string }
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use: stop the other program, or choose another (RINGBACK_PORT, RINGBACK_ADMIN_PORT)`
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${path ?? 'the address'} is not open to this user (${code}): choose another RINGBACK_DATA or RINGBACK_PORT, or change its rights`
    case 'ENOTDIR':
    case 'EEXIST':
      return `${path ?? 'RINGBACK_DATA'} is not a folder: choose another RINGBACK_DATA`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'RINGBACK_HOST is not an address of this machine: use 127.0.0.1, or 0.0.0.0 for all'
    default:
      return error.stack ?? error.message
  }
}
