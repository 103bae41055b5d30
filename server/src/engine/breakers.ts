// A breaker for each destination: after so many failures in a row nothing more is sent there but one delivery now and then,
// the probe, and its success lets the others go. What is shared of it stands in the destination's row; here is only what
// this process has seen, and losing it costs a few more attempts.
import type { Outcome } from '../domain/outcome.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Tried } from './report.ts'

export type Breakers = {
  /** This is the one that its destination's open breaker lets through. */
  probing: (probe: { id: string; destination_id: string }) => void
  /** An attempt was made and written. */
  attempted: (tried: Tried) => void
}

/** Failures in a row that open a breaker; `probe` is the id of the delivery that decides, `rounds` counts probes that failed. */
type Seen = { streak: number; open: boolean; probe: string | null; rounds: number }

const FAILURES_TO_OPEN = 10
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 30_000
const MOST_SEEN = 50_000

/** Makes the breakers. */
export function createBreakers({
  store,
  hold,
  clock,
  log,
  metrics,
}: {
  store: Pick<Store, 'setBreaker'>
  /** Gives back what has not begun at a destination: its commit would come too late for much of it. */
  hold: (destination_id: string) => void
  clock: Clock
  log: Log
  metrics: Metrics
}): Breakers {
  const seen = new Map<string, Seen>()

  function seenOf(destination_id: string): Seen {
    let known = seen.get(destination_id)
    if (known === undefined) {
      known = { streak: 0, open: false, probe: null, rounds: 0 }
      seen.set(destination_id, known)
      const [oldest] = seen.keys()
      if (seen.size > MOST_SEEN && oldest !== undefined) seen.delete(oldest)
    }
    return known
  }

  function write(id: string, open: 0 | 1, not_before: number): void {
    // Unwritten, a closed one takes a few more attempts, and an open one another probe when this one's lease is over.
    store
      .setBreaker({ id, open, not_before })
      .catch((error: unknown) => log.warn({ err: error, destination_id: id }, 'breaker.unwritten'))
  }

  function failed({ subject, next_due_at }: Tried): void {
    const id = subject.destination_id
    const known = seenOf(id)
    known.streak++
    if (known.open ? known.probe !== subject.id : known.streak < FAILURES_TO_OPEN) return
    if (!known.open) {
      metrics.breakerOpened()
      log.info({ destination_id: id, failures: known.streak }, 'breaker.opened')
      hold(id)
    }
    const wait_ms = Math.min(FIRST_WAIT_MS * 2 ** known.rounds++, LONGEST_WAIT_MS)
    known.open = true
    known.probe = null
    // A delivery that is alone there is its own next probe, at the time its plan says.
    write(id, 1, Math.min(clock.now() + wait_ms, next_due_at ?? Infinity))
  }

  function succeeded({ subject: { destination_id: id } }: Tried): void {
    const known = seen.get(id)
    if (known === undefined) return
    seen.delete(id)
    if (!known.open) return
    log.info({ destination_id: id }, 'breaker.closed')
    write(id, 0, 0)
  }

  return {
    probing({ id, destination_id }) {
      const known = seenOf(destination_id)
      known.open = true
      known.probe = id
    },
    attempted(tried) {
      const verdict = judge(tried.outcome)
      const isProbe = seen.get(tried.subject.destination_id)?.probe === tried.subject.id
      if (verdict === 'alive') succeeded(tried)
      else if (verdict === 'dead' || isProbe) failed(tried)
    },
  }
}

/**
 * What an outcome says of the receiver: a refusal of one request, such as 404, is an answer of a living one, and so is that
 * of one mailbox. A mail server that sends all of us away (421, or 5xx before it has heard of the mail) is as good as dead.
 */
function judge({ kind, status }: Outcome): 'alive' | 'dead' | 'unclear' {
  if (kind === 'unknown' || kind === 'forbidden') return 'unclear'
  if (kind === 'refused') return 'alive'
  if (status === null || (kind === 'deferred' && status === 421)) return 'dead'
  return status >= 500 || status === 408 || status === 429 ? 'dead' : 'alive'
}
