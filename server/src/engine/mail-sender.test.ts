// Mails over real connections to real mail servers, and into a real folder.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { startMailServer, startScriptedMailServer, reply } from '../../test/support/mail-server.ts'
import { selfSigned } from '../../test/support/self-signed.ts'
import { using } from '../../test/support/sender.ts'
import { parseMailUrl } from '../domain/mail.ts'
import { createOpenConnect } from './egress.ts'
import { createMailSender, noMailSender } from './mail-sender.ts'
import { createResolver } from './resolver.ts'
import type { Sending } from './senders.ts'

function startSender(t: TestContext, url: string) {
  const resolver = createResolver({ hosts: { find: async () => undefined }, servers: ['127.0.0.1:9'] })
  const sender = createMailSender({
    place: parseMailUrl(url)!,
    from: 'callbacks@ring.test',
    connect: createOpenConnect(resolver),
    now: () => Date.UTC(2030, 0, 1),
  })
  t.after(async () => {
    await sender.close()
    resolver.close()
  })
  const send = (sending: Partial<Sending> = {}) =>
    sender.send({
      lane: 'a',
      url: 'joe@mail.test',
      headers: { subject: 'task.completed of task t', 'message-id': 'd1' },
      body: '{}',
      timeout_ms: 5000,
      ...sending,
    })
  return { sender, send }
}

/** The header lines and the decoded body of a mail. */
function read(text: string) {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const body = rest
    .join('\r\n\r\n')
    .replace(/\r\n$/, '')
    .replaceAll('=\r\n', '')
    .replaceAll(/(?:=[0-9A-F]{2})+/g, (hex) => Buffer.from(hex.replaceAll('=', ''), 'hex').toString())
  return { head: head.replaceAll(/\r\n[ \t]/g, ' ').split('\r\n'), body }
}

test('a mail is delivered when the server takes it, and its body is the callback byte for byte', async (t) => {
  const server = await using(t, startMailServer())
  const { send } = startSender(t, `smtp://127.0.0.1:${server.port}`)
  const body = `{"n":1950000000000000001,"text":"${'a = b. ü '.repeat(300)}\\n.\\r\\n","dots":"\\n..\\n"}`
  const outcome = await send({ body })
  assert.deepEqual(outcome, {
    kind: 'delivered',
    status: 250,
    retry_after_ms: null,
    response_headers: null,
    response_body: '250 taken',
    truncated: false,
    remote_address: '127.0.0.1',
    error: null,
  })
  const [mail] = server.mails
  assert.deepEqual([mail?.from, mail?.to, mail?.secure], ['callbacks@ring.test', ['joe@mail.test'], false])
  const { head, body: received } = read(mail?.text ?? '')
  assert.equal(received, body)
  assert.deepEqual(head, [
    'From: callbacks@ring.test',
    'To: joe@mail.test',
    'Date: Tue, 01 Jan 2030 00:00:00 +0000',
    'Message-ID: <d1@ring.test>',
    'Auto-Submitted: auto-generated',
    'Content-Transfer-Encoding: quoted-printable',
    'Subject: task.completed of task t',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
  ])
})

test('a long body goes as base64, in short lines, and is the callback byte for byte', async (t) => {
  const server = await using(t, startMailServer())
  const { send } = startSender(t, `smtp://127.0.0.1:${server.port}`)
  const body = `{"n":1950000000000000001,"text":"${'é漢🔔\\n'.repeat(20_000)}"}`
  assert.equal((await send({ body })).kind, 'delivered')
  const [head = '', encoded = ''] = (server.mails[0]?.text ?? '').split('\r\n\r\n')
  assert.match(head, /^Content-Transfer-Encoding: base64$/m)
  assert.ok(encoded.split('\r\n').every((line) => line.length <= 76))
  assert.equal(Buffer.from(encoded, 'base64').toString(), body)
})

