// Databases with very many rows, each made of what the server itself made first.
import { ask, checkArrivals, createTasks, resolveTasks, SETTLE_MS } from './api.ts'
import { check } from './faults.ts'
import { multiply, type Due } from './filling.ts'
import type { Database, Nodes } from './setups.ts'
import type { Sink } from './sink-process.ts'

type Ports = Pick<Nodes, 'ports'>
type Delivery = { id: string; state: string; attempts: unknown[] }

const SMALL = { size: 16, connections: 1 }
const POLL_MS = 50

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms))

/** Makes a task whose callback arrives, to be copied. */
export async function settledModel(nodes: Ports, key: string, sink: Sink): Promise<string> {
  await sink.expect(1)
  const { tasks } = await createTasks(nodes, key, { count: 1, connections: 1, fields: () => ({}) })
  await resolveTasks(nodes, tasks, SMALL)
  checkArrivals(await sink.collect(SETTLE_MS), new Set(tasks.map(({ id }) => id)))
  const id = tasks[0]?.id ?? ''
  await untilDelivery(nodes, key, id, ({ state }) => state === 'delivered')
  return id
}

/**
 * Makes a task whose callback was tried once and waits, to be copied. There are enough like it to open the breaker of a
 * receiver that fails.
 */
export async function waitingModel(
  nodes: Ports,
  key: string,
  callback_url: string,
  count: number,
): Promise<string> {
  const { tasks } = await createTasks(nodes, key, { count, connections: 1, fields: () => ({ callback_url }) })
  await resolveTasks(nodes, tasks, SMALL)
  const id = tasks[0]?.id ?? ''
  await untilDelivery(nodes, key, id, ({ state, attempts }) => state === 'pending' && attempts.length > 0)
  return id
}

/** Failures in a row that open a breaker, and a few more. */
export const OPENS_BREAKER = 15

/** Copies a settled task up to so many; gives the id of one of the new ones. */
export const addSettled = (
  database: Database,
  task_id: string,
  after: number,
  upTo: number,
): Promise<string> => multiply(database, { task_id, after, upTo })

/** Copies a task whose delivery waits. */
export const addWaiting = (database: Database, task_id: string, count: number, due: Due): Promise<string> =>
  multiply(database, { task_id, after: 0, upTo: count, due })

/**
 * When deliveries to a receiver that has failed for hours are due: of every four one already is, and waits behind the open
 * breaker.
 */
export const afterHours = (): Due => ({ from: Date.now() - 3_600_000, to: Date.now() + 3 * 3_600_000 })

/** The server takes a copy for one of its own: it shows it, its event, its delivery with the attempt, and its arrival. */
export async function checkCopy(nodes: Ports, key: string, id: string, state: string): Promise<void> {
  const task = await ask<{ id: string; status: string }>(nodes, key, 'GET', `/v1/tasks/${id}`)
  check(task.id === id && task.status === 'completed', `the copied task is ${JSON.stringify(task)}`)
  const delivery = await deliveryOf(nodes, key, id)
  check(delivery.state === state, `the delivery of a copied task is ${delivery.state}, not ${state}`)
  check(
    delivery.attempts.length === 1,
    `the delivery of a copied task has ${delivery.attempts.length} attempts`,
  )
  for (const what of ['events', 'arrivals']) {
    const { data } = await ask<{ data: unknown[] }>(nodes, key, 'GET', `/v1/tasks/${id}/${what}`)
    check(data.length === 1, `a copied task has ${data.length} ${what}`)
  }
}

/** The server sends a copy's callback again, with the copy's own bytes. */
export async function checkResend(nodes: Ports, key: string, id: string, sink: Sink): Promise<void> {
  await sink.expect(1)
  await ask(nodes, key, 'POST', `/v1/tasks/${id}/resend`, 202)
  checkArrivals(await sink.collect(SETTLE_MS), new Set([id]))
}

async function deliveryOf(nodes: Ports, key: string, task_id: string): Promise<Delivery> {
  const { data } = await ask<{ data: { id: string }[] }>(
    nodes,
    key,
    'GET',
    `/v1/deliveries?task_id=${task_id}`,
  )
  return ask<Delivery>(nodes, key, 'GET', `/v1/deliveries/${data[0]?.id}`)
}

async function untilDelivery(
  nodes: Ports,
  key: string,
  task_id: string,
  isReady: (delivery: Delivery) => boolean,
): Promise<void> {
  const until = Date.now() + SETTLE_MS
  while (!isReady(await deliveryOf(nodes, key, task_id))) {
    check(Date.now() < until, `the delivery of ${task_id} did not come to be as it should`)
    await sleep(POLL_MS)
  }
}
