// What happened to a task, and what is to happen, as moments in time. Changes of state that nobody is told about (start,
// await, resume, restart) leave no trace but the last one.
import type { Arrival, Attempt, CallAttempt, DeliveryDetail, Event, Task } from '@ringback/sdk'
import { isUnsettled } from '../../domain/delivery.ts'
import { members } from '../../domain/json.ts'
import { isOpen } from '../../domain/task.ts'
import { cut, printable, span, withoutPassword } from '../dev/words.ts'
import type { Tone } from '../screen.ts'

/** A task with all that belongs to it, each as the JSON text of the answer. */
export type Story = {
  task: string
  /** The requests that were made for it. */
  attempts: readonly string[]
  events: readonly string[]
  arrivals: readonly string[]
  /** With their attempts and plans. */
  deliveries: readonly string[]
}

/** One thing that happened, or that is `planned`; `time` is in milliseconds. A plan may be due already. */
export type Moment = {
  time: number
  planned: boolean
  mark: string
  tone?: Tone
  text: string
  notes: readonly string[]
}

const SHOWN_CHARS = 200
const SLOW_START_MS = 1000

/** A text from outside, as much of it as a line should hold. */
export const noteOf = (text: string): string => cut(printable(text), SHOWN_CHARS)

/** All moments of a story, in order. */
export function momentsOf({ task, attempts, events, arrivals, deliveries }: Story): Moment[] {
  const moments = [
    ...taskMoments(task),
    ...attempts.map(callMoment),
    ...arrivals.map(arrivalMoment),
    ...events.map(eventMoment),
    ...deliveries.toReversed().flatMap((text) => deliveryMoments(JSON.parse(text) as DeliveryDetail)),
  ]
  // Of one millisecond the order above is that of cause and effect; the sort keeps it.
  return moments.toSorted((one, other) => one.time - other.time)
}

const at = (time: string) => Date.parse(time)

const moment = (
  time: string,
  mark: string,
  text: string,
  { tone, notes = [] }: { tone?: Tone; notes?: (string | null | undefined)[] } = {},
): Moment => ({
  time: at(time),
  planned: false,
  mark,
  text: printable(text),
  notes: notes.flatMap((note) => (note === null || note === undefined ? [] : [noteOf(note)])),
  ...(tone === undefined ? {} : { tone }),
})

const plan = (time: string, text: string): Moment => ({ ...moment(time, '○', text), planned: true })

function taskMoments(text: string): Moment[] {
  const task = JSON.parse(text) as Task
  const params = members(text).get('params')
  const moments = [moment(task.created_at, '●', 'created', { notes: [`params ${params}`] })]
  if (!isOpen(task.status)) return moments
  if (task.updated_at !== task.created_at)
    moments.push(moment(task.updated_at, '●', `${task.status} from here on`))
  if (task.status === 'pending' && task.not_before !== null && task.updated_at === task.created_at)
    moments.push(plan(task.not_before, 'its request is made'))
  if (task.expires_at !== null) moments.push(plan(task.expires_at, 'expires, if it is not settled before'))
  return moments
}

const called = { request: 'the request', poll: 'a poll', result: 'the result' } as const

function callMoment(text: string): Moment {
  const attempt = JSON.parse(text) as CallAttempt
  const { step, number, started_at, duration_ms, outcome, status, error, response_body } = attempt
  const good = outcome === 'delivered'
  const answer = status === null ? outcome : `answered ${status}`
  return moment(
    started_at,
    good ? '✓' : '✗',
    `attempt ${number}, ${called[step]}: ${answer} in ${span(duration_ms)}`,
    { tone: good ? 'green' : 'red', notes: [error ?? response_body] },
  )
}

function arrivalMoment(text: string): Moment {
  const { id, received_at, remote_address, verdict, body } = JSON.parse(text) as Arrival
  const resolved = verdict === 'resolved'
  const taken = resolved || verdict === 'progress'
  const from = remote_address === null ? '' : ` from ${remote_address}`
  return moment(received_at, '←', `request${from} at its inbound URL: ${verdict}`, {
    tone: taken ? 'green' : 'red',
    notes: [body, taken ? null : `arrival ${id}`],
  })
}

function eventMoment(text: string): Moment {
  const { type, created_at, detail } = JSON.parse(text) as Event
  return moment(created_at, '●', type, {
    tone: 'bold',
    notes: [detail === null ? null : members(text).get('detail')],
  })
}

function deliveryMoments(delivery: DeliveryDetail): Moment[] {
  const { event, url, state, attempts, created_at, settled_at, reason } = delivery
  const again = delivery.resend ? ', again' : ''
  const told = [
    moment(created_at, '→', `${event} goes to ${withoutPassword(url)}${again}${standing(delivery)}`, {
      notes: [`delivery ${delivery.id}`],
    }),
    ...attempts.map((attempt, index) => attemptMoment(delivery, attempt, attempts[index - 1])),
  ]
  if (settled_at !== null && state !== 'delivered') {
    const why = reason === null ? '' : ` (${reason})`
    told.push(moment(settled_at, '✗', `${event} ${state}${why}`, { tone: 'red' }))
  }
  return [...told, ...plansOf(delivery)]
}

/** The attempts to come. A held delivery's would only be guessed: its time begins when its turn comes. */
function plansOf({ event, state, attempt_count, plan: times, give_up_at }: DeliveryDetail): Moment[] {
  if (state === 'held') return []
  const attempts = times.map((time, index) =>
    plan(time, `attempt ${attempt_count + index + 1} of ${event}${index === 0 ? '' : ', if needed'}`),
  )
  const end =
    give_up_at !== null && isUnsettled(state) ? [plan(give_up_at, `${event} is given up at the latest`)] : []
  // The first of one that is being sent is that very attempt.
  return [...attempts.slice(state === 'sending' ? 1 : 0), ...end]
}

function standing({ state }: DeliveryDetail): string {
  if (state === 'held') return ': held until the deliveries before it are settled'
  return state === 'sending' ? ': being sent now' : ''
}

function attemptMoment({ event, created_at }: DeliveryDetail, attempt: Attempt, before?: Attempt): Moment {
  const { number, started_at, duration_ms, outcome, status, error, response_body } = attempt
  const delivered = outcome === 'delivered'
  const answer = status === null ? outcome : `answered ${status}`
  const since =
    at(started_at) - (before === undefined ? at(created_at) : at(before.started_at) + before.duration_ms)
  const waited =
    before !== undefined || since >= SLOW_START_MS ? ` after a wait of ${span(Math.max(0, since))}` : ''
  return moment(
    started_at,
    delivered ? '✓' : '✗',
    `attempt ${number} of ${event}${waited}: ${answer} in ${span(duration_ms)}`,
    { tone: delivered ? 'green' : 'red', notes: [error ?? (delivered ? null : response_body)] },
  )
}