test('no text becomes a header, a command or a recipient of its own', async (t) => {
  const server = await using(t, startMailServer())
  const { send } = startSender(t, `smtp://127.0.0.1:${server.port}`)
  // U+010D and U+010A end in the bytes of CR and LF.
  const hostile =
    'x\r\nBcc: eve@mail.test\r\n\r\nč\u010aBcc: eve@mail.test\0\u2028\u0085Bcc: eve@mail.test\r.\r\nQUIT'
  const headers = { subject: hostile, 'message-id': 'd1', 'ringback-task': hostile, 'webhook-id': hostile }
  await send({ headers, body: hostile, url: 'č\u010aBcc.eve%0d%0aRCPT@mail.test' })
  assert.equal(server.mails.length, 1)
  const { to, text } = server.mails[0]!
  assert.deepEqual(to, ['č\u010aBcc.eve%0d%0aRCPT@mail.test'])
  const names = read(text).head.map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
  assert.deepEqual(names.toSorted(), [
    'auto-submitted',
    'content-transfer-encoding',
    'content-type',
    'date',
    'from',
    'message-id',
    'mime-version',
    'ringback-task',
    'subject',
    'to',
    'webhook-id',
  ])
  for (const url of [
    'joe@mail.test\r\nRCPT TO:<eve@mail.test>',
    'mailto:joe%0d%0aDATA@mail.test',
    '<joe@mail.test>',
  ]) {
    await assert.rejects(send({ url }), { code: 'invalid_callback_url' })
  }
})

const refusals: [where: string, kind: string, status: number, body: string | null, error: string][] = [
  ['MAIL', 'deferred', 451, '451 later', 'The mail server refused MAIL FROM.'],
  ['RCPT', 'deferred', 450, '450 later', 'The mail server refused RCPT TO.'],
  ['DATA', 'deferred', 452, '452 later', 'The mail server refused DATA.'],
  ['RCPT', 'refused', 550, '550 no such user', 'The mail server refused RCPT TO.'],
  ['DATA', 'refused', 554, '554 spam', 'The mail server refused DATA.'],
  ['DATA', 'deferred', 421, '421 bye', 'The mail server refused DATA.'],
  ['connection', 'deferred', 421, '421 too many', 'The mail server sent us away.'],
  ['connection', 'deferred', 554, '554 not you', 'The mail server sent us away.'],
]

test('a reply that is no 2xx is kept with its text, and says whether to try again', async (t) => {
  for (const [where, kind, status, body, error] of refusals) {
    await t.test(`${status} to ${where}`, async (t) => {
      const refuse = (_what: unknown, _session: unknown, callback: (error?: Error) => void) =>
        callback(reply(status, (body ?? '').slice(4)))
      const server = await using(
        t,
        startMailServer({
          ...(where === 'connection' ? { onConnect: (_, callback) => refuse(null, null, callback) } : {}),
          ...(where === 'MAIL' ? { onMailFrom: refuse } : {}),
          ...(where === 'RCPT' ? { onRcptTo: refuse } : {}),
          ...(where === 'DATA'
            ? {
                onData(stream, session, callback) {
                  stream.resume()
                  stream.on('end', () => refuse(stream, session, callback))
                },
              }
            : {}),
        }),
      )
      const outcome = await startSender(t, `smtp://127.0.0.1:${server.port}`).send()
      assert.deepEqual(
        [outcome.kind, outcome.status, outcome.error, outcome.remote_address],
        [kind, status, error, '127.0.0.1'],
      )
      assert.match(outcome.response_body ?? '', new RegExp(`^${body}`))
    })
  }
})

/** A server that behaves until a line begins with `word`, and then does what `then` says. */
const until = (word: string, then: (socket: Socket) => string | undefined) => {
  let data = false
  return (line: string, socket: Socket): string | undefined => {
    if (
      data
        ? word === '.' && line === '.'
        : word !== '.' && line.startsWith(word) && (word !== '' || line === '')
    )
      return then(socket)
    if (data && line !== '.') return undefined
    if (line === 'DATA') data = true
    else if (data) data = false
    if (line === 'DATA') return '354 go on'
    if (line === '') return '220 ready'
    return line === 'QUIT' ? '221 bye' : '250 ok'
  }
}

