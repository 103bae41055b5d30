// `ringback arrival …`: requests that reached an inbound URL. `ringback task show` lists those of a task.
import { clientCommand } from './client/command.ts'
import type { Command } from './command.ts'

export const arrivalCommands: readonly Command[] = [
  clientCommand({
    name: 'arrival apply',
    summary: 'Completes a task with the body of a request that came too early, too late or second.',
    args: [{ name: 'ARRIVAL' }],
    call: (client, { args: [id = ''] }) => client.arrivals.apply(id),
  }),
]
