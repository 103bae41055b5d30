// What the clients were told against what the API shows: an acknowledged request stands, one without an answer stands whole
// or not at all, and of all resolvers of a task one wins. The rules know nothing of how the server works.
import { isDeepStrictEqual } from 'node:util'
import type { DeliveryView, TaskView } from './api.ts'
import type { Evidence } from './evidence.ts'
import { meaningOf, type Deed, type Meaning, type Story } from './journal.ts'

/** Finds what the tasks contradict in the clients' log; each finding is a sentence that names the task. */
export function checkStories(evidence: Evidence): string[] {
  const tasks = Map.groupBy(evidence.tasks, ({ unique_id }) => unique_id)
  const deliveries = Map.groupBy(evidence.deliveries, ({ task_id }) => task_id)
  const told = new Set<string | null>(evidence.stories.map(({ sent }) => sent.unique_id))
  return [
    ...evidence.tasks
      .filter(({ unique_id }) => !told.has(unique_id))
      .map(({ id }) => `${id}: nobody created it`),
    ...evidence.stories.flatMap((story) => {
      const found = tasks.get(story.sent.unique_id) ?? []
      const faults = checkStory(evidence, story, found, deliveries.get(found[0]?.id ?? '') ?? [])
      return faults.map((fault) => `${story.sent.unique_id} (boot ${story.boot}): ${fault}`)
    }),
  ]
}

function checkStory(
  evidence: Evidence,
  story: Story,
  [task, ...more]: TaskView[],
  deliveries: DeliveryView[],
): string[] {
  const faults = [story, ...story.deeds].flatMap(({ status }) =>
    meaningOf(status) === 'unexpected' ? [`a request was answered ${status}`] : [],
  )
  const created = meaningOf(story.status)
  if (task === undefined) return created === 'done' ? [...faults, 'it was acknowledged and is gone'] : faults
  if (more.length > 0) faults.push('it was created twice')
  if (!mayHold(created, evidence)) faults.push(`it exists, though its creation was answered ${story.status}`)
  return [
    ...faults,
    ...checkFields(story, task),
    ...checkResolution(evidence, story, task),
    ...checkEvents(evidence, story, task, deliveries),
  ]
}

function checkFields({ sent, task: shown }: Story, task: TaskView): string[] {
  const faults: string[] = []
  for (const { type, params, metadata, unique_id, callback_url } of [task, shown ?? task]) {
    const fields = { type, params, metadata, unique_id, callback_url }
    if (!isDeepStrictEqual(fields, sent)) {
      faults.push(`its fields are not those that were sent: ${JSON.stringify(fields)}`)
    }
  }
  if (shown !== null && shown.id !== task.id) faults.push(`it was acknowledged as ${shown.id}`)
  return faults
}

/** Whether a request with this answer may have had an effect. A server that stops in order answers what it does. */
const mayHold = (meaning: Meaning, { ending }: Evidence) =>
  meaning === 'done' || (meaning === 'unknown' && ending === 'killed')

function checkResolution(evidence: Evidence, { deeds }: Story, task: TaskView): string[] {
  const resolvers = deeds.filter(({ verb }) => verb !== 'audit')
  const winners = resolvers.filter(({ status }) => meaningOf(status) === 'done')
  if (winners.length > 1) return [`it was resolved ${winners.length} times`]
  const possible =
    winners.length === 1 ? winners : resolvers.filter(({ status }) => mayHold(meaningOf(status), evidence))
  if (task.status !== 'waiting') {
    return possible.some((deed) => stands(deed, task)) ? [] : [`nobody asked for ${shownResolution(task)}`]
  }
  if (winners.length > 0) return ['it was resolved, and the acknowledged response is gone']
  return resolvers.some(({ status }) => meaningOf(status) === 'refused')
    ? ['a resolver was refused, though nobody has won']
    : []
}

const shownResolution = ({ status, response }: TaskView) => `${status} with ${JSON.stringify(response)}`

const stands = ({ verb, value }: Deed, { status, response }: TaskView) =>
  verb === 'cancel'
    ? status === 'canceled' && response === null
    : status === 'completed' && isDeepStrictEqual(response, value)

/** A settled status comes with its event, its delivery and, from the inbound URL, its arrival, or nothing does. */
function checkEvents(
  evidence: Evidence,
  { deeds }: Story,
  task: TaskView,
  deliveries: DeliveryView[],
): string[] {
  const faults: string[] = []
  const audits = deeds.filter(({ verb }) => verb === 'audit')
  const audited = task.audit_status === 'approved'
  if (audits.some(({ status }) => meaningOf(status) === 'done') && !audited) faults.push('its audit is gone')
  if (audited && !audits.some(({ status }) => mayHold(meaningOf(status), evidence)))
    faults.push('nobody audited it')
  if (task.callback_succeeded !== (task.status === 'waiting' ? null : true)) {
    faults.push(`callback_succeeded is ${task.callback_succeeded}`)
  }
  const expected = [
    ...(task.status === 'waiting' ? [] : [`1 task.${task.status}`]),
    ...(audited ? ['2 task.audit.approved'] : []),
  ]
  const delivered = deliveries.map(({ sequence, event }) => `${sequence} ${event}`).toSorted()
  if (!isDeepStrictEqual(delivered, expected)) {
    faults.push(`its deliveries are [${delivered.join(', ')}], not [${expected.join(', ')}]`)
  }
  const ledger = evidence.ledgers.get(task.id)
  if (ledger === undefined) return faults
  const events = ledger.events.map(({ sequence, type }) => `${sequence} ${type}`)
  if (!isDeepStrictEqual(events, expected)) faults.push(`its events are [${events.join(', ')}]`)
  const arrived = ledger.arrivals.filter(({ verdict }) => verdict === 'resolved').length
  const by_url = deeds.some((deed) => deed.verb === 'inbound' && stands(deed, task))
  if (arrived !== (by_url ? 1 : 0)) faults.push(`its inbound ledger has ${arrived} resolving arrivals`)
  return faults
}
