// Which sender a delivery goes by: the one table from kinds of targets to senders.
import { targetKind, type Target } from '../domain/destination.ts'
import type { Outcome } from '../domain/outcome.ts'

/** One attempt of a delivery: its headers are those of the request or of the mail, with names in lower case. */
export type Sending = {
  url: string
  /** The id of the destination. */
  lane: string
  headers: Record<string, string>
  body: string
  timeout_ms: number
}

export type Sender = {
  /** Sends; whatever the other side does is an Outcome. Rejects for what could never be sent. */
  send(sending: Sending): Promise<Outcome>
  /** Ends what is under way as `unknown` and closes every socket. Later sends end as `unknown` at once. */
  close(): Promise<void>
}

/** Makes one sender of those for each kind of target. */
export function createSenders(senders: Record<Target['kind'], Sender>): Sender {
  return {
    send: (sending) => senders[targetKind(sending.url)].send(sending),
    async close() {
      await Promise.all(Object.values(senders).map((sender) => sender.close()))
    },
  }
}
