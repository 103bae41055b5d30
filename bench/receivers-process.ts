// The soak's hold on the process of its receivers.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Accepted, Receiver, ReceiversMessage } from './receivers.ts'

export type Receivers = {
  urls: Record<Receiver, string>
  /** From now on tells this listener, and no other, of each callback that was accepted. */
  listen(onAccepted: (accepted: Accepted) => void): void
  stop(): Promise<void>
}

/** Starts the receivers on free ports of the loopback address. */
export async function startReceivers(): Promise<Receivers> {
  const child = fork(fileURLToPath(new URL('receivers.ts', import.meta.url)))
  const { promise: listening, resolve } = Promise.withResolvers<Record<Receiver, string>>()
  let listener: (accepted: Accepted) => void = () => {}
  child.on('message', (message: ReceiversMessage) => {
    if (message.kind === 'listening') resolve(message.urls)
    else for (const one of message.accepted) listener(one)
  })
  return {
    urls: await listening,
    listen(onAccepted) {
      listener = onAccepted
    },
    async stop() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}
