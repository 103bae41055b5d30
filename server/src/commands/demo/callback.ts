// One callback on its way, told attempt by attempt: what the server's own log of attempts says, read until it is settled.
import { setTimeout as delay } from 'node:timers/promises'
import type { Attempt, Client, Delivery, DeliveryDetail } from '@ringback/sdk'
import { isUnsettled } from '../../domain/delivery.ts'
import { FailedError } from '../command.ts'
import { span } from '../dev/words.ts'
import type { Stage } from './stage.ts'

/** What the scenes of the story are played with. */
export type Play = {
  client: Client
  stage: Stage
  signal: AbortSignal
  /** When the story has to be over, in milliseconds. */
  deadline: number
  /** How many callbacks have arrived, and what they took. */
  tally: { callbacks: number; attempts: number }
}

const POLL_MS = 250
const UNAUTHORIZED = 401

/** Tells the callback of a task's last event. Throws FailedError when it does not arrive. */
export async function followLast(play: Play, who: string, task_id: string): Promise<void> {
  const { client, signal } = play
  const { data } = await client.tasks.deliveries(task_id, { limit: 1 }, { signal })
  const [delivery] = data
  if (delivery === undefined)
    throw new FailedError(`task ${task_id} has no delivery, though it has a callback URL`)
  await follow(play, who, delivery)
}

/** Tells a callback, attempt by attempt, until it has arrived. Throws FailedError when it does not. */
export async function follow(play: Play, who: string, { id }: Pick<Delivery, 'id'>): Promise<void> {
  const { client, stage, signal, tally } = play
  let told = 0
  for (;;) {
    const delivery = await client.deliveries.get(id, { signal })
    for (const attempt of delivery.attempts.slice(told)) {
      stage.tell({ who, ...sceneOf(delivery, attempt) })
      tally.attempts++
    }
    told = delivery.attempts.length
    if (delivery.state === 'delivered') break
    checkHope(delivery, play.deadline)
    if (told > 0 && delivery.next_attempt_at !== null)
      stage.await(`attempt ${told + 1} of ${who}`, Date.parse(delivery.next_attempt_at))
    await delay(POLL_MS, undefined, { signal })
  }
  // Only one receiver fails: what is waited for is waited for here.
  if (told > 1) stage.await()
  tally.callbacks++
}

function sceneOf({ event, resend, next_attempt_at, attempts }: DeliveryDetail, attempt: Attempt) {
  const { outcome, number, status, duration_ms, error } = attempt
  const answer = status === null ? (error ?? outcome) : `answered ${status} in ${span(duration_ms)}`
  const text = `${event}${resend ? ' again' : ''}, attempt ${number}: ${answer}`
  if (outcome === 'delivered') return { mark: '✓', tone: 'green' as const, text }
  // What is planned now comes after the last attempt, which need not be the one that is told.
  const planned = number === attempts.length && next_attempt_at !== null
  const next = planned ? `; the next in ${span(Math.max(0, Date.parse(next_attempt_at) - Date.now()))}` : ''
  return { mark: '✗', tone: 'red' as const, text: text + next }
}

/** Throws FailedError when a callback cannot arrive any more, or not in time. */
function checkHope({ id, state, reason, attempts, next_attempt_at }: DeliveryDetail, deadline: number): void {
  const last = attempts.at(-1)
  if (last?.status === UNAUTHORIZED) {
    throw new FailedError(
      'the inbox did not accept the signature: use a key of the server’s own project, as in its dev.json',
    )
  }
  const see = `\`ringback delivery get ${id}\` shows its attempts`
  if (!isUnsettled(state))
    throw new FailedError(
      `the callback was given up (${reason ?? state}), as this project’s settings say; ${see}`,
    )
  if (next_attempt_at !== null && Date.parse(next_attempt_at) > deadline) {
    throw new FailedError(
      `the next attempt is planned for ${next_attempt_at}, which the story cannot wait for: this project has slow retries; ${see}`,
    )
  }
}
