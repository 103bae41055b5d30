// `ringback key …`: the keys of a project, for its administrator. A key's text is in the answer that makes it, and never
// again.
import type { CreateKey, Key } from '@ringback/sdk'
import { modes } from '../domain/project.ts'
import { clientCommand, idOf, idsOfPage, list, pageFields, type ListColumn } from './client/command.ts'
import { agoCell, textCell } from './client/words.ts'
import type { Command } from './command.ts'

const PROJECT = { name: 'PROJECT' }

const columns: readonly ListColumn<Key>[] = [
  { name: 'id', of: ({ id }) => textCell(id) },
  { name: 'mode', of: ({ mode }) => textCell(mode) },
  { name: 'role', of: ({ role }) => textCell(role) },
  { name: 'hint', of: ({ hint }) => textCell(hint) },
  { name: 'created', optional: true, of: ({ created_at }, now) => agoCell(created_at, now) },
]

export const keyCommands: readonly Command[] = [
  clientCommand({
    name: 'key create',
    summary: 'Creates a key of a project, and shows it this once.',
    caller: 'admin',
    args: [PROJECT],
    body: {
      mode: { doc: 'Its world; live without it.', choices: modes },
      role: { doc: 'Who holds it; customer without it.', choices: ['customer', 'operator'] },
    },
    call: (client, { args: [id = ''], body }) => client.admin.createKey(id, body as CreateKey),
    ids: idOf,
  }),
  clientCommand({
    name: 'key list',
    summary: 'Lists the keys of a project.',
    caller: 'admin',
    args: [PROJECT],
    query: pageFields,
    call: (client, { args: [id = ''], query }) => client.admin.listKeys(id, query),
    show: list(columns),
    ids: idsOfPage,
  }),
  clientCommand({
    name: 'key revoke',
    summary: 'Revokes a key of a project: it opens nothing from now on.',
    caller: 'admin',
    args: [PROJECT, { name: 'KEY' }],
    call: (client, { args: [id = '', key = ''] }) => client.admin.revokeKey(id, key),
    show: () => 'Revoked.',
  }),
]
