// A signal, a callback, a poll and the deadline of the same task at the same time, again and again: one of them wins, and its
// customer hears of it once.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { startPlatform, type Received } from '../support/platform.ts'

const ROUNDS = 1000
const AT_A_TIME = 50
// The poll is under way, and its answer held back, when the time is over.
const STEP_MS = 100
const INTERVAL_S = 4
const DURATION_S = 200
// The lease of the poll outlasts that.
const TIMEOUT_S = 300

type Platform = Awaited<ReturnType<typeof startPlatform>>
type Created = { task: { id: string }; signalToken: string; callbackUrl: string }

async function setStage(t: TestContext) {
  const platform = await startPlatform(t, 'asyncqueue')
  const polls: ServerResponse[] = []
  const provider = await using(
    t,
    startReceiver(({ method, url = '' }, response) => {
      response.setHeader('content-type', 'application/json')
      if (method === 'POST') response.end(`{"id":"${url.slice(1)}"}`)
      else polls.push(response)
    }),
  )
  const { body: limited } = await platform.operate('PATCH', '/v1/project', {
    limits: { in_flight: AT_A_TIME },
  })
  assert.equal((limited as { limits?: { in_flight: number } }).limits?.in_flight, AT_A_TIME)
  return { platform, polls, provider_url: provider.url }
}

async function create({ request, credentials, receiver_url }: Platform, provider_url: string, n: number) {
  const { status, text, body } = await request('POST', '/asyncqueue/v1/tasks', {
    headers: { 'x-api-key': credentials.live_key },
    json: {
      targetUrl: `${provider_url}/${n}`,
      body: '{"hook":"{asyncqueue_callback_url}"}',
      waitForSignal: true,
      timeout: TIMEOUT_S,
      onCompleteUrl: `${receiver_url}/${n}`,
      pollConfig: {
        urlTemplate: `${provider_url}/{startResult.body.id}`,
        statusPath: 'status',
        doneValues: ['done'],
        failValues: ['failed'],
        interval: INTERVAL_S,
        maxDuration: DURATION_S,
      },
    },
  })
  assert.equal(status, 201, text)
  return body as unknown as Created
}

/** Sends the signals and the callbacks, answers the polls, and lets the time be over, in an order that is never the same. */
async function race(platform: Platform, created: Created[], polls: ServerResponse[]): Promise<void> {
  const post = (path: string, json: unknown) => platform.request('POST', path, { json })
  const moves = [
    ...created.flatMap(({ signalToken, callbackUrl }) => [
      () => post(`/asyncqueue/v1/signals/${signalToken}`, { status: 'completed', result: { by: 'signal' } }),
      () => post(new URL(callbackUrl).pathname, { by: 'callback' }),
    ]),
    ...polls.splice(0).map((poll) => async () => {
      // As long as the others take to the server.
      await platform.request('GET', '/asyncqueue/v1/providers')
      poll.end('{"status":"done","by":"poll"}')
    }),
  ]
  const shuffled = moves.map((move) => ({ move, place: Math.random() })).toSorted((a, b) => a.place - b.place)
  // The time is over when so many of them have been made.
  let left = Math.floor(Math.random() * shuffled.length)
  await Promise.all(
    shuffled.map(async ({ move }) => {
      await move()
      if (left-- === 0) platform.clock.advance(1)
    }),
  )
}

const winnerOf = ({ body }: Received): string => {
  const { event, task } = body as unknown as { event: string; task: { result: { body: string } | null } }
  if (event === 'task.timeout') return 'deadline'
  return (JSON.parse(task.result?.body ?? '{}') as { by: string }).by
}

test('of a signal, a callback, a poll and the deadline in the same moment one wins, with one webhook', async (t) => {
  const { platform, polls, provider_url } = await setStage(t)
  const { clock, received } = platform
  const wins = new Map<string, number>()
  for (let round = 0; round < ROUNDS / AT_A_TIME; round++) {
    const numbers = Array.from({ length: AT_A_TIME }, (_, i) => round * AT_A_TIME + i)
    const created = await Promise.all(numbers.map((n) => create(platform, provider_url, n)))
    const polling = created.map(({ task }) => reachedPolling(platform, task.id))
    await clock.advanceUntil(Promise.all(polling), STEP_MS)
    await clock.advanceUntil(
      until(() => polls.length === AT_A_TIME),
      STEP_MS,
    )
    const ends = (await Promise.all(polling)).map(({ expires_at }) => expires_at!)
    clock.advanceTo(Math.min(...ends) - 1)
    const racing = race(platform, created, polls)
    await clock.advanceUntil(Promise.all([racing, until(() => received.length === (round + 1) * AT_A_TIME)]))
  }
  const byTask = Map.groupBy(received, ({ path }) => path)
  assert.deepEqual([byTask.size, received.length], [ROUNDS, ROUNDS])
  for (const webhook of received) wins.set(winnerOf(webhook), (wins.get(winnerOf(webhook)) ?? 0) + 1)
  t.diagnostic(`won by ${Array.from(wins, ([name, count]) => `${name} ${count}`).join(', ')}`)
  const scope = { project_id: platform.project.id, mode: 'live' as const }
  for (let offset = 0; offset < ROUNDS; offset += 100) {
    const { rows } = await platform.store.findTasks(scope, {}, { limit: 100, offset, order: 'newest' })
    for (const { status, event_count } of rows)
      assert.ok((status === 'completed' || status === 'expired') && event_count === 1)
  }
})

/** Resolves with a task once it is polled. */
async function reachedPolling({ store, project }: Platform, id: string) {
  const scope = { project_id: project.id, mode: 'live' as const }
  for (;;) {
    const task = await store.findTask(scope, id)
    if (task?.status === 'polling') return task
    await new Promise(setImmediate)
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate)
}
