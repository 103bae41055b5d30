// Changes to valid requests, as lists: of the body's values, of its text, of the head, and of the bytes as a whole.
import { print, Verbatim, type Printable } from '../../src/domain/json.ts'
import { between, type Random } from '../crash/random.ts'
import { chance, oddText, oddValue, oneOf } from './odd.ts'
import { bodyOf, type Request, type World } from './request.ts'

type Members = { readonly [name: string]: Printable }
const isMembers = (value: Printable): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Verbatim)

/** Changes a value somewhere within, or as a whole. */
function mutateValue(random: Random, value: Printable): Printable {
  if (Array.isArray(value) && value.length > 0 && chance(random, 0.7)) {
    const at = between(random, 0, value.length - 1)
    return value.map((item: Printable, i) => (i === at ? mutateValue(random, item) : item))
  }
  if (!isMembers(value)) return oddValue(random)
  const names = Object.keys(value)
  const name = oneOf(random, names)
  if (name === undefined) return { [oddText(random)]: oddValue(random) }
  const member = value[name] ?? null
  const { [name]: _, ...others } = value
  switch (between(random, 0, 9)) {
    case 0:
      return others
    case 1:
      return {
        ...others,
        [oneOf(random, [`${name}x`, name.toUpperCase(), ` ${name}`, oddText(random)])]: member,
      }
    case 2:
      // A name twice, which no object has.
      return new Verbatim(`${print(value).slice(0, -1)},${JSON.stringify(name)}:${print(oddValue(random))}}`)
    case 3:
      return { ...value, [oddText(random)]: oddValue(random) }
    case 4:
      return { ...value, [name]: [member] }
    case 5:
      return { ...value, [name]: typeof member === 'string' ? member + oddText(random) : print(member) }
    default:
      return { ...value, [name]: mutateValue(random, member) }
  }
}

/** Changes a text as such. */
function mutateText(random: Random, text: string): Buffer {
  const at = between(random, 0, text.length)
  const [front, back] = [text.slice(0, at), text.slice(at)]
  return oneOf(random, [
    () => Buffer.from(front),
    () => Buffer.from(front + oddText(random) + back),
    () => Buffer.from(`\ufeff${text}`),
    () => Buffer.concat([Buffer.from(front), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from(back)]),
    () => Buffer.from(`${text}${text}`),
    () => Buffer.from(`${' \n\t'.repeat(2000)}${text}`),
    () => Buffer.from(oneOf(random, ['', 'null', '[]', '{}', '"x"', '0', 'true', '[[]]', '{"":""}', ' '])),
  ])()
}

function mutateBody(random: Random, request: Request): Request {
  const { body } = request
  if (body === undefined)
    return {
      ...request,
      body: oddValue(random),
      headers: [...request.headers, ['content-type', 'application/json']],
    }
  if (Buffer.isBuffer(body)) return { ...request, body: mutateText(random, body.toString()) }
  if (chance(random, 0.2)) return { ...request, body: mutateText(random, print(body)) }
  let changed: Printable = body
  for (let i = between(random, 1, 2); i > 0; i--) changed = mutateValue(random, changed)
  return { ...request, body: changed }
}

// What a header may hold without becoming another header.
const headerText = (random: Random) =>
  oddText(random)
    .replaceAll(/[^\x20-\x7e\x80-\xff]/g, '?')
    .slice(0, 3000)

const headers: readonly [name: string, values: readonly string[]][] = [
  [
    'content-type',
    [
      'text/plain',
      'application/json; charset=utf-16',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'x',
      ';',
      'application/jsonp',
    ],
  ],
  ['content-encoding', ['gzip', 'identity', 'br', 'gzip, gzip', '']],
  ['idempotency-key', ['k1', 'k1', '', 'x'.repeat(255), 'x'.repeat(256), 'a b', 'é', '"k"']],
  ['accept', ['text/html', '*/*;q=0', '']],
  ['accept-encoding', ['gzip', 'br;q=1, *;q=0']],
  [
    'authorization',
    [
      'Bearer',
      'Bearer  x',
      'Basic Og==',
      'Basic %%%',
      'Digest x',
      `Bearer ${'x'.repeat(5000)}`,
      'bearer rb_live_',
    ],
  ],
  ['x-forwarded-for', ['1.2.3.4', 'unknown', '::1, 1', '']],
  ['expect', ['100-continue', '200-ok']],
  ['connection', ['close', 'keep-alive, upgrade', 'x']],
  ['if-none-match', ['*']],
  ['range', ['bytes=0-1']],
  ['x-http-method-override', ['DELETE']],
  ['__proto__', ['x']],
  ['constructor', ['x']],
  ['origin', ['null', 'http://evil.test']],
  ['x-ts', ['0', '99999999999999999', '-1', '1e3']],
  ['x-sign', ['', 'é']],
  ['api-key', ['', 'x']],
  ['x-api-key', ['', 'x']],
]

