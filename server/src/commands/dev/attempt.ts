// The lines that `dev` prints of attempts: what failed, with the time of the next attempt, and what other receivers have
// taken. What its own inbox has taken it has told itself.
import type { Attempted } from '../../engine/report.ts'
import { cut, when, withoutPassword } from './words.ts'

const SHOWN_CHARS = 200

/** The line of an attempt, or undefined when the inbox said it all. */
export function attemptLine(
  { delivery, outcome, settlement }: Attempted,
  { inbox_url, now }: { inbox_url: string; now: number },
): string | undefined {
  const { task_id, event_type, url } = delivery
  const attempt = `${event_type} of task ${task_id}, attempt ${settlement.attempt_count} to ${cut(withoutPassword(url), SHOWN_CHARS)}`
  if (outcome.kind === 'delivered') {
    return url === inbox_url || url.startsWith(`${inbox_url}/`)
      ? undefined
      : `✓ ${attempt}: answered ${outcome.status}`
  }
  const answer =
    outcome.status === null
      ? (outcome.error ?? outcome.kind).replace(/\.$/, '')
      : `answered ${outcome.status}`
  return settlement.due_at === null
    ? `✗ ${attempt}: ${answer}; given up (${settlement.reason})`
    : `↻ ${attempt}: ${answer}; next attempt ${when(settlement.due_at, now)}`
}
