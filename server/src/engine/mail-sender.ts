// Sends one mail and tells how it ended, as the HTTP sender does of requests: to the operator's mail server, over a connection
// for each mail, or into a folder. Where the operator named neither, every mail waits until there is one.
import { parseTarget } from '../domain/destination.ts'
import type { MailPlace } from '../domain/mail.ts'
import { unanswered, type Outcome } from '../domain/outcome.ts'
import type { Connect } from './connector.ts'
import { probeFolder, writeMail } from './mail-folder.ts'
import { makeMail, type MailMessage } from './mail-message.ts'
import type { Sender } from './senders.ts'
import { startSession, type Session } from './smtp-session.ts'

export type MailSender = Sender & {
  /** Does all but sending a mail: the folder can be written, or the server greets us and takes our password. */
  probe(timeout_ms: number): Promise<Outcome>
}

export type MailSenderOptions = {
  place: MailPlace
  /** The address that mails come from. */
  from: string
  /** Opens the connections; where they may lead is the operator's business, so it needs no guard. */
  connect: Connect
  /** Wall clock in milliseconds. */
  now?: () => number
}

/** Makes a sender; it holds sockets, so close it. */
export function createMailSender({ place, from, connect, now = Date.now }: MailSenderOptions): MailSender {
  const sessions = new Set<Session>()
  let closed = false

  async function handOver(mail: MailMessage | null, timeout_ms: number): Promise<Outcome> {
    if (closed) return unanswered('unknown', 'stopped')
    if (place.kind === 'folder')
      return mail === null ? probeFolder(place.folder) : writeMail(place.folder, mail)
    const session = startSession({ server: place, mail, timeout_ms, connect })
    sessions.add(session)
    const outcome = await session.outcome
    sessions.delete(session)
    return outcome
  }

  return {
    async send({ url, headers, body, timeout_ms }) {
      const target = parseTarget(url)
      if (target.kind !== 'mail') throw new TypeError('The target is no e-mail address.')
      return handOver(await makeMail({ from, to: target.address, headers, body, now: now() }), timeout_ms)
    },
    probe: (timeout_ms) => handOver(null, timeout_ms),
    async close() {
      closed = true
      for (const session of sessions) session.stop()
    },
  }
}

/** The sender of a server that sends no mail: what was promised when it still did is tried until there is one again. */
export const noMailSender: Sender = {
  send: async () => unanswered('connection', 'This server sends no e-mail until RINGBACK_SMTP_URL is set.'),
  close: async () => {},
}
