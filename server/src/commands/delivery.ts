// `ringback delivery …`: what went out to customers, attempt by attempt, and sending it again.
import type { Attempt, Delivery, DeliveryDetail } from '@ringback/sdk'
import { deliveryStates } from '../domain/delivery.ts'
import { eventTypes } from '../domain/event.ts'
import { clientCommand, idsOfPage, list, pageFields, type ListColumn, type Show } from './client/command.ts'
import type { Fields } from './client/fields.ts'
import { record } from './client/record.ts'
import { ago, agoCell, stateCell, textCell, urlCell } from './client/words.ts'
import type { Command } from './command.ts'
import { span } from './dev/words.ts'
import { wrap } from './screen.ts'
import { table, type Cell, type Column } from './table.ts'

const ID = [{ name: 'DELIVERY' }]

const filters: Fields = {
  task_id: { doc: 'Only those of a task.', form: 'TASK' },
  state: { doc: 'Only those in a state.', choices: deliveryStates },
  event: { doc: 'Only those of an event.', choices: eventTypes },
  destination: { doc: 'Only those to an origin, an e-mail domain or a destination’s id.' },
  created_after: { doc: 'Only those created after a time.', form: 'TIME' },
  ...pageFields,
}

const columns: readonly ListColumn<Delivery>[] = [
  { name: 'id', of: ({ id }) => textCell(id) },
  { name: 'state', of: ({ state }) => stateCell(state) },
  { name: 'event', flexible: true, of: ({ event }) => textCell(event) },
  { name: 'tried', optional: true, of: ({ attempt_count }) => ({ text: String(attempt_count) }) },
  { name: 'next', optional: true, of: ({ next_attempt_at }, now) => agoCell(next_attempt_at, now) },
  { name: 'to', flexible: true, optional: true, of: ({ url }) => urlCell(url) },
]

const attemptColumns: readonly Column[] = [
  { name: 'attempt' },
  { name: 'started' },
  { name: 'outcome' },
  { name: 'took' },
  { name: 'answer', flexible: true },
]

const attemptCells = (attempt: Attempt): Cell[] => [
  { text: String(attempt.number) },
  { text: attempt.started_at },
  outcomeCell(attempt),
  { text: span(attempt.duration_ms) },
  textCell(attempt.error ?? attempt.response_body),
]

function outcomeCell({ outcome, status }: Attempt): Cell {
  const text = status === null ? outcome : outcome === 'delivered' ? `${status} delivered` : String(status)
  return { text, tone: outcome === 'delivered' ? 'green' : 'red' }
}

const showDetail: Show = (answer, screen, now) => {
  const { attempts, plan } = JSON.parse(answer) as DeliveryDetail
  const parts = [record(answer, screen, now, ['attempts', 'plan'])]
  if (attempts.length > 0) parts.push(table(attemptColumns, attempts.map(attemptCells), screen))
  if (plan.length > 0) {
    const times = plan.map((time) => `  ${time} (${ago(time, now)})`)
    parts.push([...wrap('Attempts to come, as long as they fail:', screen.width), ...times].join('\n'))
  }
  return parts.join('\n\n')
}

export const deliveryCommands: readonly Command[] = [
  clientCommand({
    name: 'delivery list',
    summary: 'Lists deliveries, newest first.',
    query: filters,
    call: (client, { query }) => client.deliveries.list(query),
    show: list(columns),
    ids: idsOfPage,
  }),
  clientCommand({
    name: 'delivery get',
    summary: 'Shows a delivery with its attempts and the times of those to come.',
    args: ID,
    call: (client, { args: [id = ''] }) => client.deliveries.get(id),
    show: showDetail,
  }),
  clientCommand({
    name: 'delivery resend',
    summary: 'Sends the event of a delivery again, at once.',
    args: ID,
    call: (client, { args: [id = ''] }) => client.deliveries.resend(id),
  }),
  clientCommand({
    name: 'delivery cancel',
    summary: 'Gives a delivery up; while it is being sent, once that attempt has failed.',
    args: ID,
    call: (client, { args: [id = ''] }) => client.deliveries.cancel(id),
  }),
]
