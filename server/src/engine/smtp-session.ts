// One connection to a mail server and at most one mail over it. The connection is opened by our own connector (left alone, the
// SMTP client resolves names in the shared thread pool), and a session ends exactly once: by the server's word on the mail,
// by an error, or because it is told to stop.
import type { Socket } from 'node:net'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { MailServer } from '../domain/mail.ts'
import { unanswered, type Outcome } from '../domain/outcome.ts'
import type { Connect } from './connector.ts'
import type { MailMessage } from './mail-message.ts'
import { accepted, failed, REPLY_BYTES } from './mail-outcome.ts'

export type Session = {
  outcome: Promise<Outcome>
  /** Ends it as `unknown`, should it still be under way. */
  stop(): void
}

// For the server's goodbye; then the connection is destroyed.
const QUIT_MS = 1000

/**
 * Connects, greets, encrypts if that is offered, logs in, and hands over `mail`; null does all but that. `timeout_ms` is for
 * everything together. A certificate must be trusted, and a password leaves this machine over an encrypted connection only.
 */
export function startSession({
  server,
  mail,
  timeout_ms,
  connect,
}: {
  server: MailServer
  mail: MailMessage | null
  timeout_ms: number
  connect: Connect
}): Session {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  let connection: SMTPConnection | undefined
  let remote_address: string | null = null
  let ended = false

  const timer = setTimeout(() => {
    const what =
      connection === undefined ? 'The connection was not established' : 'The mail server did not answer'
    end(unanswered('timeout', `${what} within ${timeout_ms} ms.`, remote_address))
  }, timeout_ms)
  const address = { hostname: server.host, protocol: 'smtp:', port: String(server.port) }
  const cancelConnect = connect(address, (opened) => {
    if (opened instanceof Error) return fail(opened)
    if (ended) return void opened.socket.destroy()
    remote_address = opened.address
    connection = converse(opened.socket)
  })

  function end(outcome: Outcome): void {
    if (ended) return
    ended = true
    clearTimeout(timer)
    cancelConnect()
    if (outcome.kind === 'delivered') connection?.quit()
    connection?.close()
    resolve(outcome)
  }

  const fail = (error: unknown) => end(failed(error, remote_address))

  function converse(opened: Socket): SMTPConnection {
    const { host, port, secure, auth } = server
    const smtp = new SMTPConnection({
      connection: opened,
      host,
      port,
      secure,
      requireTLS: auth !== null && !isLoopback(remote_address),
      // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED=0 would otherwise switch it off.
      tls: { rejectUnauthorized: true },
      // Never before our own timer, which tells who was waited for and how long.
      connectionTimeout: 2 * timeout_ms,
      greetingTimeout: 2 * timeout_ms,
      socketTimeout: 2 * timeout_ms,
      socketCloseTimeout: QUIT_MS,
      maxResponseSize: REPLY_BYTES,
    })
    const handOver = () => {
      if (mail === null) return end(accepted(smtp.lastServerResponse || '', remote_address))
      smtp.send({ from: mail.from, to: mail.to }, mail.bytes, (error, info) => {
        if (error) return fail(error)
        end(accepted(info.response, remote_address))
      })
    }
    // Stays for the connection's life: an error after the end would be thrown.
    smtp.on('error', fail)
    smtp.connect((error) => {
      if (error) return fail(error)
      if (auth === null || !smtp.allowsAuth) return handOver()
      smtp.login({ credentials: auth }, (error) => (error ? fail(error) : handOver()))
    })
    return smtp
  }

  return { outcome: promise, stop: () => end(unanswered('unknown', 'stopped', remote_address)) }
}

const isLoopback = (address: string | null) =>
  address !== null && /^(?:127\.|::1$|::ffff:127\.)/.test(address)
