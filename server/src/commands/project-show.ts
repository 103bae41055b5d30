// `ringback project show`: the project of a key, and with --secrets what its callbacks are signed with.
import type { Secret } from '@ringback/sdk'
import { members, print, verbatim } from '../domain/json.ts'
import { list, type ListColumn } from './client/command.ts'
import { exchange } from './client/exchange.ts'
import { record } from './client/record.ts'
import { serverOf, serverOptions } from './client/server.ts'
import { agoCell, textCell } from './client/words.ts'
import { defineCommand, jsonOption } from './command.ts'
import { screenOf } from './screen.ts'

const columns: readonly ListColumn<Secret>[] = [
  { name: 'kind', of: ({ kind }) => textCell(kind) },
  { name: 'mode', of: ({ mode }) => textCell(mode ?? 'both') },
  { name: 'value', of: ({ value }) => textCell(value) },
  { name: 'ends', optional: true, of: ({ expires_at }, now) => agoCell(expires_at, now) },
]

export const projectShow = defineCommand({
  name: 'project show',
  summary: 'Shows the project of the key, with its settings.',
  settings: [],
  options: {
    secrets: { type: 'boolean', doc: 'Show its secrets, too; this takes an operator key.' },
    json: jsonOption,
    ...serverOptions('project'),
  },
  async run(flags) {
    const withSecrets = flags['secrets'] === true
    const server = serverOf(flags, process.env, withSecrets ? 'operator' : 'project')
    const project = await exchange(server, (client) => client.project.get())
    const secrets = withSecrets ? await exchange(server, (client) => client.project.secrets()) : undefined
    const screen = screenOf(process.stdout, process.env)
    const now = Date.now()
    if (flags['json'] === true) {
      console.log(
        secrets === undefined
          ? project
          : print({ project: verbatim(project), secrets: verbatim(members(secrets).get('data') ?? '[]') }),
      )
      return
    }
    console.log(record(project, screen, now))
    if (secrets !== undefined) console.log(`\n${list(columns)(secrets, screen, now)}`)
  },
})
