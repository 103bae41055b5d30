// argv → commands. The only place that ends the process: 0 done, 1 failed, 2 wrong usage.
import { parseArgs } from 'node:util'
import { commands } from './commands/index.ts'
import { commandHelp, mainHelp } from './commands/help.ts'
import { ConfigError } from './config.ts'
import { version } from './version.ts'

/** What a caller of the command line did wrong. */
function usage(message: string): never {
  console.error(`ringback: ${message}`)
  process.exit(2)
}

async function main(argv: string[]): Promise<void> {
  if (argv[0] === '--version' || argv[0] === '-V') return console.log(version)
  const [first] = argv
  if (first === undefined || first === '--help' || first === '-h' || first === 'help')
    return console.log(mainHelp())
  const command = commands.find(({ name }) => name === argv.slice(0, name.split(' ').length).join(' '))
  if (command === undefined) {
    const family = commands.filter(({ name }) => name.startsWith(`${first} `))
    if (family.length > 0) usage(`use one of: ${family.map(({ name }) => `ringback ${name}`).join(', ')}`)
    usage(`there is no command ${first}; \`ringback --help\` lists them`)
  }
  const options = { help: { type: 'boolean', short: 'h' }, ...command.options } as const
  let flags: Record<string, string | boolean | undefined>
  try {
    const parsed = parseArgs({ args: argv.slice(command.name.split(' ').length), options, strict: true })
    flags = parsed.values
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('.')[0] ?? '') : String(error)
    usage(`${why}; \`ringback ${command.name} --help\` lists the options`)
  }
  if (flags['help'] === true) return console.log(commandHelp(command))
  await command.run(flags)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof ConfigError) {
    console.error(`ringback: ${error.message}`)
    process.exit(2)
  }
  console.error(`ringback: ${explain(error)}`)
  process.exit(1)
})

const plainErrors = new Set(['DatabaseInUseError', 'NewerDatabaseError', 'WrongSecretKeyError'])

/** One clear sentence for what a person can mend; the stack for what only we can. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (plainErrors.has(error.name)) return error.message
  const { code, port, path } = error as Error & { code?: string; port?: number; path?: string }
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use: stop the other program, or choose another RINGBACK_PORT`
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
