// `ringback task show`: the story of one task as a timeline.
import { checkIds } from './client/command.ts'
import { serverOf, serverOptions } from './client/server.ts'
import { printStory, readStory } from './client/story.ts'
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
    if (flags['json'] === true) return console.log(printStory(story))
    console.log(timeline(story, screenOf(process.stdout, process.env), Date.now()))
  },
})
