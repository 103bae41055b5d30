// What is measured. Every scenario checks its own result: a figure of a run that lost or doubled something is no figure.
import { Agent, request } from 'undici'
import { milliseconds, percentile } from './figures.ts'
import { sendAll, type LoadAnswer } from './http-load.ts'
import { ADMIN_KEY, cpuProfile } from './server-process.ts'
import { onEmptyDatabase, type Nodes, type Setup } from './setups.ts'
import type { Arrival } from './sink.ts'
import type { Sink } from './sink-process.ts'

export type Settings = {
  /** Requests of raw, create and resolve. */
  tasks: number
  /** Deliveries that are due after the restart. */
  due: number
  /** Bytes of what a provider posts; a callback is bigger, since it shows the task. */
  size: number
  connections: number
  profile: string | undefined
}

/** Operations a second, and milliseconds where a latency is measured. */
export type Figures = { per_s: number; p50_ms?: number; p99_ms?: number }

/** How long callbacks may take to arrive after the last was due. */
export const SETTLE_MS = 120_000

/** A run that lost, doubled or refused something. */
export class BenchFault extends Error {}

/** Runs a program of the bench to its end; a fault is said in one line, and the status is then 1. */
export async function runBench(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof BenchFault)) throw error
    console.error(`fault: ${error.message}`)
    process.exitCode = 1
  }
}

/** Ends the run with a fault unless the condition holds. */
export function check(condition: boolean, fault: string): asserts condition {
  if (!condition) throw new BenchFault(fault)
}

/** The limit to close in on: a loop over undici's `request`, which does nothing else. */
export async function raw(sink: Sink, { tasks, size, connections }: Settings): Promise<Figures> {
  await sink.expect(tasks)
  const dispatcher = new Agent({ connections })
  const text = payload(size)
  let next = 0
  async function lane(): Promise<void> {
    for (let i = next++; i < tasks; i = next++) {
      const answer = await request(sink.url, {
        dispatcher,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'webhook-id': String(i) },
        body: `{"task_id":"${i}","response":${text}}`,
      })
      await answer.body.dump()
    }
  }
  const started = milliseconds()
  await Promise.all(Array.from({ length: connections }, lane))
  const ended = milliseconds()
  await dispatcher.close()
  checkArrivals(await sink.collect(0), new Set(Array.from({ length: tasks }, (_, i) => String(i))))
  return { per_s: rate(tasks, started, ended) }
}

/** Creates tasks, then resolves each by its inbound URL and counts when the sink has the callback. */
export async function createAndResolve(
  sink: Sink,
  setup: Setup,
  settings: Settings,
): Promise<{ create: Figures; resolve: Figures }> {
  return onEmptyDatabase(setup, async (start) => {
    const nodes = await start(cpuProfile(settings.profile))
    const key = await createProject(nodes, sink.url)
    const { tasks, figures: create } = await createTasks(nodes, key, settings.tasks, settings)
    await sink.expect(tasks.length)
    const answers = await resolveTasks(nodes, tasks, settings)
    const arrivals = await sink.collect(SETTLE_MS)
    checkArrivals(arrivals, new Set(tasks.map(({ id }) => id)))
    await checkSucceeded(nodes, key, tasks.length)
    await nodes.stop()

    const sentAt = new Map(tasks.map(({ id }, i) => [id, answers[i]?.sent_at ?? 0]))
    const waits = arrivals.map(({ task_id, at }) => at - (sentAt.get(task_id) ?? 0))
    const resolve = {
      per_s: rate(arrivals.length, Math.min(...sentAt.values()), lastOf(arrivals)),
      p50_ms: percentile(waits, 0.5),
      p99_ms: percentile(waits, 0.99),
    }
    return { create, resolve }
  })
}

/** A server that starts with many deliveries due: their first attempts were refused with a time to come again. */
export async function drain(sink: Sink, setup: Setup, settings: Settings): Promise<Figures> {
  return onEmptyDatabase(setup, async (start) => {
    const before = await start()
    const key = await createProject(before, sink.url)
    const { tasks, figures } = await createTasks(before, key, settings.due, settings)
    // Resolving takes up to four times as long as creating.
    const due_at = Date.now() + 10_000 + (5000 * settings.due) / figures.per_s
    await sink.expect(tasks.length, refusal(due_at))
    await resolveTasks(before, tasks, settings)
    await sink.collect(SETTLE_MS)
    await before.stop()
    check(Date.now() < due_at, 'filling took so long that the deliveries were due before the restart')

    await sink.expect(tasks.length)
    await new Promise((resolve) => setTimeout(resolve, due_at - Date.now() + 1000))
    const after = await start(cpuProfile(settings.profile))
    const arrivals = await sink.collect(SETTLE_MS)
    checkArrivals(arrivals, new Set(tasks.map(({ id }) => id)))
    await checkSucceeded(after, key, tasks.length)
    await after.stop()
    return { per_s: rate(arrivals.length, arrivals[0]?.at ?? 0, lastOf(arrivals)) }
  })
}

