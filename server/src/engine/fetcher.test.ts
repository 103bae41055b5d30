import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import type { Zone } from '../../test/support/dns-server.ts'
import {
  startEndlessReceiver,
  startRawReceiver,
  startReceiver,
  type Receiver,
} from '../../test/support/receiver.ts'
import { answering, OK, startSender, using } from '../../test/support/sender.ts'
import { FetchError, type FetchBounds, type FetchFailure } from '../dialects/work.ts'
import { createFetcher } from './fetcher.ts'

const BOUNDS: FetchBounds = { max_bytes: 1_000_000, total_ms: 10_000, idle_ms: 5000 }

/** A fetcher that may reach 127.0.0.1 and no other address of this machine. */
async function startFetcher(t: TestContext, { zone = {} }: { zone?: Zone } = {}) {
  const { egress } = await startSender(t, { zone, allow: ['127.0.0.1'] })
  const fetcher = createFetcher({ egress, version: '1.2.3' })
  t.after(() => fetcher.close())

  /** Reads a URL to its end. */
  async function read(url: string, bounds: Partial<FetchBounds> = {}): Promise<string> {
    const pieces: Buffer[] = []
    for await (const piece of fetcher.fetch(url, { ...BOUNDS, ...bounds })) pieces.push(piece)
    return Buffer.concat(pieces).toString()
  }

  /** Reads a URL that cannot be read; how it failed. */
  async function failure(url: string, bounds: Partial<FetchBounds> = {}): Promise<FetchError> {
    try {
      await read(url, bounds)
    } catch (error) {
      assert.ok(error instanceof FetchError, String(error))
      return error
    }
    assert.fail(`${url} was read`)
  }

  async function fails(url: string, reason: FetchFailure, status: number | null): Promise<void> {
    const error = await failure(url)
    assert.deepEqual([error.reason, error.status], [reason, status], `${url}: ${error.message}`)
  }

  return { ...fetcher, read, failure, fails }
}

/** A receiver that redirects each path to what the table says, and answers `done` to the others; it keeps what it saw. */
async function redirecting(t: TestContext, table: Record<string, string>) {
  const seen: { url: string | undefined; headers: IncomingHttpHeaders }[] = []
  const receiver = await using(
    t,
    startReceiver(({ url, headers }, response) => {
      seen.push({ url, headers })
      const location = table[url ?? '']
      if (location === undefined) response.end('done')
      else response.writeHead(302, { location }).end('elsewhere')
    }),
  )
  return { ...receiver, seen }
}

/** A receiver that sends these bytes and no more; `closed` resolves when its connection is. */
async function falling(t: TestContext, bytes: string): Promise<Receiver & { closed: Promise<void> }> {
  const closed = Promise.withResolvers<void>()
  const receiver = await using(
    t,
    startRawReceiver((socket) => {
      socket.on('close', () => closed.resolve())
      socket.write(bytes)
    }),
  )
  return { ...receiver, closed: closed.promise }
}

/** A receiver that writes a few bytes every 10 ms for as long as it is listened to. */
const dripping = (t: TestContext, head: string, drop: string) =>
  using(
    t,
    startRawReceiver((socket) => {
      socket.write(head)
      const drip = setInterval(() => socket.write(drop), 10)
      socket.on('close', () => clearInterval(drip))
    }),
  )

test('a URL is read in pieces as they arrive, with a plain GET', async (t) => {
  const { fetch } = await startFetcher(t)
  const read = Promise.withResolvers<void>()
  const seen: unknown[] = []
  const receiver = await using(
    t,
    startReceiver(({ method, url, headers }, response) => {
      seen.push({ method, url, headers })
      response.write('first')
      void read.promise.then(() => response.end('second'))
    }),
  )
  const pieces: string[] = []
  for await (const piece of fetch(`http://joe:p%40ss@127.0.0.1:${receiver.port}/a?b=c#d`, BOUNDS)) {
    pieces.push(piece.toString())
    read.resolve()
  }
  assert.deepEqual(pieces, ['first', 'second'])
  assert.deepEqual(seen, [
    {
      method: 'GET',
      url: '/a?b=c',
      headers: {
        host: `127.0.0.1:${receiver.port}`,
        connection: 'keep-alive',
        accept: '*/*',
        'accept-encoding': 'identity',
        'user-agent': 'Ringback/1.2.3',
        authorization: `Basic ${btoa('joe:p@ss')}`,
      },
    },
  ])
})

