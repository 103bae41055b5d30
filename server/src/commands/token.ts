// `ringback token …`: the vault. A value is read from standard input and never shown; whoever holds the project's key may use it.
import type { CreateToken, Token } from '@ringback/sdk'
import { clientCommand, idOf, idsOfPage, list, pageFields, type ListColumn } from './client/command.ts'
import { agoCell, textCell } from './client/words.ts'
import type { Command } from './command.ts'

const columns: readonly ListColumn<Token>[] = [
  { name: 'id', of: ({ id }) => textCell(id) },
  { name: 'name', flexible: true, of: ({ name }) => textCell(name) },
  { name: 'created', optional: true, of: ({ created_at }, now) => agoCell(created_at, now) },
]

export const tokenCommands: readonly Command[] = [
  clientCommand({
    name: 'token create',
    summary:
      'Puts a value, read from standard input, into the vault: requests name it in a header by its id.',
    body: { name: { doc: 'What it is, for people.', required: true } },
    secret: 'value',
    call: (client, { body }) => client.tokens.create(body as CreateToken),
    ids: idOf,
  }),
  clientCommand({
    name: 'token list',
    summary: 'Lists the tokens of the vault, newest first.',
    query: pageFields,
    call: (client, { query }) => client.tokens.list(query),
    show: list(columns),
    ids: idsOfPage,
  }),
  clientCommand({
    name: 'token revoke',
    summary: 'Revokes a token and forgets its value: requests that would still use it fail.',
    args: [{ name: 'TOKEN' }],
    call: (client, { args: [id = ''] }) => client.tokens.revoke(id),
  }),
]
