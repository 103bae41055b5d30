// The bytes of one mail. The JSON goes out as quoted-printable, or base64 where it is long, since mail servers may wrap or cut the long
// lines that JSON is made of; who decodes it has the bytes of the callback again. Nothing here trusts a text: addresses are objects that are not
// parsed again, and the library makes a space of each line break in a header.
import MimeNode from 'nodemailer/lib/mime-node'

// Nobody reads more than that in the source of a mail. 900,000 letters with accents take 77 ms to print as quoted, and are 5.6 MB then;
// as base64 9 ms and 2.5 MB (measured).
const READABLE_CHARS = 16_384

export type MailMessage = {
  /** From the headers: it names the mail for who keeps it. */
  id: string
  from: string
  to: string
  bytes: Buffer
}

/**
 * Makes a mail. Its headers are those given, `message-id` without its domain, and what every mail of a program has; `now` is
 * in milliseconds.
 */
export async function makeMail({
  from,
  to,
  headers: { 'message-id': id = '', ...headers },
  body,
  now,
}: {
  from: string
  to: string
  headers: Record<string, string>
  body: string
  now: number
}): Promise<MailMessage> {
  const node = new MimeNode('text/plain; charset=utf-8', {
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: 'win',
  })
  node.setHeader({
    from: { address: from },
    to: { address: to },
    date: new Date(now),
    'message-id': `<${id}${from.slice(from.lastIndexOf('@'))}>`,
    // Keeps absence notes away (RFC 3834).
    'auto-submitted': 'auto-generated',
    'content-transfer-encoding': body.length > READABLE_CHARS ? 'base64' : 'quoted-printable',
    ...headers,
  })
  return { id, from, to, bytes: await node.setContent(body).build() }
}
