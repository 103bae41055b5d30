// What became of a mail, from what its server said or from the error that the SMTP client made of it.
import { judgeReply } from '../domain/mail.ts'
import { classifyError, SendError, unanswered, type Outcome } from '../domain/outcome.ts'
import { bodyText } from './answer.ts'

/** How much a reply may have, in bytes. */
export const REPLY_BYTES = 16 * 1024

const TO_THE_MAIL = new Set(['MAIL FROM', 'RCPT TO', 'DATA'])

/** The outcome of a mail that was taken. */
export const accepted = (reply: string, remote_address: string | null): Outcome =>
  replied('delivered', { reply, error: null, remote_address })

/** The outcome of an error that the SMTP client, TLS, the connection or we ourselves made. */
export function failed(error: unknown, remote_address: string | null): Outcome {
  const { code, originalCode, response, command } = factsOf(error)
  if (response !== undefined && /^\d{3}/.test(response)) return answered(response, command, remote_address)
  const cause = originalCode === undefined ? error : Object.assign(new Error(), { code: originalCode })
  if (cause instanceof SendError || originalCode !== undefined) {
    const { kind, error: sentence } = classifyError(cause)
    return unanswered(kind, sentence, remote_address)
  }
  switch (code) {
    case 'ECONNECTION':
    case 'ESOCKET':
      return unanswered(
        'connection',
        'The mail server closed the connection before it answered.',
        remote_address,
      )
    case 'ETIMEDOUT':
      return unanswered('timeout', 'The mail server did not answer in time.', remote_address)
    case 'ETLS':
      return unanswered('tls', 'The mail server broke off the TLS handshake.', remote_address)
    case 'EPROTOCOL':
      return unanswered('protocol', 'The answer is not valid SMTP, or too long.', remote_address)
    default:
      return unanswered(
        'protocol',
        `The mail could not be handed over (${code ?? String(error)}).`,
        remote_address,
      )
  }
}

function answered(reply: string, command: string, remote_address: string | null): Outcome {
  const kind = judgeReply(Number(reply.slice(0, 3)), TO_THE_MAIL.has(command) ? 'mail' : 'session')
  // Such a reply may repeat the user's name, and the log of attempts is for customers.
  if (command.startsWith('AUTH')) {
    const error = 'The mail server did not accept the user and password of RINGBACK_SMTP_URL.'
    return { ...replied(kind, { reply, error, remote_address }), response_body: null }
  }
  const where = command === 'CONN' ? 'The mail server sent us away' : `The mail server refused ${command}`
  return replied(kind, { reply, error: `${where}.`, remote_address })
}

function replied(
  kind: 'delivered' | 'refused' | 'deferred',
  { reply, error, remote_address }: { reply: string; error: string | null; remote_address: string | null },
): Outcome {
  return {
    kind,
    status: Number(reply.slice(0, 3)),
    retry_after_ms: null,
    response_headers: null,
    response_body: bodyText([Buffer.from(reply)], REPLY_BYTES),
    truncated: false,
    remote_address,
    error,
  }
}

/** What the SMTP client tells of an error; `originalCode` is that of the socket or of TLS. */
function factsOf(error: unknown) {
  const fields = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {}
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined)
  return {
    code: text('code'),
    originalCode: text('originalCode'),
    response: text('response'),
    command: text('command') ?? '',
  }
}
