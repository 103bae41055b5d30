// The texts of --help, from the tables of commands and their flags.
import type { Command } from './command.ts'
import { commands, families } from './index.ts'
import { pad, wrap, type Screen } from './screen.ts'

const INDENT = 2

/** Two columns; on a narrow screen the right one goes below the left one. */
function table(rows: [string, string][], screen: Screen): string {
  const left = Math.max(...rows.map(([name]) => name.length)) + 2 * INDENT
  const beside = screen.width - left
  return rows
    .flatMap(([name, doc]) =>
      beside >= 30
        ? wrap(doc, beside).map((line, index) => pad(index === 0 ? pad('', INDENT) + name : '', left) + line)
        : [
            pad('', INDENT) + name,
            ...wrap(doc, screen.width - 3 * INDENT).map((line) => pad('', 3 * INDENT) + line),
          ],
    )
    .join('\n')
}

const paragraph = (text: string, screen: Screen) => wrap(text, screen.width).join('\n')

/** `ringback --help` */
export function mainHelp(screen: Screen): string {
  const single = commands.filter(({ name }) => !families.some(([family]) => name.startsWith(`${family} `)))
  const rows = [...single.map(({ name, summary }): [string, string] => [name, summary]), ...families]
  return `${paragraph('Ringback: a callback server for asynchronous tasks.', screen)}

Usage: ringback COMMAND [options]

${table(rows, screen)}

${paragraph('`ringback COMMAND --help` explains a command. Settings are flags or RINGBACK_* variables: `ringback config list`.', screen)}`
}

/** `ringback FAMILY --help` */
export function familyHelp(family: string, members: readonly Command[], screen: Screen): string {
  const summary = families.find(([name]) => name === family)?.[1] ?? ''
  const rows = members.map((command): [string, string] => [callOf(command), command.summary])
  return `${paragraph(summary, screen)}

Usage: ringback ${family} COMMAND [options]

${table(rows, screen)}

${paragraph(`\`ringback ${family} COMMAND --help\` explains one of them.`, screen)}`
}

/** `ringback COMMAND --help` */
export function commandHelp(command: Command, screen: Screen): string {
  const rows = Object.entries(command.options).map(([flag, { form, doc, choices }]): [string, string] => [
    `--${flag}${form === undefined ? '' : ` ${form}`}`,
    choices === undefined ? doc : `${doc} One of: ${choices.join(', ')}.`,
  ])
  return `${paragraph(command.summary, screen)}

Usage: ringback ${callOf(command)} [options]

${table([...rows, ['--help', 'Show this.']], screen)}`
}

/** How a command is called: its words, and what must follow them. */
export const callOf = ({ name, args }: Command): string => [name, ...args.map((arg) => arg.name)].join(' ')
