// `ringback completion`: a script that teaches a shell what can be typed, made from the table of commands.
import { defineCommand, type Command } from './command.ts'
import { bashScript } from './completion/bash.ts'
import { fishScript } from './completion/fish.ts'
import { wordsOf, type Words } from './completion/words.ts'
import { zshScript } from './completion/zsh.ts'

const scripts: Readonly<Record<string, (words: Words) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/** Makes the command. The table comes as a function, since the command is in it. */
export const completion = (
  table: () => { commands: readonly Command[]; families: readonly [name: string, summary: string][] },
): Command =>
  defineCommand({
    name: 'completion',
    summary: 'Prints a completion script for bash, zsh or fish.',
    args: [{ name: 'SHELL', choices: Object.keys(scripts) }],
    settings: [],
    async run(_flags, [shell = '']) {
      const { commands, families } = table()
      console.log(scripts[shell]?.(wordsOf(commands, families)))
    },
  })
