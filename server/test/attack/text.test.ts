// Attacks by text that wants to become a line of its own: in the head of a request, or in a mail.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMailServer, startScriptedMailServer } from '../support/mail-server.ts'
import { using } from '../support/sender.ts'
import { ok, redirect, startHostile, startServer, type RunningServer } from './running-server.ts'

/** Endings that some parser takes for the end of a line, or of a text. */
const breaks = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  '\u000b',
  '\u000c',
  '\u001b',
  '\u007f',
  '\u0085',
  '\u2028',
  '\u010a',
]

/** The names of a request's headers, in lower case; a line without a name is told as it is. */
function headerNames(request: string): string[] {
  const [head = ''] = request.split('\r\n\r\n')
  const [, ...lines] = head.split('\r\n')
  return lines.map((line) => /^([\w-]+):/.exec(line)?.[1]?.toLowerCase() ?? line)
}

test('no value or name of a header that a customer gives can hold a line break or another control', async (t) => {
  const server = await startServer(t)
  const { live_key } = await server.createProject('asyncqueue')
  const queue = { authorization: `Bearer ${live_key}` }
  const url = 'http://127.0.0.2:8080/'
  const posts: Record<string, (text: string) => Promise<{ status: number; text: string }>> = {
    'native value': (text) =>
      server.call('POST', '/v1/tasks', { request: { url, headers: { 'x-a': `a${text}b: c` } } }),
    'native name': (text) =>
      server.call('POST', '/v1/tasks', { request: { url, headers: { [`x-a${text}b`]: 'c' } } }),
    'native token': (text) => server.call('POST', '/v1/tokens', { name: 't', value: `a${text}b: c` }),
    'asyncqueue value': (text) =>
      server.ask('POST', '/asyncqueue/v1/tasks', {
        headers: queue,
        json: { targetUrl: url, headers: { 'x-a': `a${text}b: c` } },
      }),
    'asyncqueue name': (text) =>
      server.ask('POST', '/asyncqueue/v1/tasks', {
        headers: queue,
        json: { targetUrl: url, headers: { [`x-a${text}b`]: 'c' } },
      }),
    'asyncqueue token': (text) =>
      server.ask('POST', '/asyncqueue/v1/tokens', {
        headers: queue,
        json: { name: 't', value: `a${text}b: c` },
      }),
  }
  for (const [what, post] of Object.entries(posts)) {
    const { status, text: said } = await post('-')
    assert.ok(status < 300, `${what}: ${said}`)
    for (const text of breaks) {
      // U+0085 is a byte of its own in a header, as any letter of Latin-1 is.
      if (text === '\u0085' && !what.endsWith('name')) continue
      const { status, text: said } = await post(text)
      assert.equal(status, 400, `${what} ${JSON.stringify(text)}: ${said}`)
    }
  }
})

test('a header that frames a request cannot be given', async (t) => {
  const { call } = await startServer(t)
  for (const name of [
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'Connection',
    'Upgrade',
    'TE',
    'Expect',
    'Proxy-Authorization',
  ]) {
    const request = { url: 'http://127.0.0.2:8080/', headers: { [name]: 'x' } }
    assert.equal((await call('POST', '/v1/tasks', { request })).status, 400, name)
  }
})

test('a callback URL is one request line, whatever stands in its user, path and query', async (t) => {
  const { call, deliver } = await startServer(t)
  const receiver = await startHostile(t, (socket) => socket.write(ok('')))
  const honest = headerNames((await deliver(receiver.url), receiver.requests[0] ?? ''))
  for (const text of breaks) {
    const encoded = encodeURIComponent(`x${text}evil: 1${text}${text}GET /`)
    const at = receiver.url.replace('http://', '')
    const urls = [
      `http://${encoded}:${encoded}@${at}/`,
      `${receiver.url}/${encoded}`,
      `${receiver.url}/?${encoded}`,
    ]
    for (const url of urls) {
      receiver.requests.length = 0
      assert.equal((await deliver(url)).outcome.kind, 'delivered')
      assert.equal(receiver.requests.length, 1)
      const names = headerNames(receiver.requests[0] ?? '').filter((name) => name !== 'authorization')
      assert.deepEqual(names, honest, url)
    }
    const raw = await call('POST', '/v1/tasks', { callback_url: `${receiver.url}/a${text}b` })
    if (text <= ' ' || text === '\u007f') assert.equal(raw.status, 400, JSON.stringify(text))
  }
})

test('what a provider answers does not break the line of a poll or of a redirect', async (t) => {
  const { callTarget } = await startServer(t)
  const id = 'x HTTP/1.1\r\nevil: 1\r\n\r\nGET /../../admin?a#b'
  const provider = await startHostile(t, (socket) => socket.write(ok(JSON.stringify({ id, s: 'd' }))))
  const poll = { status_path: 's', done_values: ['d'], fail_values: [], interval_s: 1 }
  const url_template = `${provider.url}/{startResult.body.id}/status`
  assert.equal(
    (await callTarget({ url: provider.url }, { poll: { ...poll, url_template } })).status,
    'completed',
  )
  assert.equal(
    provider.requests[1]?.split('\r\n')[0],
    'GET /x%20HTTP%2F1.1%0D%0Aevil%3A%201%0D%0A%0D%0AGET%20%2F..%2F..%2Fadmin%3Fa%23b/status HTTP/1.1',
  )
  assert.ok(!headerNames(provider.requests[1] ?? '').includes('evil'))
  const places = ['/a b HTTP/1.1', '/a\tb', '/\u00e9\u0080', '//', '?{}|^`', 'http://a b/']
  for (const place of places) {
    const redirecting = await startHostile(t, (socket, request) =>
      socket.write(request.includes('POST ') ? Buffer.from(redirect(place), 'latin1') : ok('{}')),
    )
    await callTarget({ url: redirecting.url })
    for (const request of redirecting.requests) assert.match(request, /^\S+ \S+ HTTP\/1\.1\r\n/)
  }
})

