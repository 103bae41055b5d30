// Fifty callers of one inbound URL at the same moment, from fifty addresses, each on a connection of its own, against the
// real process with its usual rate limit: one resolves the task, and its customer hears of it once.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import { text } from 'node:stream/consumers'
import type { TaskView } from './api.ts'
import { untilSettled } from './evidence.ts'
import { createTask } from './load.ts'
import { createRandom } from './random.ts'
import { stopInOrder } from './server-process.ts'
import { chooseSeed, setStage } from './stage.ts'

const CALLERS = 50

/** Connects, and gives a function that sends the request; all but its last bytes are with the server by then. */
async function prepareCall(url: URL, address: string, body: string) {
  const agent = new Agent({ maxSockets: 1 })
  const call = request(url, {
    agent,
    method: 'POST',
    headers: { 'x-forwarded-for': address, 'content-length': Buffer.byteLength(body) },
  })
  const answered = once(call, 'response')
  call.flushHeaders()
  const [socket] = await once(call, 'socket')
  if (socket.connecting) await once(socket, 'connect')
  return async () => {
    call.end(body)
    const [response] = await answered
    const answer = { status: response.statusCode as number, body: await text(response) }
    agent.destroy()
    return answer
  }
}

test('of fifty simultaneous callers of one inbound URL one resolves the task, and one callback goes out', async (t) => {
  const seed = chooseSeed(t)
  const env = { RINGBACK_TRUST_PROXY: '127.0.0.1/32', RINGBACK_INBOUND_RATE: '30/60' }
  const stage = await setStage(t, seed, env)
  const { journal, receiver } = stage
  const { number, server } = await stage.boot()
  const base_url = await server.ready
  await using api = stage.connect(base_url)
  const options = { api, journal, boot: number, seed, callback_url: receiver.url }
  const { task } = await createTask(options, createRandom(seed), 'wanted')
  const url = new URL(`/v1/callbacks/${task?.callback_id}`, base_url)

  const calls = await Promise.all(
    Array.from({ length: CALLERS }, (_, i) =>
      prepareCall(url, `198.51.100.${i + 1}`, JSON.stringify({ caller: i })),
    ),
  )
  const answers = await Promise.all(calls.map((send) => send()))
  const winner = answers.findIndex(({ status }) => status === 200)
  const losers = answers.filter((_, i) => i !== winner)
  assert.notEqual(winner, -1)
  for (const { status, body } of losers) {
    assert.deepEqual([status, JSON.parse(body)], [404, { error: 'Invalid or expired callback ID' }])
  }

  await untilSettled(api)
  const { status, response, callback_succeeded } = await api.get<TaskView>(`/v1/tasks/${task?.id}`)
  assert.deepEqual([status, response, callback_succeeded], ['completed', { caller: winner }, true])
  const arrivals = await api.list<{ verdict: string; remote_address: string }>(
    `/v1/tasks/${task?.id}/arrivals`,
  )
  assert.deepEqual(
    arrivals.filter(({ verdict }) => verdict === 'resolved').map(({ remote_address }) => remote_address),
    [`198.51.100.${winner + 1}`],
  )
  assert.equal(new Set(arrivals.map(({ remote_address }) => remote_address)).size, CALLERS)

  // What is in flight is finished before the process ends, so nothing more can come after it.
  await stopInOrder(server)
  assert.deepEqual(receiver.faults, [])
  const accepted = receiver.receipts.filter(({ status_code }) => status_code === 200)
  assert.deepEqual(
    accepted.map(({ type, sequence, response }) => ({ type, sequence, response })),
    [{ type: 'task.completed', sequence: 1, response: { caller: winner } }],
  )
})
