// Replays: `ringback delivery replay` starts one and watches it. The job is the server's, so watching can end and begin again
// at any time.
import { setTimeout as delay } from 'node:timers/promises'
import type { Replay, ReplayDeliveries, ReplayStarted } from '@ringback/sdk'
import { replayableStates } from '../domain/replay.ts'
import { checkIds, clientCommand } from './client/command.ts'
import { exchange } from './client/exchange.ts'
import { bodyText, fieldOptions, type Fields } from './client/fields.ts'
import { createProgress } from './client/progress.ts'
import { record } from './client/record.ts'
import { serverOf, serverOptions, type Server } from './client/server.ts'
import { defineCommand, jsonOption, type Command } from './command.ts'
import { screenOf } from './screen.ts'

const ID = [{ name: 'REPLAY' }]
const LOOK_EVERY_MS = 250

const filters: Fields = {
  state: {
    doc: 'Only events whose latest delivery is in this state; failed without it.',
    choices: replayableStates,
  },
  destination: { doc: 'Only those to an origin, an e-mail domain or a destination’s id.' },
  from: { doc: 'Only those whose latest delivery was created at this time or later.', form: 'TIME' },
  to: { doc: 'Only those whose latest delivery was created before this time.', form: 'TIME' },
}

const deliveryReplay = defineCommand({
  name: 'delivery replay',
  summary: 'Sends again what matches, each task’s events in order, and waits until all of it is on its way.',
  settings: [],
  options: {
    ...fieldOptions(filters),
    'dry-run': { type: 'boolean', doc: 'Only count what matches.' },
    json: jsonOption,
    quiet: { type: 'boolean', doc: 'Print the id only, and do not wait.' },
    ...serverOptions('project'),
  },
  async run(flags) {
    const server = serverOf(flags, process.env, 'project')
    const body = JSON.parse(bodyText(filters, flags)) as ReplayDeliveries
    const dry_run = flags['dry-run'] === true
    const answer = await exchange(server, ({ deliveries }) => deliveries.replay({ ...body, dry_run }))
    const { id, count } = JSON.parse(answer) as ReplayStarted
    const json = flags['json'] === true
    if (id === null) return console.log(json ? answer : `${eventsOf(count)} would be sent again.`)
    if (flags['quiet'] === true) return console.log(id)
    if (count === 0 && !json) return console.error('Nothing matches.')
    if (!json) {
      console.error(
        `Sending ${eventsOf(count)} again. This goes on if the command is interrupted; to look again: ringback replay watch ${id}`,
      )
    }
    await watch(server, id, json)
  },
})

const eventsOf = (count: number) => (count === 1 ? '1 event' : `${count} events`)

/** Shows how far a replay is until it is done, and then what became of it. */
async function watch(server: Server, id: string, json: boolean): Promise<void> {
  const look = () => exchange(server, ({ replays }) => replays.get(id))
  let answer = await look()
  const progress = json ? undefined : createProgress(process.stderr, process.env)
  try {
    for (;;) {
      const { state, count, replayed, skipped } = JSON.parse(answer) as Replay
      progress?.show(replayed + skipped, count)
      if (state === 'done') break
      await delay(LOOK_EVERY_MS)
      answer = await look()
    }
  } finally {
    progress?.end()
  }
  console.log(json ? answer : record(answer, screenOf(process.stdout, process.env), Date.now()))
}

export const replayCommands: readonly Command[] = [
  deliveryReplay,
  clientCommand({
    name: 'replay get',
    summary: 'Shows how far a replay is.',
    args: ID,
    call: (client, { args: [id = ''] }) => client.replays.get(id),
  }),
  defineCommand({
    name: 'replay watch',
    summary: 'Waits until a replay has put everything on its way.',
    args: ID,
    settings: [],
    options: { json: jsonOption, ...serverOptions('project') },
    async run(flags, args) {
      checkIds(args)
      await watch(serverOf(flags, process.env, 'project'), args[0] ?? '', flags['json'] === true)
    },
  }),
]
