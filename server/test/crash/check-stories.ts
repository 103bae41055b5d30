// What the clients were told against what the API shows: an acknowledged request stands, one without an answer stands whole
// or not at all, and of all resolvers of a task one wins. The rules know nothing of how the server works.
import { isDeepStrictEqual } from 'node:util'
import type { DeliveryView, TaskView } from './api.ts'
import { checkHistory, tells, type Told } from './check-history.ts'
import type { Evidence } from './evidence.ts'
import { meaningOf, type Meaning, type Story } from './journal.ts'

/** Finds what the tasks contradict in the clients' log; each finding is a sentence that names the task. */
export function checkStories(evidence: Evidence): string[] {
  const tasks = Map.groupBy(evidence.tasks, ({ unique_id }) => unique_id)
  const deliveries = Map.groupBy(evidence.deliveries, ({ task_id }) => task_id)
  const receipts = new Map(evidence.receipts.map((receipt) => [receipt.webhook_id, receipt]))
  const sent = new Set<string | null>(evidence.stories.map(({ sent }) => sent.unique_id))
  return [
    ...evidence.tasks
      .filter(({ unique_id }) => !sent.has(unique_id))
      .map(({ id }) => `${id}: nobody created it`),
    ...evidence.stories.flatMap((story) => {
      const found = tasks.get(story.sent.unique_id) ?? []
      const own = (deliveries.get(found[0]?.id ?? '') ?? []).toSorted((a, b) => a.sequence - b.sequence)
      const told = own.map((delivery) => toldBy(delivery, receipts.get(delivery.event_id)))
      const faults = checkStory(evidence, story, found, told)
      return faults.map((fault) => `${story.sent.unique_id} (boot ${story.boot}): ${fault}`)
    }),
  ]
}

function checkStory(evidence: Evidence, story: Story, [task, ...more]: TaskView[], told: Told[]): string[] {
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
    ...checkHistory(
      task,
      told,
      story.deeds,
      story.deeds.filter(({ status }) => mayHold(meaningOf(status), evidence)),
    ),
    ...checkLedger(evidence, story, task, told),
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

/**
 * Whether a request with this answer may have had an effect. A server that stops in order answers what it does; one that
 * loses its database amid a commit cannot know.
 */
const mayHold = (meaning: Meaning, { ending }: Evidence) =>
  meaning === 'done' ||
  (meaning === 'unknown' && ending !== 'stopped') ||
  (meaning === 'turned_away' && ending === 'disturbed')

/** An event as its callback told it; one that never arrived says nothing. */
const toldBy = ({ sequence, event }: DeliveryView, receipt: Told | undefined): Told => ({
  sequence,
  type: event as Told['type'],
  response: receipt?.response,
  detail: receipt?.detail ?? null,
})

/** The events are counted from 1, their outcome is noted, and an inbound URL has left its one resolving arrival. */
function checkLedger(evidence: Evidence, { deeds }: Story, task: TaskView, told: readonly Told[]): string[] {
  const faults: string[] = []
  const counted = told.map(({ sequence }) => sequence)
  if (counted.some((sequence, i) => sequence !== i + 1)) {
    faults.push(`its deliveries are of the events ${counted.join(', ')}`)
  }
  if (task.callback_succeeded !== (told.length === 0 ? null : true)) {
    faults.push(`callback_succeeded is ${task.callback_succeeded}`)
  }
  const ledger = evidence.ledgers.get(task.id)
  if (ledger === undefined) return faults
  const events = ledger.events.map(({ sequence, type }) => `${sequence} ${type}`)
  if (
    !isDeepStrictEqual(
      events,
      told.map(({ sequence, type }) => `${sequence} ${type}`),
    )
  ) {
    faults.push(`its events are [${events.join(', ')}]`)
  }
  const arrived = ledger.arrivals.filter(({ verdict }) => verdict === 'resolved').length
  const by_url = told.some((event) => deeds.some((deed) => deed.verb === 'inbound' && tells(event, deed)))
  if (arrived !== (by_url ? 1 : 0)) faults.push(`its inbound ledger has ${arrived} resolving arrivals`)
  return faults
}
