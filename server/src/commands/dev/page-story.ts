// One task on the page of `dev`: its state, its deliveries, their attempts and when the next one comes.
import { isUnsettled, type Attempt, type Delivery } from '../../domain/delivery.ts'
import { isOpen, type Task } from '../../domain/task.ts'
import type { Story, Told } from './activity.ts'
import { html, type Html } from './html.ts'
import { clock, cut, span, withoutPassword } from './words.ts'

const SHOWN_CHARS = 200

/** A task with what became of its events. */
export function storyHtml({ task, deliveries, more }: Story, now: number): Html {
  const result = task.response ?? task.error
  return html`<article>
    <header>
      ${pill(task.status, taskTone(task))}
      <h3>${task.type}</h3>
      ${task.mode === 'test' ? html`<span class="mode">test</span>` : null}
      <code class="id">${task.id}</code>
      ${timeHtml(task.created_at, `${span(now - task.created_at)} ago`)}
    </header>
    ${result === null ? null : html`<p class="result"><code>${cut(result, SHOWN_CHARS)}</code></p>`}
    ${more ? html`<p class="quiet">Older deliveries: <code>GET /v1/tasks/${task.id}/deliveries</code></p>` : null}
    ${deliveries.length === 0 ? html`<p class="quiet">${silence(task)}</p>` : deliveries.map((told) => deliveryHtml(told, now))}
  </article> `
}

function silence({ callback_url, event_count, status }: Task): string {
  if (event_count === 0 && status === 'waiting') return 'Waiting for a POST to its one-time URL.'
  if (callback_url === null) return 'It has no callback URL, so nobody is told.'
  return event_count === 0 ? 'Nothing to tell yet.' : 'Nothing was sent.'
}

function deliveryHtml({ delivery, attempts }: Told, now: number): Html {
  const [first] = attempts
  return html`<section>
    <p class="delivery">
      ${pill(delivery.state, deliveryTone(delivery))}
      <b>${delivery.event_type}</b>${delivery.resend === 1 ? ' again' : ''}
      <span class="to">to <code>${cut(withoutPassword(delivery.url), SHOWN_CHARS)}</code></span>
    </p>
    ${
      first !== undefined && first.number > 1
        ? html`<p class="quiet">
            Attempts 1 to ${first.number - 1}: <code>GET /v1/deliveries/${delivery.id}</code>
          </p>`
        : null
    }
    <table>
      <thead>
        <tr>
          <th>Attempt</th>
          <th>Time (UTC)</th>
          <th>Outcome</th>
          <th>Took</th>
          <th>Answer</th>
        </tr>
      </thead>
      <tbody>
        ${attempts.map(attemptHtml)}${nextHtml(delivery, now)}
      </tbody>
    </table>
  </section> `
}

function attemptHtml(attempt: Attempt): Html {
  const delivered = attempt.outcome === 'delivered'
  const outcome =
    attempt.status === null ? attempt.outcome : `${attempt.status} ${delivered ? 'delivered' : ''}`
  const answer = attempt.error ?? attempt.response_body ?? ''
  return html`<tr>
    <td>${attempt.number}</td>
    <td>${timeHtml(attempt.started_at, clock(attempt.started_at))}</td>
    <td class="${delivered ? 'good' : 'bad'}">${delivered ? '✓' : '✗'} ${outcome}</td>
    <td>${span(attempt.duration_ms)}</td>
    <td class="answer">${cut(answer, SHOWN_CHARS)}</td>
  </tr> `
}

/** What comes next, or why nothing does. */
function nextHtml(delivery: Delivery, now: number): Html | null {
  const { state, due_at, give_up_at, reason, attempt_count } = delivery
  const row = (time: Html | null, outcome: string, note: string) =>
    html`<tr class="next">
      <td>${attempt_count + 1}</td>
      <td>${time}</td>
      <td>${outcome}</td>
      <td></td>
      <td>${note}</td>
    </tr>`
  if (state === 'held') return row(null, 'held', 'until the task’s earlier events are settled')
  if (state === 'sending') return row(null, 'under way', '')
  if (state === 'pending') {
    const due = due_at ?? now
    const note = give_up_at === null ? '' : `gives up in ${span(give_up_at - now)}`
    return row(timeHtml(due, clock(due)), due > now ? `next in ${span(due - now)}` : 'next, due now', note)
  }
  return reason === null
    ? null
    : html`<tr class="next">
        <td></td>
        <td colspan="4">no further attempt: ${reason.replaceAll('_', ' ')}</td>
      </tr>`
}

const timeHtml = (time_ms: number, text: string): Html =>
  html`<time datetime="${new Date(time_ms).toISOString()}" title="${new Date(time_ms).toISOString()}"
    >${text}</time
  >`

const pill = (word: string, tone: string): Html => html`<span class="pill ${tone}">${word}</span>`

function taskTone({ status }: Task): string {
  if (status === 'completed') return 'good'
  if (isOpen(status)) return 'open'
  return status === 'failed' ? 'bad' : 'plain'
}

function deliveryTone({ state }: Delivery): string {
  if (state === 'delivered') return 'good'
  if (isUnsettled(state)) return 'open'
  return state === 'failed' ? 'bad' : 'plain'
}
