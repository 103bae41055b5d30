import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempt, Delivery } from '../../domain/delivery.ts'
import type { Task } from '../../domain/task.ts'
import type { Story } from './activity.ts'
import { devPage } from './page.ts'

const now = Date.UTC(2030, 0, 1, 12)
const base_url = 'http://127.0.0.1:7464'

/** A failed task with a delivery that was tried twice; `text` stands wherever a stranger's text can. */
function story(text: string, changes: { task?: Partial<Task>; delivery?: Partial<Delivery> } = {}): Story {
  const task = {
    id: 'task-1',
    type: text,
    status: 'failed',
    mode: 'live',
    response: null,
    error: JSON.stringify({ message: text }),
    callback_url: 'http://a.example/',
    event_count: 1,
    created_at: now - 20_000,
    ...changes.task,
  } as Task
  const delivery = {
    id: 'delivery-1',
    event_type: 'task.failed',
    url: `http://a.example/${text}`,
    state: 'pending',
    reason: null,
    resend: 0,
    attempt_count: 2,
    due_at: now + 4800,
    give_up_at: now + 86_400_000,
    ...changes.delivery,
  } as Delivery
  const attempt = (number: number, fields: Partial<Attempt>) =>
    ({ number, started_at: now - 12_000, duration_ms: 31, status: null, error: null, ...fields }) as Attempt
  return {
    task,
    deliveries: [
      {
        delivery,
        attempts: [
          attempt(1, { outcome: 'status', status: 500, response_body: text }),
          attempt(2, { outcome: 'connection', error: text }),
        ],
      },
    ],
    more: true,
  }
}

const page = (stories: Story[], refresh = true) =>
  devPage({ base_url, data: "/home/o'neil/data", stories, now, refresh })
const count = (text: string, what: RegExp) => [...text.matchAll(what)].length

test('a stranger’s text adds neither tag nor attribute to the page', () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror='alert(1)'>&lt;`
  const tame = page([story('tame')])
  const html = page([story(hostile)])
  for (const mark of [/</g, />/g, /"/g, /'/g]) assert.equal(count(html, mark), count(tame, mark))
  // As type, in the error's JSON, in the URL, as answer and as the error of an attempt.
  assert.equal(count(html, /&lt;script&gt;alert\(1\)|%3Cscript%3Ealert\(1\)/g), 5)
  assert.equal(count(html, /&amp;lt;/g), 5)
})

test('a task shows its deliveries, their attempts and the time of the next', () => {
  const text = page([story('label')])
    .replace(/<style>.*<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
  assert.match(text, /failed label task-1 20 s ago \{&quot;message&quot;:&quot;label&quot;\}/)
  assert.match(text, /GET \/v1\/tasks\/task-1\/deliveries/)
  assert.match(text, /pending task.failed to http:\/\/a.example\/label/)
  assert.match(text, / 1 11:59:48.000 ✗ 500 31 ms label 2 11:59:48.000 ✗ connection 31 ms label /)
  assert.match(text, / 3 12:00:04.800 next in 4.8 s gives up in 24 h /)
})

test('a delivery that is over says why, one that is held for what it waits', () => {
  const shown = (delivery: Partial<Delivery>) => page([story('x', { delivery })])
  const failed = { state: 'failed', reason: 'retries_exhausted', due_at: null } as const
  assert.match(shown(failed), /no further attempt: retries exhausted/)
  assert.match(shown({ state: 'held', due_at: null }), /until the task’s earlier events are settled/)
  assert.doesNotMatch(shown({ state: 'delivered', due_at: null }), /class="next"/)
})

test('without tasks the page shows the commands to begin with, and no key', () => {
  const html = page([])
  assert.match(html, /No task yet/)
  assert.match(html, /curl -s http:\/\/127.0.0.1:7464\/v1\/tasks/)
  assert.match(html, /&#39;\/home\/o&#39;\\&#39;&#39;neil\/data\/dev.json&#39;/)
  assert.doesNotMatch(html, /rb_live_[0-9a-f]{2}/)
})

test('the page refreshes itself until it is told not to', () => {
  assert.match(page([]), /http-equiv="refresh" content="5"/)
  assert.doesNotMatch(page([], false), /http-equiv/)
})
