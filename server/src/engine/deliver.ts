// One delivery's turn, as a pipeline: may it be tried, send it, decide, write it down. No connection to the database is held
// while the receiver has the word; a lease whose fence has moved on writes nothing.
import {
  abandonReason,
  leaseMs,
  settle,
  type Attempt,
  type Delivery,
  type FailureReason,
  type RetryPolicy,
  type Settlement,
} from '../domain/delivery.ts'
import { unanswered, type Outcome } from '../domain/outcome.ts'
import type { Project, Secret } from '../domain/project.ts'
import type { Ready, Settle, Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import type { Attempts } from './dispatcher.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { createPersist, type Written } from './persist.ts'
import type { Report } from './report.ts'
import type { Sender } from './senders.ts'
import type { Terms, TermsCache } from './terms.ts'

/** Makes the request or mail of one attempt in the project's dialect: url, and headers with lower-case names. */
export type Render = (
  ready: Ready,
  context: { project: Project; secrets: readonly Secret[]; attempt: number; now: number },
) => { url: string; headers: Record<string, string> }

export type Deliver = Attempts<Ready> & {
  /** Writes a decision, again and again until its lease is over. */
  write(input: Settle, lease_until: number): Promise<Written>
  /** From now on a write that fails is not repeated. */
  hurry(): void
}

// Besides its time-out an attempt reads the body for two seconds, and its outcome must be written within the lease.
export const ATTEMPT_MARGIN_MS = 3000
// The lease was too short from the start, or ran down behind a slow receiver; at once again would be a busy loop.
export const SHORT_LEASE_WAIT_MS = 1000

/** Makes the pipeline. */
export function createDeliver({
  store,
  sender,
  render,
  terms: cache,
  clock,
  log,
  metrics,
  report,
}: {
  store: Pick<Store, 'settle'>
  sender: Pick<Sender, 'send'>
  render: Render
  terms: TermsCache
  clock: Clock
  log: Log
  metrics: Metrics
  report: Report
}): Deliver {
  const persist = createPersist({ clock, log })

  async function attempt(
    ready: Ready,
    { project, secrets, policy }: Terms,
    answered: (ready: Ready, tried: boolean) => void,
  ): Promise<void> {
    const started_at = clock.now()
    const lease_until = ready.lease_until ?? started_at
    const lease_ms = leaseMs(policy.timeout_ms)
    const untried = withoutAttempt(ready, policy, started_at)
    if (untried !== null) {
      answered(ready, false)
      const written = await writeOwn(
        { delivery: ready, settlement: untried, attempt: null, lease_ms },
        lease_until,
      )
      if (written && untried.state !== 'pending') {
        metrics.settled(untried.state)
        log.info(
          { delivery_id: ready.id, task_id: ready.task_id, reason: untried.reason },
          'delivery.given_up',
        )
      }
      return
    }
    const number = ready.attempt_count + 1
    let outcome: Outcome
    try {
      const { url, headers } = render(ready, { project, secrets, attempt: number, now: started_at })
      const lane = ready.destination_id
      outcome = await sender.send({ url, lane, headers, body: ready.body, timeout_ms: policy.timeout_ms })
    } catch (error) {
      // Ours to mend, and perhaps mended before the retries are used up.
      log.error({ err: error, delivery_id: ready.id }, 'delivery.unsendable')
      outcome = unanswered('protocol', 'The request could not be made.')
    }
    answered(ready, true)
    const now = clock.now()
    const settlement = settle(ready, outcome, policy, { started_at, now })
    const attempt = toAttempt(ready, outcome, { started_at, now })
    if (await writeOwn({ delivery: ready, settlement, attempt, lease_ms }, lease_until)) {
      report.delivery({ delivery: ready, outcome, settlement, attempt })
    }
  }

  const write = (input: Settle, lease_until: number): Promise<Written> =>
    persist.write(() => store.settle(input), { id: input.delivery.id, lease_until })

  /** Writes what this process decided under its own lease, and tells when it has slept through its end. */
  async function writeOwn(input: Settle, lease_until: number): Promise<boolean> {
    const written = await write(input, lease_until)
    if (written === 'lost') {
      metrics.fenceLost()
      log.warn({ delivery_id: input.delivery.id, fence: input.delivery.fence }, 'delivery.fence_lost')
    }
    return written === 'done'
  }

  return {
    attempt,
    write,
    async release(ready, due_at) {
      // What the next delivery of the task is leased for matters only if this one is cancelled; a release is rare.
      const lease_ms = leaseMs(cache.get(ready.project_id)?.policy.timeout_ms ?? 0)
      const settlement = released(ready, due_at)
      await writeOwn({ delivery: ready, settlement, attempt: null, lease_ms }, ready.lease_until ?? due_at)
    },
    hurry: () => persist.hurry(),
  }
}

/** What becomes of a leased delivery that must not be sent now, or null when it may. */
function withoutAttempt(ready: Ready, policy: RetryPolicy, now: number): Settlement | null {
  const reason = ready.cancel_requested ? 'canceled' : abandonReason(ready, policy, now)
  if (reason !== null) return givenUp(ready, reason)
  const lease_left_ms = (ready.lease_until ?? now) - now
  if (lease_left_ms < policy.timeout_ms + ATTEMPT_MARGIN_MS) return released(ready, now + SHORT_LEASE_WAIT_MS)
  return null
}

const countsOf = ({
  attempt_count,
  unknown_count,
  unknown_streak,
  first_attempt_at,
  give_up_at,
}: Delivery) => ({ attempt_count, unknown_count, unknown_streak, first_attempt_at, give_up_at })

const givenUp = (delivery: Delivery, reason: FailureReason): Settlement => ({
  ...countsOf(delivery),
  state: reason === 'canceled' ? 'canceled' : 'failed',
  reason,
  due_at: null,
})

const released = (delivery: Delivery, due_at: number): Settlement => ({
  ...countsOf(delivery),
  state: 'pending',
  reason: null,
  due_at,
})

/** The log entry of the attempt that comes next for a delivery, or under the id of a call. */
export function toAttempt(
  delivery: Pick<Delivery, 'id' | 'attempt_count'>,
  outcome: Outcome,
  { started_at, now }: { started_at: number; now: number },
): Attempt {
  const { kind, status, response_headers, response_body, truncated, remote_address, error } = outcome
  return {
    delivery_id: delivery.id,
    number: delivery.attempt_count + 1,
    started_at,
    duration_ms: Math.max(0, now - started_at),
    outcome: kind,
    status,
    response_headers: response_headers === null ? null : JSON.stringify(response_headers),
    response_body,
    truncated: truncated ? 1 : 0,
    remote_address,
    error,
  }
}
