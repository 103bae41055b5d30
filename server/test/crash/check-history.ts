// The history of one task as its callbacks tell it, against what its clients asked for: every event is the doing of one
// request, every acknowledged request has its event, and what was asked for later stands later. A request without an answer
// may take effect at any time, so it may stand anywhere, or nowhere.
import { isDeepStrictEqual } from 'node:util'
import type { TaskView } from './api.ts'
import { isResolver, meaningOf, textOf, type Deed } from './journal.ts'
import type { Receipt } from './receiver.ts'

/** What the callbacks of one event said. */
export type Told = Pick<Receipt, 'sequence' | 'type' | 'response' | 'detail'>

/** Finds what a task's events and its state contradict in the deeds of its clients; `possible` are those that may hold. */
export function checkHistory(
  task: TaskView,
  told: readonly Told[],
  deeds: readonly Deed[],
  possible: readonly Deed[],
): string[] {
  const done = deeds.filter(({ status }) => meaningOf(status) === 'done')
  const winners = done.filter(({ verb }) => isResolver(verb))
  if (winners.length > 1) return [`it was resolved ${winners.length} times`]
  const authors = told.map((event) => possible.find((deed) => tells(event, deed)))
  return [
    ...told.flatMap((event, i) =>
      authors[i] === undefined ? [`nobody asked for ${event.type} with ${print(event)}`] : [],
    ),
    ...authors.flatMap((deed, i) => (deed === undefined ? [] : checkPlace(deed, i, authors, deeds))),
    ...done
      .filter((deed) => !authors.includes(deed))
      .map(({ verb }) => `its ${verb} was acknowledged and is in no event`),
    ...checkRefusals(told, deeds),
    ...told.flatMap((event, i) => checkResponse(event, told[i - 1], authors[i])),
    ...checkEnd(task, told),
  ]
}

const print = ({ response, detail }: Pick<Told, 'response' | 'detail'>) =>
  JSON.stringify({ response, detail })

/** Whether an event is that of this deed. */
export function tells({ type, response, detail }: Told, { verb, value }: Deed): boolean {
  switch (verb) {
    case 'complete':
    case 'inbound':
      return type === 'task.completed' && isDeepStrictEqual(response, value)
    case 'edit':
      return type === 'task.edited' && isDeepStrictEqual(response, value)
    case 'cancel':
      return type === 'task.canceled' && detail?.['reason'] === textOf(value)
    case 'audit':
      return type === 'task.audit.approved' && detail?.['comments'] === textOf(value)
    case 'fix':
      return type === 'task.audit.fixed' && detail?.['comments'] === textOf(value)
  }
}

function checkPlace(
  deed: Deed,
  i: number,
  authors: readonly (Deed | undefined)[],
  deeds: readonly Deed[],
): string[] {
  const before = authors.slice(0, i)
  const faults: string[] = []
  if (isResolver(deed.verb) !== (i === 0)) {
    faults.push(i === 0 ? `it begins with ${deed.verb}` : `it was resolved again by ${deed.verb}`)
  }
  if (before.includes(deed)) faults.push(`its ${deed.verb} happened twice`)
  if (meaningOf(deed.status) === 'done') {
    // Clients send one deed after the other; only resolvers race.
    const later = before.find((other) => other !== undefined && deeds.indexOf(other) > deeds.indexOf(deed))
    if (later !== undefined) {
      faults.push(`${later.verb} was asked for after ${deed.verb} was acknowledged, and stands before it`)
    }
  }
  return faults
}

/** A resolver may only lose to another; what clients ask for afterwards a completed task never refuses. */
function checkRefusals(told: readonly Told[], deeds: readonly Deed[]): string[] {
  const refused = deeds.filter(({ status }) => meaningOf(status) === 'refused')
  return refused.flatMap(({ verb, status }) => {
    if (!isResolver(verb)) return [`its ${verb} was refused with ${status}, though it was completed`]
    return told.length === 0 ? [`its ${verb} was refused with ${status}, though nobody has won`] : []
  })
}

function checkResponse(event: Told, before: Told | undefined, author: Deed | undefined): string[] {
  if (author === undefined) return []
  const { verb, value } = author
  const response = verb === 'cancel' ? null : verb === 'audit' ? before?.response : value
  return isDeepStrictEqual(event.response, response)
    ? []
    : [`its ${event.type} tells of ${JSON.stringify(event.response)}`]
}

function checkEnd({ status, response, audit_status }: TaskView, told: readonly Told[]): string[] {
  const shown = { status, response, audit_status }
  const [first] = told
  const audits = told.flatMap(({ type }) => /^task\.audit\.(.*)$/.exec(type)?.[1] ?? [])
  const expected = {
    status: first?.type === 'task.canceled' ? 'canceled' : first === undefined ? 'waiting' : 'completed',
    response: told.at(-1)?.response ?? null,
    audit_status: audits.at(-1) ?? null,
  }
  return isDeepStrictEqual(shown, expected)
    ? []
    : [`it is ${JSON.stringify(shown)}, its events make it ${JSON.stringify(expected)}`]
}