const breaks: [
  what: string,
  at: string,
  then: (socket: Socket) => string | undefined,
  kind: string,
  error: RegExp,
][] = [
  [
    'hangs before it greets',
    '',
    () => undefined,
    'timeout',
    /^The mail server did not answer within 500 ms\.$/,
  ],
  ['hangs at RCPT', 'RCPT', () => undefined, 'timeout', /did not answer within 500 ms/],
  ['hangs after the mail', '.', () => undefined, 'timeout', /did not answer within 500 ms/],
  [
    'drops the connection before it greets',
    '',
    (socket) => void socket.destroy(),
    'connection',
    /closed|reset/,
  ],
  ['drops the connection in the mail', '.', (socket) => void socket.destroy(), 'connection', /closed|reset/],
  ['ends the connection in the mail', '.', (socket) => void socket.end(), 'connection', /closed/],
  ['speaks HTTP', '', () => 'HTTP/1.1 400 Bad Request', 'protocol', /not valid SMTP/],
  ['never ends its reply', 'EHLO', () => `250-${'x'.repeat(20_000)}`, 'protocol', /too long/],
]

test('a server that hangs, breaks off or raves costs one attempt and no connection', async (t) => {
  for (const [what, at, then, kind, error] of breaks) {
    await t.test(what, async (t) => {
      const server = await using(t, startScriptedMailServer(until(at, then)))
      const outcome = await startSender(t, `smtp://127.0.0.1:${server.port}`).send({ timeout_ms: 500 })
      assert.deepEqual([outcome.kind, outcome.status], [kind, null], outcome.error ?? '')
      assert.match(outcome.error ?? '', error)
      const [socket] = server.connections
      if (socket?.closed === false) await once(socket, 'close')
    })
  }
})

test('one that hangs in the TLS handshake loses its connection, too', async (t) => {
  const server = await using(
    t,
    startScriptedMailServer(() => undefined),
  )
  const { kind } = await startSender(t, `smtps://127.0.0.1:${server.port}`).send({ timeout_ms: 500 })
  assert.equal(kind, 'timeout')
  const [socket] = server.connections
  if (socket?.closed === false) await once(socket, 'close')
})

test('one that trickles its reply is cut off at the time-out, too', async (t) => {
  const trickles: NodeJS.Timeout[] = []
  t.after(() => trickles.forEach(clearInterval))
  const server = await using(
    t,
    startScriptedMailServer((line, socket) => {
      if (line === '') trickles.push(setInterval(() => socket.write('220-x\r\n'), 20))
      return undefined
    }),
  )
  const outcome = await startSender(t, `smtp://127.0.0.1:${server.port}`).send({ timeout_ms: 500 })
  assert.equal(outcome.kind, 'timeout')
})

test('who is not there is a failed connection, and a name that does not resolve is one of DNS', async (t) => {
  const server = await startMailServer()
  await server[Symbol.asyncDispose]()
  const { kind, error } = await startSender(t, `smtp://127.0.0.1:${server.port}`).send()
  assert.equal(kind, 'connection')
  assert.match(error ?? '', /refused the connection/)
  const unnamed = await startSender(t, 'smtp://relay.test').send()
  assert.equal(unnamed.kind, 'dns')
})

function trustSelfSigned(t: TestContext): void {
  const authorities = getCACertificates('default')
  setDefaultCACertificates([...authorities, selfSigned.cert])
  t.after(() => setDefaultCACertificates(authorities))
}

test('TLS from the start and STARTTLS are used as offered, and only with a certificate that is trusted', async (t) => {
  const offers: [scheme: string, options: object][] = [
    ['smtps', { secure: true }],
    ['smtp', { disabledCommands: [] }],
  ]
  for (const [scheme, options] of offers) {
    await t.test(`${scheme}: a self-signed certificate is refused before any mail or password`, async (t) => {
      const server = await using(t, startMailServer(options))
      const { send } = startSender(t, `${scheme}://me:secret@127.0.0.1:${server.port}`)
      const { kind, error } = await send()
      assert.equal(kind, 'tls')
      assert.match(error ?? '', /certificate is self-signed \(DEPTH_ZERO_SELF_SIGNED_CERT\)/)
      assert.deepEqual(server.mails, [])
    })
    await t.test(`${scheme}: a trusted one carries the mail and the login`, async (t) => {
      trustSelfSigned(t)
      const server = await using(t, startMailServer(options))
      const { send } = startSender(t, `${scheme}://me%40ring.test:s%3Acret@127.0.0.1:${server.port}`)
      assert.equal((await send()).kind, 'delivered')
      const [mail] = server.mails
      assert.deepEqual([mail?.secure, mail?.user], [true, 'me@ring.test'])
    })
  }
})