test('five redirects are followed, relative ones too; a sixth and a circle are refused', async (t) => {
  const { read, fails } = await startFetcher(t)
  const { url, seen } = await redirecting(t, {
    '/6': '/5',
    '/5': '4',
    '/4': '/a/3',
    '/a/3': '../2',
    '/2': '?1',
    '/2?1': '/0',
    '/me': '/me',
  })
  assert.equal(await read(`${url}/5`), 'done')
  await fails(`${url}/6`, 'status', 302)
  seen.length = 0
  await fails(`${url}/me`, 'status', 302)
  assert.equal(seen.length, 6)
})

test('the body of a redirect is not waited for: its connection is closed before the next answer', async (t) => {
  const { read } = await startFetcher(t)
  const target = await using(
    t,
    startReceiver((_request, response) => void first.closed.then(() => response.end('done'))),
  )
  const first = await falling(
    t,
    `HTTP/1.1 307 There\r\nlocation: ${target.url}\r\ncontent-length: 9\r\n\r\nhalf`,
  )
  assert.equal(await read(first.url), 'done')
})

test('credentials stay with their origin, and do not come back from another', async (t) => {
  const { read } = await startFetcher(t)
  const other = await redirecting(t, {})
  const table: Record<string, string> = { '/a': '/b', '/b': `${other.url}/c` }
  const first = await redirecting(t, table)
  assert.equal(await read(`http://joe:secret@127.0.0.1:${first.port}/a`), 'done')
  const back = await redirecting(t, { '/': `${first.url}/d` })
  table['/e'] = `${back.url}/`
  table['/f'] = `http://ann:other@127.0.0.1:${other.port}/g`
  assert.equal(await read(`http://joe:secret@127.0.0.1:${first.port}/e`), 'done')
  assert.equal(await read(`http://joe:secret@127.0.0.1:${first.port}/f`), 'done')
  const joe = `Basic ${btoa('joe:secret')}`
  assert.deepEqual(
    [...first.seen, ...back.seen, ...other.seen].map(({ url, headers }) => [url, headers.authorization]),
    [
      ['/a', joe],
      ['/b', joe],
      ['/e', joe],
      ['/d', undefined],
      ['/f', joe],
      ['/', undefined],
      ['/c', undefined],
      ['/g', `Basic ${btoa('ann:other')}`],
    ],
  )
})

test('an address that is not public is refused, given or redirected to', async (t) => {
  const zone = { 'inside.test': ['10.0.0.1'], 'half.test': ['127.0.0.1', '169.254.169.254'] }
  const { fails } = await startFetcher(t, { zone })
  const targets = ['127.0.0.2:1', '[::1]:1', 'localhost:1', '2130706434', 'inside.test', 'half.test:1']
  const table = Object.fromEntries(targets.map((target, i) => [`/${i}`, `http://${target}/`]))
  const { url } = await redirecting(t, table)
  for (const [i, target] of targets.entries()) {
    await fails(`http://${target}/`, 'forbidden', null)
    await fails(`${url}/${i}`, 'forbidden', null)
  }
})

test('only http and https are read, given or redirected to', async (t) => {
  const { fails } = await startFetcher(t)
  for (const url of ['', 'file', '/etc/passwd', 'file:///etc/passwd', 'data:,x', 'ftp://a.test/', 'http://'])
    await fails(url, 'invalid_url', null)
  const table = { '/file': 'file:///etc/passwd', '/data': 'data:,x', '/bad': 'http://[' }
  const { url } = await redirecting(t, table)
  for (const path of Object.keys(table)) await fails(url + path, 'invalid_url', 302)
})

test('an answer that is no 2xx, or leads nowhere, is told with its status', async (t) => {
  const { read, fails } = await startFetcher(t)
  for (const status of ['304 Not Modified', '300 Many', '302 Found', '401 Who', '404 No', '500 Oops']) {
    const { url } = await answering(t, `HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`)
    await fails(url, 'status', Number(status.slice(0, 3)))
  }
  const { url } = await answering(t, `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`)
  assert.equal(await read(url), 'ok')
})

test('a compressed answer is refused, since its size says nothing of what it holds', async (t) => {
  const { fails, read } = await startFetcher(t)
  for (const encoding of ['gzip', 'br', 'identity, gzip']) {
    const { url } = await answering(t, `HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\n\r\nx`)
    await fails(url, 'unreachable', 200)
  }
  const { url } = await answering(
    t,
    'HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\ncontent-length: 1\r\n\r\nx',
  )
  assert.equal(await read(url), 'x')
})

