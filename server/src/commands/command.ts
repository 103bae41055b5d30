// What a command is: data for --help, and a function that runs it.
import { flagOf, settingNames, type SettingName } from '../config.ts'

export type Flags = Record<string, string | boolean | undefined>

export type Command = {
  /** Its words: `serve`, `config list`. */
  name: string
  summary: string
  /** Settings that it takes as flags. */
  settings: readonly SettingName[]
  options: Record<string, { type: 'string' | 'boolean' }>
  run: (flags: Flags) => Promise<void>
}

/** Makes a command that takes settings as flags, and flags of its own. */
export function defineCommand(given: {
  name: string
  summary: string
  settings?: readonly SettingName[]
  options?: Command['options']
  run: Command['run']
}): Command {
  const names = given.settings ?? settingNames
  const flags = Object.fromEntries(names.map((name) => [flagOf(name), { type: 'string' as const }]))
  return { ...given, settings: names, options: { ...flags, ...given.options } }
}

/** The flags that are settings, as texts. */
export const settingFlags = (flags: Flags): Record<string, string> =>
  Object.fromEntries(
    Object.entries(flags).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