test('a wrong password is for the operator to mend: tried again, and its reply is not shown', async (t) => {
  const server = await using(
    t,
    startMailServer({
      allowInsecureAuth: true,
      onAuth: ({ username }, _session, callback) => callback(reply(535, `who is ${username}?`)),
    }),
  )
  const { send, sender } = startSender(t, `smtp://me:secret@127.0.0.1:${server.port}`)
  for (const outcome of [await send(), await sender.probe(5000)]) {
    assert.deepEqual([outcome.kind, outcome.status, outcome.response_body], ['deferred', 535, null])
    assert.equal(outcome.error, 'The mail server did not accept the user and password of RINGBACK_SMTP_URL.')
  }
})

test('a password does not leave this machine without encryption', async (t) => {
  const lines: string[] = []
  const server = await using(
    t,
    startScriptedMailServer((line) => {
      lines.push(line)
      if (line === '') return '220 ready'
      return line.startsWith('EHLO') ? '250-here\r\n250 AUTH PLAIN' : '502 no'
    }),
  )
  // The connection leads here, and looks as if it came from elsewhere.
  const resolver = createResolver()
  t.after(() => resolver.close())
  const connect = createOpenConnect(resolver)
  const sender = createMailSender({
    place: parseMailUrl(`smtp://me:secret@127.0.0.1:${server.port}`)!,
    from: 'callbacks@ring.test',
    connect: (options, opened) =>
      connect(options, (result) =>
        opened(result instanceof Error ? result : { ...result, address: '192.0.2.1' }),
      ),
  })
  const outcome = await sender.send({
    url: 'joe@mail.test',
    lane: 'a',
    headers: {},
    body: '{}',
    timeout_ms: 5000,
  })
  assert.deepEqual(
    [outcome.kind, outcome.status, outcome.error],
    ['deferred', 502, 'The mail server refused STARTTLS.'],
  )
  assert.doesNotMatch(lines.join(), /AUTH/)
})

test('closing ends what is under way as unknown, and nothing is sent after it', async (t) => {
  const server = await using(
    t,
    startScriptedMailServer(() => undefined),
  )
  const { send, sender } = startSender(t, `smtp://127.0.0.1:${server.port}`)
  const sending = send({ timeout_ms: 60_000 })
  while (server.connections.length === 0) await new Promise(setImmediate)
  await sender.close()
  const unknown = { kind: 'unknown', error: 'stopped' }
  for (const { kind, error } of [await sending, await send()]) assert.deepEqual({ kind, error }, unknown)
  assert.equal(server.connections.length, 1)
})

test('into a folder each mail is a file that only its owner reads, and the same mail again is the same file', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'ringback-mail-'))
  t.after(() => rm(parent, { recursive: true }))
  const folder = join(parent, 'new', 'mail')
  const { send, sender } = startSender(t, `file:${folder}`)
  assert.equal((await sender.probe(1000)).kind, 'delivered')
  assert.deepEqual(await readdir(parent), [])
  for (const id of ['d1', 'd1', '../d2']) {
    const { kind, status } = await send({ headers: { subject: id, 'message-id': id }, body: '{"a":1}' })
    assert.deepEqual([kind, status], ['delivered', 250])
  }
  assert.deepEqual((await readdir(folder)).toSorted(), ['d1.eml', 'd2.eml'])
  assert.equal((await stat(join(folder, 'd1.eml'))).mode & 0o777, 0o600)
  const { head, body } = read(await readFile(join(folder, 'd1.eml'), 'utf8'))
  assert.ok(head.includes('Subject: d1') && head.includes('To: joe@mail.test'))
  assert.equal(body, '{"a":1}')

  await writeFile(join(parent, 'file'), '')
  const blocked = startSender(t, `file:${join(parent, 'file')}/mail`)
  for (const { kind, error } of [await blocked.send(), await blocked.sender.probe(1000)]) {
    assert.equal(kind, 'connection')
    assert.match(error ?? '', /could not be written into the folder of RINGBACK_SMTP_URL \(ENOTDIR\)/)
  }
})

test('without a mail server a mail that was promised before waits for one', async () => {
  const { kind, error } = await noMailSender.send({
    lane: 'a',
    url: 'joe@mail.test',
    headers: {},
    body: '',
    timeout_ms: 1,
  })
  assert.equal(kind, 'connection')
  assert.match(error ?? '', /RINGBACK_SMTP_URL/)
})
