// `ringback destination …`: how receivers fare, and holding back what goes to one of them.
import type { Destination } from '@ringback/sdk'
import { clientCommand, idsOfPage, list, pageFields, type ListColumn } from './client/command.ts'
import { ago, agoCell, stateCell, textCell } from './client/words.ts'
import type { Command } from './command.ts'
import { span } from './dev/words.ts'
import type { Cell } from './table.ts'

const ID = [{ name: 'DESTINATION' }]

const columns: readonly ListColumn<Destination>[] = [
  { name: 'id', of: ({ id }) => textCell(id) },
  { name: 'destination', flexible: true, of: ({ destination }) => textCell(destination) },
  { name: 'state', of: stateOf },
  { name: 'waiting', of: ({ waiting }) => ({ text: String(waiting) }) },
  { name: 'oldest', optional: true, of: ({ oldest_waiting_at }, now) => agoCell(oldest_waiting_at, now) },
  { name: 'success', optional: true, of: ({ success_rate }) => ({ text: percent(success_rate) }) },
  { name: 'p95', optional: true, of: ({ p95_ms }) => ({ text: p95_ms === null ? '' : span(p95_ms) }) },
  {
    name: 'failing',
    optional: true,
    of: ({ failing_since }, now) =>
      failing_since === null ? { text: '' } : { text: `since ${ago(failing_since, now)}` },
  },
]

function stateOf({ state, breaker }: Destination): Cell {
  return state === 'active' && breaker === 'open'
    ? { text: 'breaker open', tone: 'yellow' }
    : stateCell(state)
}

const percent = (rate: number | null) => (rate === null ? '' : `${Math.floor(rate * 1000) / 10} %`)

export const destinationCommands: readonly Command[] = [
  clientCommand({
    name: 'destination list',
    summary: 'Lists destinations: what waits there, and how the attempts of the last hour went.',
    query: pageFields,
    call: (client, { query }) => client.destinations.list(query),
    show: list(columns),
    ids: idsOfPage,
  }),
  clientCommand({
    name: 'destination pause',
    summary: 'Sends nothing there until it is resumed; what is under way ends.',
    args: ID,
    call: (client, { args: [id = ''] }) => client.destinations.pause(id),
  }),
  clientCommand({
    name: 'destination resume',
    summary: 'Sends what has waited there.',
    args: ID,
    call: (client, { args: [id = ''] }) => client.destinations.resume(id),
  }),
]
