// Tasks that have something called for them, and the provider that is called: a real server that answers by a script.
import { hash } from 'node:crypto'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { newCall } from '../../src/dialects/draft-call.ts'
import { noReport, type CallPlan, type PollPlan, type RequestPlan } from '../../src/domain/call.ts'
import type { Task } from '../../src/domain/task.ts'
import type { World } from './engine.ts'
import { startReceiver } from './receiver.ts'
import { using } from './sender.ts'

/** What the provider answers: a status with a body, or whatever a function does. */
export type Reply =
  | { status: number; body?: unknown; headers?: Record<string, string> }
  | ((response: ServerResponse, asked: Asked) => void)

/** A request as the provider got it. */
export type Asked = { method: string; path: string; headers: IncomingHttpHeaders; body: string }

/**
 * Starts a provider. `script` has its replies by path, in order; the last one of a path is repeated, and what has none is 404.
 */
export async function startProvider(t: TestContext, script: Record<string, Reply[]>) {
  const asked: Asked[] = []
  let watchers: { count: number; resolve: () => void }[] = []
  const receiver = await using(
    t,
    startReceiver(({ method = '', url = '', headers }, response, body) => {
      const one = { method, path: url, headers, body }
      asked.push(one)
      const replies = script[url.replace(/\?.*/, '')] ?? [{ status: 404 }]
      const reply = replies.length > 1 ? replies.shift()! : replies[0]!
      if (typeof reply === 'function') reply(response, one)
      else {
        response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
        response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {}))
      }
      for (const { count, resolve } of watchers) if (asked.length >= count) resolve()
      watchers = watchers.filter(({ count }) => asked.length < count)
    }),
  )
  return {
    url: receiver.url,
    asked,
    script,
    /** How often a path was asked. */
    count: (path: string) => asked.filter((one) => one.path.replace(/\?.*/, '') === path).length,
    /** Resolves when so many requests have come. */
    requests: (count: number): Promise<void> =>
      new Promise((resolve) => {
        if (asked.length >= count) resolve()
        else watchers.push({ count, resolve })
      }),
  }
}

export type Provider = Awaited<ReturnType<typeof startProvider>>

/** A request to a URL, by POST with a small body unless told otherwise. */
export const requestTo = (url: string, changes: Partial<RequestPlan> = {}): RequestPlan => ({
  url,
  method: 'POST',
  headers: {},
  body: '{"prompt":"a red kite"}',
  timeout_ms: 5000,
  retries: 3,
  backoff: 'exponential',
  priority: 5,
  ...changes,
})

/** A poll of `/jobs/<id>` below a URL, every second for 10 minutes. */
export const pollAt = (url: string, changes: Partial<PollPlan> = {}): PollPlan => ({
  url_template: `${url}/jobs/{startResult.body.id}`,
  status_path: 'status',
  done_values: ['done'],
  fail_values: ['failed'],
  interval_ms: 1000,
  max_duration_ms: 600_000,
  result_path: 'output',
  result_url_template: null,
  error_path: 'error',
  forward_auth: true,
  ...changes,
})

/** Creates a task with a plan; its `callback_id` is told by the placeholder of the native dialect. */
export async function createCalled(
  world: Pick<World, 'store' | 'clock' | 'draftTask'>,
  plan: Partial<CallPlan> & { request: RequestPlan },
  changes: Partial<Task> & { callback_id?: string } = {},
): Promise<Task> {
  const { callback_id = null, ...given } = changes
  const full: CallPlan = { not_before: null, waits: false, wait_ms: null, poll: null, resolve: null, ...plan }
  const { task, destination } = world.draftTask({
    status: 'pending',
    call_plan: JSON.stringify(full),
    callback_hash: callback_id === null ? null : hash('sha256', callback_id),
    ...given,
  })
  const due_at = Math.max(world.clock.now(), full.not_before ?? 0)
  const call = newCall(task, plan.request, { placeholder: '{resolve_url}', callback_id, due_at })
  await world.store.createTask({ task, destination, idempotency: null, call })
  return task
}

/** Resolves with a task once its status is one of these; call it before what brings it there. */
export function reached(
  { store }: Pick<World, 'store'>,
  task: Pick<Task, 'id' | 'project_id' | 'mode'>,
  ...statuses: Task['status'][]
): Promise<Task> {
  const { promise, resolve } = Promise.withResolvers<Task>()
  const look = (seen: Task | undefined) => {
    if (seen?.id !== task.id || !statuses.includes(seen.status)) return
    stop()
    resolve(seen)
  }
  const stop = store.onTransition(look)
  void store.findTask(task, task.id).then(look)
  return promise
}

/** The report of a task's calls. */
export const reportIn = ({ call_report }: Task) =>
  call_report === null ? noReport : (JSON.parse(call_report) as typeof noReport)
