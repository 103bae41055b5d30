// E-mail as a destination: where mails are handed over, and what a mail server's reply means. The codes look like HTTP
// statuses and mean something else: 5xx of a mail server says never, while of a web server it says not now.
import type { OutcomeKind } from './outcome.ts'

/** A mail server that takes our mails; `secure` is TLS from the start, `auth` null is no login. */
export type MailServer = {
  kind: 'server'
  host: string
  port: number
  secure: boolean
  auth: { user: string; pass: string } | null
}

/** Where mails are handed over: to a server, or as files into a folder. */
export type MailPlace = MailServer | { kind: 'folder'; folder: string }

const PORTS: Record<string, number> = { 'smtp:': 587, 'smtps:': 465 }

/**
 * Reads `smtp://user:password@host:port`, `smtps://…` or `file:folder`; undefined for anything else. What stands in the URL
 * besides is refused too, since nobody would read it. The folder is as it was given.
 */
export function parseMailUrl(text: string): MailPlace | undefined {
  if (/^file:./i.test(text)) {
    const folder = text.slice('file:'.length).replace(/^\/\/(?=\/)/, '')
    return folder.startsWith('//') ? undefined : { kind: 'folder', folder }
  }
  const url = URL.parse(text)
  const port = PORTS[url?.protocol ?? '']
  if (url === null || port === undefined || url.hostname === '') return undefined
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') return undefined
  const user = decoded(url.username)
  const pass = decoded(url.password)
  if (user === undefined || pass === undefined || (user === '') !== (pass === '')) return undefined
  return {
    kind: 'server',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? port : Number(url.port),
    secure: url.protocol === 'smtps:',
    auth: user === '' ? null : { user, pass },
  }
}

/** The text without percent signs; undefined if they are wrong, or hide a control character. */
function decoded(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text)
    return /\p{Cc}/u.test(plain) ? undefined : plain
  } catch {
    return undefined
  }
}

// Bad sequence, and everything about logging in and encryption (RFC 4954 §6, RFC 3207 §4).
const ABOUT_THE_SESSION = new Set([503, 530, 534, 535, 538])

/**
 * What a reply that is no 2xx means. 5xx to this very mail (`to` its sender, recipient or content) is the server's last word;
 * one to the session (greeting, encryption, login) is for the operator to mend, and no mail must be lost by it.
 */
export function judgeReply(
  code: number,
  to: 'session' | 'mail',
): Extract<OutcomeKind, 'deferred' | 'refused'> {
  return to === 'mail' && code >= 500 && !ABOUT_THE_SESSION.has(code) ? 'refused' : 'deferred'
}
