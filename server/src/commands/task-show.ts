// `ringback task show`: the story of one task, from what the API tells of it, its events, arrivals and deliveries.
import { print as printJson, verbatim } from '../domain/json.ts'
import { checkIds } from './client/command.ts'
import { everyRow, exchange } from './client/exchange.ts'
import type { Story } from './client/moments.ts'
import { serverOf, serverOptions, type Server } from './client/server.ts'
import { timeline } from './client/timeline.ts'
import { defineCommand, jsonOption } from './command.ts'
import { screenOf } from './screen.ts'

export const taskShow = defineCommand({
  name: 'task show',
  summary: 'Shows the story of a task: what came in, what went out, every attempt, and those planned.',
  args: [{ name: 'TASK' }],
  settings: [],
  options: { json: jsonOption, ...serverOptions('project') },
  async run(flags, args) {
    checkIds(args)
    const story = await readStory(serverOf(flags, process.env, 'project'), args[0] ?? '')
    if (flags['json'] === true) return console.log(jsonOf(story))
    console.log(timeline(story, screenOf(process.stdout, process.env), Date.now()))
  },
})

async function readStory(server: Server, id: string): Promise<Story> {
  const task = await exchange(server, ({ tasks }) => tasks.get(id))
  const events = await everyRow(server, ({ tasks }, page) => tasks.events(id, page))
  const arrivals = await everyRow(server, ({ tasks }, page) => tasks.arrivals(id, page))
  const rows = await everyRow(server, ({ tasks }, page) => tasks.deliveries(id, page))
  const deliveries: string[] = []
  for (const row of rows) {
    const delivery = JSON.parse(row) as { id: string }
    deliveries.push(await exchange(server, (client) => client.deliveries.get(delivery.id)))
  }
  return { task, events, arrivals, deliveries }
}

const jsonOf = ({ task, events, arrivals, deliveries }: Story): string =>
  printJson({
    task: verbatim(task),
    events: events.map(verbatim),
    arrivals: arrivals.map(verbatim),
    deliveries: deliveries.map(verbatim),
  })
