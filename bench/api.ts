// What the scenarios ask of the server under test, and what they check of its work.
import { percentile } from './figures.ts'
import { check } from './faults.ts'
import { sendAll, type LoadAnswer } from './http-load.ts'
import type { Figures } from './results.ts'
import { ADMIN_KEY } from './server-process.ts'
import type { Nodes } from './setups.ts'
import type { Arrival } from './sink.ts'

/** How long callbacks may take to arrive after the last was due. */
export const SETTLE_MS = 120_000

/** A task as its creation answers it. */
export type Created = { id: string; callback_id: string }

type Ports = Pick<Nodes, 'ports'>

/** JSON text of so many bytes. */
export const payload = (size: number): string => JSON.stringify({ text: 'x'.repeat(Math.max(0, size - 11)) })

/** Operations a second, of so many between two times in milliseconds. */
export const rate = (count: number, from: number, to: number): number => (count / (to - from)) * 1000

/** When the last one arrived. */
export const lastOf = (arrivals: readonly Arrival[]): number => arrivals.at(-1)?.at ?? 0

/** The middle and the slow end of waits in milliseconds. */
export const waitsOf = (waits: readonly number[]): { p50_ms: number; p99_ms: number } => ({
  p50_ms: percentile(waits, 0.5),
  p99_ms: percentile(waits, 0.99),
})

/** Makes a project and returns its live key. */
export async function createProject({ ports }: Ports, default_callback_url: string): Promise<string> {
  const [answer] = await sendAll(
    ports,
    [
      {
        method: 'POST',
        path: '/v1/admin/projects',
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
        body: JSON.stringify({ name: 'bench', default_callback_url }),
      },
    ],
    1,
  )
  check(answer?.status === 201, `the project was refused: ${answer?.body}`)
  return (JSON.parse(answer.body) as { credentials: { live_key: string } }).credentials.live_key
}

/** Sends one request without a body under a project's key, and gives its answer, which must have the status. */
export async function ask<T>(
  { ports }: Ports,
  key: string,
  method: string,
  path: string,
  status = 200,
): Promise<T> {
  const [answer] = await sendAll(ports, [{ method, path, headers: { authorization: `Bearer ${key}` } }], 1)
  check(answer?.status === status, `${method} ${path} answered ${answer?.status}: ${answer?.body}`)
  return JSON.parse(answer.body) as T
}

/** Creates so many tasks, of fields that may depend on their number. */
export async function createTasks(
  { ports }: Ports,
  key: string,
  {
    count,
    connections,
    fields = (number) => ({ params: { number } }),
  }: {
    count: number
    connections: number
    fields?: (number: number) => object
  },
): Promise<{ tasks: Created[]; figures: Figures & { per_s: number } }> {
  const requests = Array.from({ length: count }, (_, i) => ({
    method: 'POST',
    path: '/v1/tasks',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ type: 'bench', ...fields(i) }),
  }))
  const answers = await sendAll(ports, requests, connections)
  const refused = answers.find(({ status }) => status !== 201)
  check(refused === undefined, `a task was refused: ${refused?.body}`)
  const tasks = answers.map(({ body }) => {
    const { id, callback_id } = JSON.parse(body) as Created
    return { id, callback_id }
  })
  check(new Set(tasks.map(({ id }) => id)).size === count, 'two tasks have one id')
  const waits = answers.map(({ sent_at, answered_at }) => answered_at - sent_at)
  const sent_at = answers.reduce((first, answer) => Math.min(first, answer.sent_at), Infinity)
  const answered_at = answers.reduce((last, answer) => Math.max(last, answer.answered_at), 0)
  return { tasks, figures: { per_s: rate(count, sent_at, answered_at), ...waitsOf(waits) } }
}

/** Resolves each task by its inbound URL; `timeOf` delays requests (`sendAll`). */
export async function resolveTasks(
  { ports }: Ports,
  tasks: readonly Created[],
  { size, connections, timeOf }: { size: number; connections: number; timeOf?: (i: number) => number },
): Promise<LoadAnswer[]> {
  const body = payload(size)
  const requests = tasks.map(({ callback_id }) => ({
    method: 'POST',
    path: `/v1/callbacks/${callback_id}`,
    body,
  }))
  const answers = await sendAll(ports, requests, connections, timeOf)
  const refused = answers.find(({ status }) => status !== 200)
  check(refused === undefined, `a resolution was refused: ${refused?.body}`)
  return answers
}

/** Rate and waits from the sending of each resolution to the arrival of its callback. */
export function resolveFigures(
  tasks: readonly Created[],
  answers: readonly LoadAnswer[],
  arrivals: readonly Arrival[],
): Figures & { per_s: number } {
  const sentAt = new Map(tasks.map(({ id }, i) => [id, answers[i]?.sent_at ?? 0]))
  const first = answers.reduce((least, { sent_at }) => Math.min(least, sent_at), Infinity)
  const waits = arrivals.map(({ task_id, at }) => at - (sentAt.get(task_id) ?? 0))
  return { per_s: rate(arrivals.length, first, lastOf(arrivals)), ...waitsOf(waits) }
}

/** Each task's callback exactly once. */
export function checkArrivals(arrivals: readonly Arrival[], expected: ReadonlySet<string>): void {
  const came = new Set(arrivals.map(({ task_id }) => task_id))
  const lost = [...expected].filter((id) => !came.has(id))
  check(
    lost.length === 0,
    `${lost.length} of ${expected.size} callbacks were lost, such as that of ${lost[0]}`,
  )
  check(arrivals.length === expected.size, `${arrivals.length - expected.size} callbacks came twice`)
}

/** The API agrees with the sink: as many tasks with `callback_succeeded` as callbacks arrived. */
export async function checkSucceeded(nodes: Ports, key: string, count: number): Promise<void> {
  type List = { data: { id: string }[]; next_cursor: string | null }
  const get = (path: string) => ask<List>(nodes, key, 'GET', path)
  while ((await get('/v1/deliveries?state=sending&limit=1')).data.length > 0);
  const ids = new Set<string>()
  for (let cursor: string | null = ''; cursor !== null;) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: List = await get(`/v1/tasks?callback_succeeded=true&limit=100${more}`)
    for (const { id } of page.data) ids.add(id)
    cursor = page.next_cursor
  }
  check(ids.size === count, `${ids.size} of ${count} tasks have callback_succeeded`)
}
