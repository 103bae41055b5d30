// `ringback demo`: a story played against the running `dev` server, told as it happens. Everything in it is a real request;
// the tasks stay on the server, to be looked at.
import { clientOf } from './client/exchange.ts'
import { serverOf, serverOptions } from './client/server.ts'
import { printStory, readStory } from './client/story.ts'
import { defineCommand, jsonOption } from './command.ts'
import { playStory } from './demo/story.ts'
import { createStage, emptyHouse } from './demo/stage.ts'
import { screenOf } from './screen.ts'

// The first two retries of a project that has not changed its policy come within 14 s.
const LIMIT_MS = 60_000

export const demo = defineCommand({
  name: 'demo',
  summary: 'Plays a story of three tasks against the running `dev` server, in about 20 seconds.',
  settings: [],
  options: {
    json: { ...jsonOption, doc: 'Tell nothing; print the stories of the tasks as JSON.' },
    quiet: { type: 'boolean', doc: 'Tell nothing; print the ids of the tasks, one a line.' },
    ...serverOptions('project'),
  },
  async run(flags) {
    const server = serverOf(flags, process.env, 'project')
    const untold = flags['json'] === true || flags['quiet'] === true
    const stage = untold ? emptyHouse : createStage(process.stdout, screenOf(process.stdout, process.env))
    const ids = await playStory({ client: clientOf(server), url: server.url, stage, limit_ms: LIMIT_MS })
    if (flags['json'] === true) {
      const stories = await Promise.all(ids.map((id) => readStory(server, id)))
      return console.log(`[${stories.map(printStory).join(',')}]`)
    }
    if (flags['quiet'] === true) console.log(ids.join('\n'))
  },
})
