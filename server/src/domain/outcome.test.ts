import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classifyError, parseRetryAfter, SendError } from './outcome.ts'

const now = Date.UTC(1994, 10, 6, 8, 49, 0)

const retryAfterCases: [string | undefined, number | null][] = [
  ['120', 120_000],
  [' 7 ', 7000],
  ['0', 0],
  ['-5', 0],
  ['99999999999999999999999', 365 * 86_400_000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 37_000],
  ['Sun Nov  6 08:49:37 1994', 37_000],
  ['Sat, 05 Nov 1994 08:49:37 GMT', 0],
  ['Sun, 06 Nov 2994 08:49:37 GMT', 365 * 86_400_000],
  ['1.5', null],
  ['1e3', null],
  ['120, 60', null],
  ['soon', null],
  ['1994-11-06', null],
  ['Sun, 99 Foo 1994 99:99:99 GMT', null],
  ['', null],
  [undefined, null],
]

test('Retry-After is read as seconds or as any of the three HTTP dates, and garbage is null', () => {
  for (const [value, expected] of retryAfterCases) {
    assert.equal(parseRetryAfter(value, now), expected, `${value}`)
  }
})

test('Retry-After is read the same in every time zone', () => {
  const zone = process.env.TZ
  try {
    for (const TZ of ['UTC', 'Asia/Tokyo', 'America/New_York']) {
      process.env.TZ = TZ
      assert.equal(parseRetryAfter('Sun Nov  6 08:49:37 1994', now), 37_000, TZ)
    }
  } finally {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  }
})

const coded = (code: string, message = 'boom', name = 'Error') =>
  Object.assign(new Error(message), { code, name })

const errorCases: [unknown, string, RegExp][] = [
  [coded('ECONNREFUSED'), 'connection', /refused the connection \(ECONNREFUSED\)\.$/],
  [coded('ECONNRESET'), 'connection', /reset/],
  [coded('UND_ERR_SOCKET', 'other side closed'), 'connection', /closed the connection/],
  [coded('UND_ERR_SOCKET', 'bad response'), 'protocol', /interim/],
  [
    coded('HPE_INVALID_CONSTANT', 'x', 'HTTPParserError'),
    'protocol',
    /not valid HTTP \(HPE_INVALID_CONSTANT\)/,
  ],
  [coded('UND_ERR_HEADERS_OVERFLOW'), 'protocol', /too large/],
  [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'tls', /self-signed/],
  [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'tls', /another name/],
  [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'tls', /handshake/],
  [coded('EPROTO'), 'tls', /handshake/],
  [coded('ETIMEDOUT'), 'timeout', /timed out/],
  [coded('UND_ERR_DESTROYED'), 'unknown', /^stopped$/],
  [coded('EADDRNOTAVAIL'), 'connection', /EADDRNOTAVAIL/],
  [new Error('what is this'), 'connection', /what is this/],
  ['a string', 'connection', /failed/],
  [new SendError('forbidden', 'No.'), 'forbidden', /^No\.$/],
]

test('an error is told as a kind and one plain sentence', () => {
  for (const [error, kind, sentence] of errorCases) {
    const told = classifyError(error)
    assert.equal(told.kind, kind, String(error))
    assert.match(told.error, sentence)
  }
})