const mailing = (port: number) => ({
  'smtp-url': `smtp://127.0.0.1:${port}`,
  'smtp-from': 'callbacks@ring.test',
})

/** A task's mail goes out; gives how that ended. */
const mail = async ({ deliver }: RunningServer, task: object = {}) =>
  (await deliver('joe@mail.test', task)).outcome

test('an address that is more than one mailbox, or one inside, is not taken', async (t) => {
  const server = await using(t, startMailServer())
  const { call, must } = await startServer(t, { flags: mailing(server.port) })
  await must('POST', '/v1/tasks', { callback_url: 'joe@mail.test' })
  const addresses = [
    ...breaks.slice(0, 10).map((text) => `joe${text}RCPT TO:<eve@mail.test>@mail.test`),
    ...breaks.slice(0, 10).map((text) => `mailto:joe${encodeURIComponent(`${text}Bcc: eve`)}@mail.test`),
    ...breaks.map((text) => `joe@mail.test${text}`),
    'joe@mail.test,eve@mail.test',
    'joe@mail.test;eve@mail.test',
    'Joe <joe@mail.test>',
    '<joe@mail.test>',
    'mailto:joe@mail.test?bcc=eve@mail.test',
    'mailto:joe@mail.test?subject=x',
    '"joe eve"@mail.test',
    'joe(comment)@mail.test',
    'root@localhost',
    'root@mail.localhost',
    'root@mailhost',
    'root@127.0.0.1',
    'root@[127.0.0.1]',
    'root@2130706433',
    '@mail.test',
    'joe@',
  ]
  for (const callback_url of addresses) {
    const { status, body } = await call('POST', '/v1/tasks', { callback_url })
    assert.equal(status, 400, JSON.stringify(callback_url))
    // NUL is refused in whatever text.
    assert.match(body.code, callback_url.includes('\0') ? /^invalid_request$/ : /^invalid_callback_url$/)
  }
})

test('no text of a task becomes a header of its mail', async (t) => {
  const relay = await using(t, startMailServer())
  const server = await startServer(t, { flags: mailing(relay.port) })
  assert.equal((await mail(server)).kind, 'delivered')
  for (const text of breaks.filter((text) => text !== '\0')) {
    const hostile = `x${text}Bcc: eve@mail.test${text}${text}.${text}QUIT`
    const more = { type: hostile, unique_id: hostile, metadata: { [hostile]: hostile } }
    assert.equal((await mail(server, more)).kind, 'delivered')
  }
  const nul = await server.call('POST', '/v1/tasks', { unique_id: 'a\0b' })
  assert.equal(nul.status, 400)
  const [first, ...others] = relay.mails.map(({ text }) => headerNames(`MAIL\r\n${text}`))
  assert.equal(others.length, breaks.length - 1)
  for (const names of others) assert.deepEqual(names, first)
  for (const { to } of relay.mails) assert.deepEqual(to, ['joe@mail.test'])
})

test('a mail server that hangs, drips or never ends its replies costs one attempt and no connection', async (t) => {
  const acts: [name: string, answer: Parameters<typeof startScriptedMailServer>[0]][] = [
    ['silence', () => undefined],
    [
      'an endless greeting',
      (line, socket) => {
        const more = () => {
          while (socket.writable && socket.write('220-x\r\n'.repeat(1000)));
        }
        if (line === '') socket.on('drain', more)
        return line === '' ? '220-x\r\n'.repeat(5000) : undefined
      },
    ],
    [
      'a line without an end',
      (line, socket) => {
        const more = () => {
          while (socket.writable && socket.write('x'.repeat(10_000)));
        }
        if (line === '') socket.on('drain', more)
        return line === '' ? `220 ${'x'.repeat(100_000)}` : undefined
      },
    ],
    [
      'a reply that drips',
      (_line, socket) => {
        const timer = setInterval(() => socket.write('2'), 20)
        socket.on('close', () => clearInterval(timer))
        return undefined
      },
    ],
    [
      'silence after DATA',
      (line) => (line === '' ? '220 hi' : line.startsWith('DATA') ? undefined : '250 ok'),
    ],
  ]
  for (const [name, answer] of acts) {
    await t.test(name, async (t) => {
      const relay = await using(t, startScriptedMailServer(answer))
      const outcome = await mail(await startServer(t, { flags: mailing(relay.port) }))
      assert.ok(['timeout', 'protocol'].includes(outcome.kind), `${outcome.kind} ${outcome.error}`)
      assert.ok((outcome.response_body ?? '').length <= 16 * 1024)
    })
  }
})
