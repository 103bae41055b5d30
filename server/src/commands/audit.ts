// `ringback audit …`: who changed what, for the server's administrator.
import type { Audit } from '@ringback/sdk'
import { acts } from '../domain/audit.ts'
import { clientCommand, idsOfPage, list, pageFields, type ListColumn } from './client/command.ts'
import { agoCell, textCell } from './client/words.ts'
import type { Command } from './command.ts'

const columns: readonly ListColumn<Audit>[] = [
  { name: 'when', of: ({ created_at }, now) => agoCell(created_at, now) },
  { name: 'act', of: ({ act }) => textCell(act) },
  { name: 'by', of: ({ actor, key_id }) => textCell(key_id === null ? actor : `key ${key_id}`) },
  { name: 'from', optional: true, of: ({ address }) => textCell(address) },
  { name: 'project', optional: true, of: ({ project_id }) => textCell(project_id) },
  { name: 'mode', optional: true, of: ({ mode }) => textCell(mode) },
  { name: 'object', optional: true, of: ({ object }) => textCell(object) },
  { name: 'detail', flexible: true, of: ({ detail }) => textCell(told(detail)) },
]

const told = (detail: Audit['detail']): string =>
  Object.entries(detail)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')

export const auditCommands: readonly Command[] = [
  clientCommand({
    name: 'audit list',
    summary: 'Lists who changed what, newest first.',
    caller: 'admin',
    query: {
      project: { doc: 'Only acts on this project.' },
      act: { doc: 'Only acts of this kind.', choices: acts },
      since: { doc: 'Only acts at this time or later.', form: 'TIME' },
      until: { doc: 'Only acts before this time.', form: 'TIME' },
      ...pageFields,
    },
    call: (client, { query }) => client.admin.listAudits(query),
    show: list(columns),
    ids: idsOfPage,
  }),
]