function mutateHeaders(random: Random, request: Request): Request {
  const [name, values] = oneOf(random, headers) ?? ['x', ['x']]
  const value = chance(random, 0.3) ? headerText(random) : (oneOf(random, values) ?? '')
  const given = request.headers
  const others = given.filter(([other]) => other !== name)
  return {
    ...request,
    headers: oneOf<Request['headers']>(random, [
      [...others, [name, value]],
      [...given, [name, value]],
      [...given, ...given],
      given.slice(1),
      given.slice(0, -1),
      given.map(([name, value]) => [name.toUpperCase(), value]),
    ]),
  }
}

const mutateKey = (random: Random, request: Request, worlds: readonly World[]): Request => ({
  ...request,
  headers: [
    ...(oneOf(random, worlds)?.headers() ?? []),
    ...request.headers.filter(([name]) => name === 'content-type'),
  ],
})

const oddPaths = [
  '',
  '/',
  '//',
  '/.',
  '/..',
  '/%2e%2e/',
  '%',
  '%zz',
  '%00',
  '%ff',
  '%2f',
  '%5c',
  ';x=1',
  '/x',
  '.json',
  '\u00e9',
  '%E2%80%AE',
  '*',
  '#x',
] as const

function mutatePath(random: Random, request: Request): Request {
  const [path = '', query] = request.target.split('?')
  const at = between(random, 0, path.length)
  const changed = oneOf(random, [
    path + oneOf(random, oddPaths),
    path.slice(0, at) + oneOf(random, oddPaths) + path.slice(at),
    path.slice(0, Math.max(1, at)),
    path.replace(/[^/]+$/, () => encodeURIComponent(oddText(random).toWellFormed())),
    path.toUpperCase(),
    path.replace(/[^/]+$/, 'x'.repeat(5000)),
  ])
  return {
    ...request,
    isForRoute: false,
    target: targetOf(query === undefined ? changed : `${changed}?${query}`),
  }
}

// The request line has no room for these.
const targetOf = (text: string) => text.replaceAll(/[^\x21-\x7e\x80-\xff]/g, '') || '/'

const parameters = (
  'limit cursor wait status state type created_after created_before destination offset page size orderBy statusIn tags idSearch batchId detailed ' +
  'start_time end_time next_token unique_id task_id event project act since until projectId secondsTtl correct customer_review_status __proto__ x'
).split(' ')
const parameterValues = (
  '0 1 -1 100 101 1000 1e2 0x1 1.5 999999999999999 9999999999999999 true False null [] {} %00 %ff %F0%9F%98%80 %ED%A0%80 2026-01-01 2026-01-01T00:00:00Z ' +
  '2026-01-01T00%3A00%3A00%2B99%3A00 failed completed IN_PROGRESS * %27 %22 a%20b a,b ,'
).split(' ')

function mutateQuery(random: Random, request: Request): Request {
  const pairs = Array.from({ length: oneOf(random, [1, 1, 2, 3, 200]) }, () => {
    const name = oneOf(random, parameters) ?? 'x'
    const value = chance(random, 0.8)
      ? oneOf(random, parameterValues)
      : encodeURIComponent(oddText(random).toWellFormed()).slice(0, 4000)
    return oneOf(random, [
      `${name}=${value}`,
      `${name}=${value}`,
      `${name}[]=${value}`,
      `${name}[a]=${value}`,
      name,
      `=${value}`,
    ])
  })
  const joint = request.target.includes('?') ? '&' : '?'
  return { ...request, target: targetOf(request.target + joint + pairs.join('&')).slice(0, 14_000) }
}

