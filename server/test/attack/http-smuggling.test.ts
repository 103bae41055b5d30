// Requests that two readers could read in two ways: refused, and the connection closed, so that nothing can hide behind them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../http/start-api.ts'
import { exchange } from '../support/raw-socket.ts'

const hidden = 'GET /healthz HTTP/1.1\r\nhost: hidden\r\n\r\n'
const post = 'POST /v1/callbacks/x HTTP/1.1\r\nhost: a\r\n'

const requests: [what: string, request: string][] = [
  [
    'both a length and chunks',
    `${post}content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  ],
  [
    'chunks and then a length',
    `${post}transfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n0\r\n\r\n${hidden}`,
  ],
  ['two lengths that differ', `${post}content-length: 0\r\ncontent-length: 44\r\n\r\n${hidden}`],
  ['two lengths that agree', `${post}content-length: 2\r\ncontent-length: 2\r\n\r\n{}${hidden}`],
  ['a list of lengths', `${post}content-length: 2, 2\r\n\r\n{}${hidden}`],
  ['a negative length', `${post}content-length: -1\r\n\r\n${hidden}`],
  ['a length with a sign', `${post}content-length: +2\r\n\r\n{}${hidden}`],
  ['a hexadecimal length', `${post}content-length: 0x2\r\n\r\n{}${hidden}`],
  ['a length past all numbers', `${post}content-length: 99999999999999999999\r\n\r\n{}${hidden}`],
  ['a coding nobody knows', `${post}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`],
  [
    'a coding that is not undone',
    `${post}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n${hidden}`,
  ],
  ['chunks that are not last', `${post}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`],
  [
    'chunks twice',
    `${post}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n${hidden}`,
  ],
  [
    'a chunk size that is no number',
    `${post}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n${hidden}`,
  ],
  ['a negative chunk size', `${post}transfer-encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n${hidden}`],
  [
    'an endless chunk size',
    `${post}transfer-encoding: chunked\r\n\r\n${'f'.repeat(40)}\r\n{}\r\n0\r\n\r\n${hidden}`,
  ],
  ['a chunk longer than its size', `${post}transfer-encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n${hidden}`],
  ['a chunk size with a bare LF', `${post}transfer-encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n${hidden}`],
  ['white space before a colon', `${post}content-length : 0\r\n\r\n${hidden}`],
  ['white space before a name', `${post} content-length: 0\r\n\r\n${hidden}`],
  ['a folded header', `${post}x-a: b\r\n\tc\r\ncontent-length: 0\r\n\r\n${hidden}`],
  ['a bare LF between headers', `${post}x-a: b\ncontent-length: 0\r\n\r\n${hidden}`],
  ['a bare LF at the end of the head', `${post}content-length: 0\n\n${hidden}`],
  ['a bare CR in a value', `${post}x-a: b\rcontent-length: 5\r\n\r\n${hidden}`],
  ['NUL in a value', `${post}x-a: b\0c\r\n\r\n${hidden}`],
  ['NUL in a name', `${post}x\0a: b\r\n\r\n${hidden}`],
  ['a header without a name', `${post}: b\r\n\r\n${hidden}`],
  ['a header without a colon', `${post}content-length\r\n\r\n${hidden}`],
  ['a version nobody speaks', `POST / HTTP/9.9\r\nhost: a\r\n\r\n${hidden}`],
  ['the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`],
  ['a space in the URL', `GET /healthz /x HTTP/1.1\r\nhost: a\r\n\r\n${hidden}`],
  ['the begin of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
]

test('what can be read in two ways is refused, and so is all behind it', async (t) => {
  const { port } = await startApi(t)
  for (const [what, request] of requests) {
    await t.test(`a request with ${what}`, async (t) => {
      const answer = await exchange(t, port, Buffer.from(request, 'latin1'))
      // A fault in a body may come behind the answer to its head.
      assert.match(answer, /^HTTP\/1\.1 40[04] /, answer)
      assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1, answer)
    })
  }
})

test('a body is as long as it says, and what follows is a request of its own', async (t) => {
  const { port } = await startApi(t)
  const answer = await exchange(
    t,
    port,
    `${post}content-length: ${hidden.length}\r\n\r\n${hidden}GET /nowhere HTTP/1.1\r\nconnection: close\r\n\r\n`,
  )
  assert.deepEqual(
    Array.from(answer.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => status),
    ['404', '404'],
  )
})
