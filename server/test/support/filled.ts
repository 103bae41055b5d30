// A store with something in each table and deliveries in most states, as a killed server leaves it: made through the verbs,
// and half an hour ago, so that whoever opens the database next finds all leases over and everything due.
import { randomBytes, randomFillSync } from 'node:crypto'
import { createProjectWithCredentials } from '../../src/dialects/credentials.ts'
import { createVerbs } from '../../src/dialects/apply.ts'
import { destinationId } from '../../src/dialects/destination-id.ts'
import { createDirectory } from '../../src/dialects/directory.ts'
import { createDialects } from '../../src/dialects/index.ts'
import { newAudit } from '../../src/domain/audit.ts'
import { settle } from '../../src/domain/delivery.ts'
import { parseTarget } from '../../src/domain/destination.ts'
import { createIds } from '../../src/domain/id.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import { newReplay } from '../../src/domain/replay.ts'
import type { Task } from '../../src/domain/task.ts'
import { toAttempt } from '../../src/engine/deliver.ts'
import type { Driver } from '../../src/store/driver.ts'
import type { Ready } from '../../src/store/store.ts'
import { newTask, storeOn } from './store.ts'

const AGO_MS = 1_800_000
const CONCURRENCY = 64

const answer = (status: number): Outcome => ({
  kind: status < 300 ? 'delivered' : 'status',
  status,
  retry_after_ms: null,
  response_headers: { 'content-type': 'text/plain' },
  response_body: `answered ${status}: ünïcode 🔔`,
  truncated: false,
  remote_address: '127.0.0.1',
  error: null,
})

/** What a fifth of the tasks each has come to; null is a delivery that is still being sent. */
const endings = [{ status: 200 }, { status: 500 }, { status: 410 }, null, { held: true }] as const

/**
 * Fills a store with so many tasks whose events go to `url`, and closes it. Gives how many of the events are still to be
 * delivered, some of them by a replay that is under way.
 */
export async function fillStore(
  driver: Driver,
  { url, tasks }: { url: string; tasks: number },
): Promise<{ undelivered: number }> {
  const began_at = Date.now() - AGO_MS
  const now = () => began_at
  const newId = createIds(now, (bytes) => void randomFillSync(bytes))
  const sources = { now, newId, randomBytes }
  const store = storeOn(driver, now, 'a dead process')
  const launched = new Map<string, Ready>()
  store.attach({
    admit: () => true,
    withdraw() {},
    launch: (delivery) => void launched.set(delivery.task_id, delivery),
    hold() {},
    wake() {},
    wakeCalls() {},
    projectChanged() {},
    recordDue() {},
  })
  const dialects = createDialects({ version: '0.0.0' })
  const verbs = createVerbs({ store, dialects, directory: createDirectory(store), newId, randomBytes })
  const created = createProjectWithCredentials(
    dialects.get('native'),
    { name: 'filled', default_callback_url: url },
    sources,
  )
  const audit = newAudit(newId(), 'project.create', { actor: 'cli' }, { project_id: created.project.id })
  await store.createProject({ ...created, audit })
  const { project } = created
  const policy = dialects.get('native').policy(project)
  const scope = { project_id: project.id, mode: 'live' as const }
  const { key } = parseTarget(url)
  const destination = { id: destinationId(scope, key), ...scope, kind: 'callback' as const, key }

  async function makeTask(index: number): Promise<void> {
    const created_at = now()
    const task = newTask(project, {
      id: newId(),
      params: `{"index":${index},"number":1950000000000000001}`,
      callback_url: url,
      destination_id: destination.id,
      unique_id: index % 2 === 0 ? `unique ${index}` : null,
      created_at,
      updated_at: created_at,
    })
    const idempotency = { ...scope, key: `key ${index}`, request_hash: 'hash', status: 201, answer: '{}' }
    await store.createTask({
      task,
      destination,
      idempotency: index % 10 === 0 ? idempotency : null,
      labels: index % 3 === 0 ? ['third', `label ${index}`] : undefined,
      call:
        index % 5 === 0
          ? {
              url,
              callback_id: 'c'.repeat(64),
              priority: 5,
              timeout_ms: 1000,
              due_at: created_at,
              destination: { ...destination, id: destinationId(scope, key, 'call'), kind: 'call' },
            }
          : null,
    })
    const token = { ...scope, id: `tok_${index}`, name: 'key', created_at, revoked_at: null }
    await store.createToken({ ...token, value: `secret ${index}` })
    await store.insertRecord({
      ...scope,
      kind: 'batch',
      key: `batch ${index}`,
      body: `{"index":${index},"number":1950000000000000001}`,
      created_at,
      updated_at: created_at,
      due_at: created_at,
      expires_at: null,
      version: 1,
    })
    await store.recordArrival({
      id: newId(),
      task_id: task.id,
      received_at: created_at,
      remote_address: '127.0.0.1',
      headers: '{}',
      body: `{"score":1.0}`,
      verdict: 'early',
    })
    await end(await verbs.apply(task, 'complete', { response: `{"score":1.0,"index":${index}}` }), index)
  }

  async function end(task: Task, index: number): Promise<void> {
    const ending = endings[index % endings.length]!
    if (ending !== null && 'held' in ending) await verbs.apply(task, 'edit', { response: '{"score":2}' })
    if (ending === null || 'held' in ending) return
    const delivery = launched.get(task.id)!
    const outcome = answer(ending.status)
    const times = { started_at: now(), now: now() }
    await store.settle({
      delivery,
      settlement: settle(delivery, outcome, policy, times),
      attempt: toAttempt(delivery, outcome, times),
      lease_ms: 1000,
    })
  }

  let next = 0
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < tasks) await makeTask(next++)
    }),
  )
  await store.recordRates({
    rates: [{ destination_id: destination.id, slot_at: began_at, delivered: 1, failed: 1, durations: '' }],
    health: [],
  })
  const given_up = { ...scope, delivery_state: 'failed' as const, destination_id: null, from_at: null }
  const filter = { ...given_up, to_at: Date.now(), created_at: now() + 1 }
  const replay = newReplay(newId(), filter, await store.countReplay(filter))
  await store.createReplay({ replay, idempotency: null })
  await store.close()
  return { undelivered: unsettled(tasks) }
}

/** By ending: what a running replay will send again, what waits for its retry, what was being sent, and with one held behind. */
const unsettled = (tasks: number): number =>
  Array.from({ length: tasks }, (_, index) => [0, 1, 1, 1, 2][index % 5] ?? 0).reduce((a, b) => a + b, 0)