/** JSON text of so many bytes. */
export const payload = (size: number) => JSON.stringify({ text: 'x'.repeat(Math.max(0, size - 11)) })

const rate = (count: number, from: number, to: number) => (count / (to - from)) * 1000

const lastOf = (arrivals: Arrival[]) => arrivals.at(-1)?.at ?? 0

/** Makes a project and returns its live key. */
export async function createProject(
  { ports }: Pick<Nodes, 'ports'>,
  default_callback_url: string,
): Promise<string> {
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

type Created = { id: string; callback_id: string }

async function createTasks(
  nodes: Nodes,
  key: string,
  count: number,
  { connections }: Settings,
): Promise<{ tasks: Created[]; figures: Figures }> {
  const requests = Array.from({ length: count }, (_, i) => ({
    method: 'POST',
    path: '/v1/tasks',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ type: 'bench', params: { number: i } }),
  }))
  const answers = await sendAll(nodes.ports, requests, connections)
  const refused = answers.find(({ status }) => status !== 201)
  check(refused === undefined, `a task was refused: ${refused?.body}`)
  const tasks = answers.map(({ body }) => JSON.parse(body) as Created)
  check(new Set(tasks.map(({ id }) => id)).size === count, 'two tasks have one id')
  const waits = answers.map(({ sent_at, answered_at }) => answered_at - sent_at)
  return {
    tasks,
    figures: {
      per_s: rate(
        count,
        Math.min(...answers.map(({ sent_at }) => sent_at)),
        Math.max(...answers.map(({ answered_at }) => answered_at)),
      ),
      p50_ms: percentile(waits, 0.5),
      p99_ms: percentile(waits, 0.99),
    },
  }
}

async function resolveTasks(
  nodes: Nodes,
  tasks: Created[],
  { size, connections }: Settings,
): Promise<LoadAnswer[]> {
  const body = payload(size)
  const requests = tasks.map(({ callback_id }) => ({
    method: 'POST',
    path: `/v1/callbacks/${callback_id}`,
    body,
  }))
  const answers = await sendAll(nodes.ports, requests, connections)
  const refused = answers.find(({ status }) => status !== 200)
  check(refused === undefined, `a resolution was refused: ${refused?.body}`)
  return answers
}

/** Each task's callback exactly once. */
function checkArrivals(arrivals: Arrival[], expected: Set<string>): void {
  const came = new Set(arrivals.map(({ task_id }) => task_id))
  const lost = [...expected].filter((id) => !came.has(id))
  check(
    lost.length === 0,
    `${lost.length} of ${expected.size} callbacks were lost, such as that of ${lost[0]}`,
  )
  check(arrivals.length === expected.size, `${arrivals.length - expected.size} callbacks came twice`)
}

/** The API agrees with the sink: as many tasks with `callback_succeeded` as callbacks arrived. */
async function checkSucceeded(nodes: Nodes, key: string, count: number): Promise<void> {
  const get = async <T>(path: string): Promise<T> => {
    const headers = { authorization: `Bearer ${key}` }
    const [answer] = await sendAll(nodes.ports, [{ method: 'GET', path, headers }], 1)
    check(answer?.status === 200, `${path} answered ${answer?.status}: ${answer?.body}`)
    return JSON.parse(answer.body) as T
  }
  type List = { data: { id: string }[]; next_cursor: string | null }
  while ((await get<List>('/v1/deliveries?state=sending&limit=1')).data.length > 0);
  const ids = new Set<string>()
  for (let cursor: string | null = ''; cursor !== null;) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: List = await get(`/v1/tasks?callback_succeeded=true&limit=100${more}`)
    for (const { id } of page.data) ids.add(id)
    cursor = page.next_cursor
  }
  check(ids.size === count, `${ids.size} of ${count} tasks have callback_succeeded`)
}

// Not a 503: a few of those would open the destination's breaker, and the others would not be tried at all.
const refusal = (until: number) =>
  `HTTP/1.1 423 Locked\r\nretry-after: ${new Date(until).toUTCString()}\r\ncontent-length: 0\r\n\r\n`