test('what is larger than the bound is refused, by its announcement before a byte is read', async (t) => {
  const { read, failure } = await startFetcher(t)
  const small = await answering(t, 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789')
  assert.equal(await read(small.url, { max_bytes: 10 }), '0123456789')
  assert.equal((await failure(small.url, { max_bytes: 9 })).reason, 'too_large')
  const announced = await falling(t, 'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n')
  const error = await failure(announced.url, { max_bytes: 10 })
  assert.deepEqual(
    [error.reason, error.status, error.message],
    ['too_large', 200, 'The URL holds more than 10 bytes; give a smaller file.'],
  )
  await announced.closed
})

test('a URL that never ends is cut at the bound, and its connection is closed', async (t) => {
  const { fetch } = await startFetcher(t)
  const endless = await using(t, startEndlessReceiver())
  let byteCount = 0
  const reading = (async () => {
    for await (const piece of fetch(endless.url, BOUNDS)) byteCount += piece.length
  })()
  await assert.rejects(reading, { name: 'FetchError', reason: 'too_large', status: 200 })
  assert.ok(byteCount <= BOUNDS.max_bytes && byteCount > BOUNDS.max_bytes / 2, String(byteCount))
  await endless.closed
})

test('what frames an answer is bounded, too, and its connection is closed', async (t) => {
  const { failure } = await startFetcher(t)
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
  for (const [head, unit] of [
    ['', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['HTTP/1.1 200 ', 'OK'],
    [`${chunked}5;`, 'x'],
    [`${chunked}1\r\nx\r\n5;`, 'x'],
  ] as const) {
    const flooding = await using(
      t,
      startRawReceiver((socket) => {
        const piece = unit.repeat(1000)
        const more = () => {
          while (socket.writable && socket.write(piece));
        }
        socket.write(head)
        socket.on('drain', more)
        more()
      }),
    )
    assert.equal((await failure(flooding.url, { max_bytes: 1000 })).reason, 'unreachable', head)
    const [socket] = flooding.connections
    assert.ok((socket?.bytesWritten ?? 0) < 20_000_000, `${socket?.bytesWritten} bytes were taken`)
  }
})

test('interim answers are bounded by their headers, too', async (t) => {
  const { failure } = await startFetcher(t)
  const hint = `HTTP/1.1 103 Early Hints\r\n${'link: a\r\n'.repeat(128)}\r\n`
  const receiver = await answering(t, hint.repeat(2) + OK)
  const error = await failure(receiver.url)
  assert.equal(error.reason, 'unreachable')
  assert.match(error.message, /interim answers without end/)
})

test('a body in very small pieces is read with rests, so that others are not held up', async (t) => {
  const { fetch } = await startFetcher(t)
  const chunks = '1\r\nx\r\n'.repeat(500)
  const receiver = await answering(
    t,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
  )
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let count = 0
  const reading = (async () => {
    for await (const piece of fetch(receiver.url, BOUNDS)) count += piece.length
  })()
  for (const most of [200, 400]) {
    for (let turns = 0; turns < 100; await nextTurn()) if (count >= most) turns++
    assert.equal(count, most)
    t.mock.timers.tick(10)
  }
  await reading
  assert.equal(count, 500)
})

test('silence is bounded, before the answer and amid it', async (t) => {
  const { failure } = await startFetcher(t, { zone: { 'silent.test': 'silent' } })
  for (const [head, status] of [
    ['', null],
    ['HTTP/1.1 200 OK\r\n', null],
    ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n', 200],
    ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', 200],
  ] as const) {
    const { url, closed } = await falling(t, head)
    const error = await failure(url, { idle_ms: 300 })
    assert.deepEqual([error.reason, error.status], ['timeout', status], JSON.stringify(head))
    assert.equal(error.message, "The URL's server said nothing for 300 ms; check it and try again.")
    await closed
  }
  assert.equal((await failure('http://silent.test/', { idle_ms: 300 })).reason, 'timeout')
  const mute = await falling(t, '')
  assert.equal((await failure(`https://127.0.0.1:${mute.port}/`, { idle_ms: 300 })).reason, 'timeout')
  await mute.closed
})

test('headers that drip, and interim answers, do not count as an answer', async (t) => {
  const { failure } = await startFetcher(t)
  for (const [head, drop] of [
    ['HTTP/1.1 200 OK\r\n', 'x-drip: 1\r\n'],
    ['', 'HTTP/1.1 102 Processing\r\n\r\n'],
  ] as const) {
    const { url } = await dripping(t, head, drop)
    assert.equal((await failure(url, { idle_ms: 100 })).reason, 'timeout')
  }
})

test('a body that drips for ever is cut when the whole time is over', async (t) => {
  const { failure } = await startFetcher(t)
  const { url } = await dripping(t, 'HTTP/1.1 200 OK\r\n\r\n', 'x')
  const error = await failure(url, { total_ms: 500 })
  assert.deepEqual([error.reason, error.status], ['timeout', 200])
  assert.match(error.message, /within 500 ms/)
})

test('redirects that each take their time are bounded by the whole time', async (t) => {
  const { failure } = await startFetcher(t)
  const receiver = await using(
    t,
    startReceiver((_request, response) => {
      setTimeout(() => response.writeHead(302, { location: '/' }).end(), 120)
    }),
  )
  const error = await failure(receiver.url, { total_ms: 300, idle_ms: 1000 })
  assert.match(error.message, /within 300 ms/)
})

test('a reader that takes long is not the silence of the other side, but counts in the whole time', async (t) => {
  const { fetch } = await startFetcher(t)
  const { url } = await answering(t, OK)
  for await (const piece of fetch(url, { ...BOUNDS, idle_ms: 500 })) {
    await delay(700)
    assert.equal(piece.toString(), 'ok')
  }
  const half = await falling(t, 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')
  const slow = (async () => {
    for await (const _piece of fetch(half.url, { ...BOUNDS, total_ms: 100 })) await half.closed
  })()
  await assert.rejects(slow, { name: 'FetchError', reason: 'timeout' })
})

test('a reader that leaves the loop closes the connection', async (t) => {
  const { fetch } = await startFetcher(t)
  const { url, closed } = await falling(t, 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')
  for await (const _piece of fetch(url, BOUNDS)) break
  await closed
})

test('a signal stops a fetch that waits, one whose reader is busy, and one that has not begun', async (t) => {
  const { failure, fetch } = await startFetcher(t)
  const waiting = new AbortController()
  const silent = await using(
    t,
    startRawReceiver(() => waiting.abort()),
  )
  assert.equal((await failure(silent.url, { signal: waiting.signal })).reason, 'stopped')
  assert.equal((await failure(silent.url, { signal: AbortSignal.abort() })).reason, 'stopped')
  assert.equal(silent.connections.length, 1)
  const half = await falling(t, 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')
  const busy = new AbortController()
  const reading = (async () => {
    for await (const _piece of fetch(half.url, { ...BOUNDS, signal: busy.signal })) {
      busy.abort()
      await half.closed
    }
  })()
  await assert.rejects(reading, { reason: 'stopped', status: 200 })
})

test('close stops all fetches and waits for their sockets; a later one is stopped at once', async (t) => {
  const { failure, ...fetcher } = await startFetcher(t)
  const half = await falling(t, 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')
  const abandoned = fetcher.fetch(half.url, BOUNDS)[Symbol.asyncIterator]()
  await abandoned.next()
  const asked = Promise.withResolvers<void>()
  const silent = await using(
    t,
    startRawReceiver(() => asked.resolve()),
  )
  const waiting = failure(silent.url)
  await asked.promise
  await fetcher.close()
  assert.equal((await waiting).reason, 'stopped')
  await half.closed
  assert.equal((await failure(half.url)).reason, 'stopped')
  assert.equal(half.connections.length, 1)
})

test('what breaks off, refuses or speaks no HTTP is unreachable, and never a whole file', async (t) => {
  const { read, failure, fails } = await startFetcher(t)
  const gone = await startRawReceiver(() => {})
  await gone[Symbol.asyncDispose]()
  const refused = await failure(gone.url)
  assert.deepEqual(
    [refused.reason, refused.message],
    [
      'unreachable',
      'Check that the URL can be read from the internet. The receiver refused the connection (ECONNREFUSED).',
    ],
  )
  await fails('http://nowhere.test/', 'unreachable', null)
  const { url } = await answering(t, 'SSH-2.0-OpenSSH_9.6\r\n')
  await fails(url, 'unreachable', null)
  for (const head of ['content-length: 9\r\n\r\nhalf', 'transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n']) {
    for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const broken = await using(
        t,
        startRawReceiver((socket) => {
          socket.write(`HTTP/1.1 200 OK\r\n${head}`, () => setImmediate(() => socket[end]()))
        }),
      )
      await fails(broken.url, 'unreachable', 200)
    }
  }
  const closing = await using(
    t,
    startRawReceiver((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nwhole')),
  )
  assert.equal(await read(closing.url), 'whole')
})
