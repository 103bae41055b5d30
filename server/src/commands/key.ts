// `ringback key …`: the keys of a project, for its administrator. A key's text is in the answer that makes it, and never
// again.
import type { CreateKey, Key } from '@ringback/sdk'
import { keyRoles, keyScopes } from '../domain/key.ts'
import { modes } from '../domain/project.ts'
import { clientCommand, idOf, idsOfPage, list, pageFields, type ListColumn } from './client/command.ts'
import { agoCell, textCell } from './client/words.ts'
import type { Command } from './command.ts'
import type { Cell } from './table.ts'

const PROJECT = { name: 'PROJECT' }

const columns: readonly ListColumn<Key>[] = [
  { name: 'id', of: ({ id }) => textCell(id) },
  { name: 'mode', of: ({ mode }) => textCell(mode) },
  { name: 'role', of: ({ role }) => textCell(role) },
  { name: 'name', optional: true, of: ({ name }) => textCell(name) },
  { name: 'scopes', flexible: true, of: ({ scopes }) => textCell(scopes.join(',')) },
  { name: 'hint', of: ({ hint }) => textCell(hint) },
  { name: 'created', optional: true, of: ({ created_at }, now) => agoCell(created_at, now) },
  { name: 'expires', optional: true, of: ({ expires_at }, now) => expiryCell(expires_at, now) },
  { name: 'used', optional: true, of: ({ last_used_at }, now) => agoCell(last_used_at, now) },
]

function expiryCell(expires_at: string | null, now: number): Cell {
  return expires_at !== null && Date.parse(expires_at) <= now
    ? { text: 'expired', tone: 'red' }
    : agoCell(expires_at, now)
}

export const keyCommands: readonly Command[] = [
  clientCommand({
    name: 'key create',
    summary: 'Creates a key of a project, and shows it this once.',
    caller: 'admin',
    args: [PROJECT],
    body: {
      mode: { doc: 'Its world; live without it.', choices: modes },
      role: { doc: 'Who holds it; customer without it.', choices: keyRoles },
      name: { doc: 'What it is for.' },
      scopes: {
        doc: `What it may do, of ${keyScopes.join(', ')}; all that its role may without it.`,
        kind: 'words',
      },
      expires_in_s: { doc: 'Seconds until it opens nothing any more; never without it.', kind: 'whole' },
      expires_at: { doc: 'The same as a time.', form: 'TIME' },
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
