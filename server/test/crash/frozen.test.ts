// A node that stands still for longer than its leases, as a paused virtual machine does, and does not know it when it wakes:
// others have delivered what it was sending, and its own word on that counts for nothing.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { createClient } from '@ringback/sdk'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startReceiver } from '../support/receiver.ts'
import { openApi, type Api, type AttemptView, type DeliveryView, type TaskView } from './api.ts'
import { untilSettled } from './evidence.ts'
import { createProject } from './project.ts'
import { spawnServer, stopInOrder } from './server-process.ts'

// One delivery more than may be in flight, so that one waits in the node's memory.
const IN_FLIGHT = 2
const LEASED = 3

let postgres: TestPostgres
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

/** A node and the ids of deliveries that it was refused to settle. */
function bootNode(url: string) {
  const refused: string[] = []
  const node = spawnServer('.', { RINGBACK_DATABASE_URL: url }, (line) => {
    const id = /"delivery_id":"([^"]*)".*"msg":"delivery\.fence_lost"/.exec(line)?.[1]
    if (id !== undefined) refused.push(id)
  })
  return { ...node, refused }
}

/** All that the API tells of these tasks. */
async function tell(api: Api, ids: string[]) {
  const deliveries = await api.list<DeliveryView>('/v1/deliveries')
  return {
    tasks: await Promise.all(ids.map((id) => api.get<TaskView>(`/v1/tasks/${id}`))),
    deliveries: await Promise.all(
      deliveries.map(({ id }) => api.get<DeliveryView & { attempts: AttemptView[] }>(`/v1/deliveries/${id}`)),
    ),
  }
}

test('a frozen node that wakes cannot write', async (t) => {
  const url = await postgres.createDatabase()
  const callbacks: string[] = []
  const unanswered: ServerResponse[] = []
  const underWay = Promise.withResolvers<void>()
  await using receiver = await startReceiver(({ headers }, response) => {
    callbacks.push([headers['webhook-id'], headers['ringback-attempt']].join(' '))
    if (callbacks.length > IN_FLIGHT) response.end()
    else if (unanswered.push(response) === IN_FLIGHT) underWay.resolve()
  })
  const sleeper = bootNode(url)
  const base_url = await sleeper.ready
  const others = [bootNode(url), bootNode(url)]
  for (const node of [sleeper, ...others]) t.after(() => node[Symbol.asyncDispose]())
  const [other_url = ''] = await Promise.all(others.map(({ ready }) => ready))

  const { live_key } = await createProject(base_url, {
    timeout_ms: 1000,
    limits: { in_flight: IN_FLIGHT },
    default_callback_url: receiver.url,
  })
  const { tasks } = createClient({ baseUrl: base_url, key: live_key })
  const ids: string[] = []
  for (let response = 0; response < LEASED; response++) {
    const { id } = await tasks.create()
    await tasks.complete(id, { response })
    ids.push(id)
  }
  await using other = openApi(other_url, live_key)
  await underWay.promise
  process.kill(sleeper.pid, 'SIGSTOP')
  for (const response of unanswered) response.end()
  assert.equal((await other.list<DeliveryView>('/v1/deliveries?state=sending')).length, LEASED)
  await untilSettled(other)

  const asleep = await tell(other, ids)
  for (const { callback_succeeded } of asleep.tasks) assert.equal(callback_succeeded, true)
  for (const { state, attempts } of asleep.deliveries) {
    const outcomes = attempts.map(({ outcome }) => outcome)
    assert.deepEqual([state, ...outcomes], ['delivered', 'unknown', 'delivered'])
  }
  process.kill(sleeper.pid, 'SIGCONT')
  // It ends when all that it had is settled, or refused.
  await stopInOrder(sleeper)
  assert.deepEqual(await tell(other, ids), asleep)
  await Promise.all(others.map(stopInOrder))

  assert.deepEqual(sleeper.refused.toSorted(), asleep.deliveries.map(({ id }) => id).toSorted())
  for (const { refused } of others) assert.deepEqual(refused, [])
  // What waited in memory was not sent; what was under way arrived again, once.
  const attempts = asleep.deliveries.map(({ event_id }) => `${event_id} 2`)
  assert.deepEqual(callbacks.slice(IN_FLIGHT).toSorted(), attempts.toSorted())
})
