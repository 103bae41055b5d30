// What can be typed where, as all shells need it: from the table of commands, so that no script can lag behind.
import type { Command } from '../command.ts'

/** A word that can follow, and what it means. */
export type Offer = { word: string; doc: string }

/** What follows a place of the command line: the words of a command, as far as they are typed. */
export type Place = { after: string; offers: readonly Offer[] }

/** What follows flags that take a value: one of some words, a folder, or what no script can know. */
export type Values = { after: string; values: readonly string[] | 'folders' | 'anything' }

export type Words = {
  /** What follows the program's name. */
  first: readonly Offer[]
  /** What follows the first word of a command of two. */
  second: readonly Place[]
  /** The flags and fixed words that follow a whole command. */
  rest: readonly Place[]
  values: readonly Values[]
}

/** Reads the table of commands; `families` says what first words are about. */
export function wordsOf(
  commands: readonly Command[],
  families: readonly [name: string, summary: string][],
): Words {
  const summaries = new Map(families)
  const first = new Map<string, string>()
  const second = new Map<string, Offer[]>()
  for (const { name, summary } of commands) {
    const [word = '', verb] = name.split(' ')
    first.set(word, verb === undefined ? summary : (summaries.get(word) ?? summary))
    if (verb !== undefined) second.set(word, [...(second.get(word) ?? []), { word: verb, doc: summary }])
  }
  return {
    first: Array.from(first, ([word, doc]) => ({ word, doc })),
    second: Array.from(second, ([after, offers]) => ({ after, offers })),
    rest: commands.map((command) => ({ after: command.name, offers: restOf(command) })),
    values: commands.flatMap(valuesOf),
  }
}

const restOf = ({ args, options }: Command): Offer[] => [
  ...args.flatMap(({ name, choices = [] }) => choices.map((word) => ({ word, doc: name }))),
  ...Object.entries(options).map(([flag, { doc }]) => ({ word: `--${flag}`, doc })),
  { word: '--help', doc: 'Show this.' },
]

const valuesOf = ({ name, options }: Command): Values[] =>
  Object.entries(options).flatMap(([flag, { type, form, choices }]) =>
    type === 'boolean'
      ? []
      : [{ after: `${name} --${flag}`, values: choices ?? (form === 'FOLDER' ? 'folders' : 'anything') }],
  )

/** A text as one word of a POSIX shell. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
