// What a command is: data for --help and completion, and a function that runs it.
import { flagOf, settingNames, settings, type SettingName } from '../config.ts'

/** What a caller of the command line did wrong: one sentence, exit status 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** What a command was to bring about, or to find in order, and did not: one sentence, exit status 1. */
export class FailedError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'FailedError'
  }
}

export type Flags = Record<string, string | boolean | undefined>

/** A flag. `choices` are what completion offers, and all that is taken. */
export type Option = {
  type: 'string' | 'boolean'
  /** The value's form, as --help shows it. */
  form?: string
  doc: string
  choices?: readonly string[]
}

/** A word that must follow the command. */
export type Argument = { name: string; choices?: readonly string[] }

export type Command = {
  /** Its words: `serve`, `config list`. */
  name: string
  summary: string
  args: readonly Argument[]
  options: Readonly<Record<string, Option>>
  /** Runs it with its flags, and as many words as `args` has. */
  run: (flags: Flags, args: readonly string[]) => Promise<void>
}

/** The flag --json of the commands that show something. */
export const jsonOption: Option = { type: 'boolean', doc: 'Print JSON.' }

/** Makes a command that takes settings as flags, and words and flags of its own. */
export function defineCommand(given: {
  name: string
  summary: string
  settings?: readonly SettingName[]
  args?: readonly Argument[]
  options?: Command['options']
  run: Command['run']
}): Command {
  const names = given.settings ?? settingNames
  const flags = Object.fromEntries(names.map((name) => [flagOf(name), settingOption(settings[name])]))
  const { name, summary, args = [], run } = given
  return { name, summary, args, options: { ...given.options, ...flags }, run }
}

/** The flag of a setting, with its variable and its default told. */
export const settingOption = (setting: {
  env: string
  form: string
  fallback: string | null
  doc: string
}): Option => ({
  type: 'string',
  form: setting.form,
  doc: `${setting.doc} [${setting.env}${setting.fallback ? `, default ${setting.fallback}` : ''}]`,
})

/** The flags that are settings, as texts. */
export const settingFlags = (flags: Flags): Record<string, string> =>
  Object.fromEntries(
    Object.entries(flags).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
