// The story of one task, from what the API tells of it, its calls, events, arrivals and deliveries; every part stays the
// text of its answer.
import { print, verbatim } from '../../domain/json.ts'
import { everyRow, exchange } from './exchange.ts'
import type { Story } from './moments.ts'
import type { Server } from './server.ts'

/** Reads all there is on a task, deliveries with their attempts. */
export async function readStory(server: Server, id: string): Promise<Story> {
  const task = await exchange(server, ({ tasks }) => tasks.get(id))
  const attempts = await everyRow(server, ({ tasks }, page) => tasks.attempts(id, page))
  const events = await everyRow(server, ({ tasks }, page) => tasks.events(id, page))
  const arrivals = await everyRow(server, ({ tasks }, page) => tasks.arrivals(id, page))
  const rows = await everyRow(server, ({ tasks }, page) => tasks.deliveries(id, page))
  const deliveries: string[] = []
  for (const row of rows) {
    const delivery = JSON.parse(row) as { id: string }
    deliveries.push(await exchange(server, (client) => client.deliveries.get(delivery.id)))
  }
  return { task, attempts, events, arrivals, deliveries }
}

/** A story as one JSON object. */
export const printStory = ({ task, attempts, events, arrivals, deliveries }: Story): string =>
  print({
    task: verbatim(task),
    attempts: attempts.map(verbatim),
    events: events.map(verbatim),
    arrivals: arrivals.map(verbatim),
    deliveries: deliveries.map(verbatim),
  })
