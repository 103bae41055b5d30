// The texts of --help, from the tables of commands and settings.
import { flagOf, settings } from '../config.ts'
import type { Command } from './command.ts'
import { commands } from './index.ts'

const table = (rows: [string, string][]): string => {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n')
}

/** `ringback --help` */
export const mainHelp = (): string =>
  `Ringback: a callback server for asynchronous tasks.

Usage: ringback COMMAND [options]

${table(commands.map(({ name, summary }) => [name, summary]))}

\`ringback COMMAND --help\` explains a command. Settings are flags or RINGBACK_* variables: \`ringback config list\`.`

/** `ringback COMMAND --help` */
export function commandHelp(command: Command): string {
  const rows = command.settings.map((name): [string, string] => {
    const { form, doc, env, fallback } = settings[name]
    return [`--${flagOf(name)} ${form}`, `${doc} [${env}${fallback ? `, default ${fallback}` : ''}]`]
  })
  const own = Object.keys(command.options)
    .filter((flag) => !command.settings.some((name) => flagOf(name) === flag))
    .map((flag): [string, string] => [`--${flag}`, flag === 'json' ? 'Print JSON.' : ''])
  return `${command.summary}

Usage: ringback ${command.name} [options]

${table([...own, ...rows, ['--help', 'Show this.']])}`
}