/** Changes a request in one to three places. */
export function mutate(random: Random, request: Request, worlds: readonly World[]): Request {
  let changed = request.method === 'GET' && chance(random, 0.1) ? { ...request, method: 'HEAD' } : request
  for (let i = oneOf(random, [1, 1, 2, 3]); i > 0; i--) {
    const isBodied = request.body !== undefined || request.method !== 'GET'
    switch (between(random, isBodied ? 0 : 5, 9)) {
      case 5:
        changed = mutatePath(random, changed)
        break
      case 6:
        changed = mutateHeaders(random, changed)
        break
      case 7:
        changed = mutateKey(random, changed, worlds)
        break
      case 8:
      case 9:
        changed = mutateQuery(random, changed)
        break
      default:
        changed = mutateBody(random, changed)
    }
  }
  return changed
}

const noise = (random: Random, length: number) =>
  Buffer.from(Array.from({ length }, () => between(random, 0, 255)))

/** Gives a request a body of noise, or of JSON that nobody asked for. */
export function randomize(random: Random, request: Request): Request {
  const others = request.headers.filter(([name]) => name !== 'content-type')
  const type = oneOf(random, [
    'application/json',
    'application/json',
    'application/octet-stream',
    'multipart/form-data; boundary=a',
    'application/x-www-form-urlencoded',
  ])
  const body = oneOf<Printable | Buffer>(random, [
    noise(random, oneOf(random, [1, 10, 1000, 100_000])),
    oddValue(random),
    { [oddText(random)]: oddValue(random) },
    Buffer.from(`a=${oddText(random)}&b[c]=1&b[c][d]=2&a&=&%&%zz=%`),
    Buffer.alloc(oneOf(random, [1_048_576, 1_048_577, 3_200_000]), 'x'),
  ])
  return { ...request, headers: [...others, ['content-type', type]], body }
}

const BROKEN_MS = 1000
const HANG_MS = 150

/** Makes a request that is hardly one. It is never answered in a form that could be told beforehand. */
export function breakRequest(random: Random, request: Request): Request {
  const broken: Request = { ...request, isForRoute: false, patience_ms: BROKEN_MS }
  const body = bodyOf(request) ?? Buffer.from('{}')
  const withHeader = (name: string, value: string): Request => ({
    ...broken,
    headers: [...request.headers, [name, value]],
  })
  return oneOf(random, [
    () => ({
      ...broken,
      method: oneOf(random, [
        'HEAD',
        'OPTIONS',
        'PUT',
        'DELETE',
        'TRACE',
        'BREW',
        'get',
        'CONNECT',
        'PROPFIND',
        'A'.repeat(100),
      ]),
    }),
    () => ({
      ...broken,
      target: targetOf(
        oneOf(random, [
          oddText(random),
          '*',
          'http://other.test/v1/tasks',
          '/'.repeat(9000),
          '?',
          '//x/y',
          '/docs/%2e%2e/x',
        ]),
      ),
    }),
    () => ({
      ...broken,
      headers: [
        ...request.headers,
        ...Array.from({ length: oneOf(random, [60, 101, 2000]) }, (_, i): [string, string] => [
          `x-${i}`,
          'y',
        ]),
      ],
    }),
    () => withHeader('x-long', 'y'.repeat(oneOf(random, [8000, 16_000, 40_000]))),
    () => withHeader(oneOf(random, ['', ' ', 'a b', 'a:b', '\u00e9', '\u0000']), 'x'),
    () => withHeader('x', oneOf(random, ['a\rb', 'a\nb', '\u0000', 'a\r\n b', 'a\r\nhost: other'])),
    () => withHeader('host', oneOf(random, ['other.test', '', '[', 'a:b:c', '127.0.0.1'])),
    () => ({
      ...withHeader('content-length', oneOf(random, ['-1', 'x', '1e3', '0', '1, 2', '99999999999999999999'])),
      body,
    }),
    () => ({ ...withHeader('content-length', String(body.length + 100)), body, patience_ms: HANG_MS }),
    () => ({
      ...withHeader('transfer-encoding', oneOf(random, ['chunked', 'gzip, chunked', 'identity', 'xchunked'])),
      body,
      patience_ms: HANG_MS,
    }),
    () => ({
      ...withHeader('transfer-encoding', 'chunked'),
      body: Buffer.from(`${body.length.toString(16)}\r\n${body.toString('latin1')}\r\n0\r\n\r\n`, 'latin1'),
    }),
    () => ({ ...withHeader('upgrade', oneOf(random, ['websocket', 'h2c', ''])) }),
    () => ({ ...broken, method: noise(random, 20).toString('latin1') }),
  ])()
}
