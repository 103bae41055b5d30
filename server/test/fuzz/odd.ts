// Values that programs stumble over, as data. Numbers and depths that JavaScript cannot hold are finished texts of JSON.
import { Verbatim, type Printable } from '../../src/domain/json.ts'
import { between, type Random } from '../crash/random.ts'

/** One of these. */
export function oneOf<T>(random: Random, values: readonly [T, ...T[]]): T
export function oneOf<T>(random: Random, values: readonly T[]): T | undefined
export function oneOf<T>(random: Random, values: readonly T[]): T | undefined {
  return values[Math.floor(random() * values.length)]
}

/** Whether something of this share (0 to 1) happens. */
export const chance = (random: Random, share: number): boolean => random() < share

// No host names but those that need no name server: what a name server says, no seed repeats.
const texts: readonly string[] = [
  '',
  ' ',
  '\t\r\n',
  '\u0000',
  'a\u0000b',
  '\ud800',
  'a\udc00b',
  '\u2028\u2029',
  '\u202eabc\u202c',
  'שלום',
  '\u0007\u001b[31m',
  '\ufeff',
  '\ufffe\uffff',
  '\u0085',
  'e\u0301',
  '😀',
  '\\',
  '"',
  "'; drop table tasks --",
  '%00',
  '%s%n',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'prototype',
  'null',
  'undefined',
  'true',
  'NaN',
  '-1',
  '1e9',
  '0x10',
  '../../etc/passwd',
  '{resolve_url}',
  '{startResult.body.__proto__}',
  '{',
  '}',
  '${1}',
  '$1',
  'tok_',
  '*',
  '?',
  '#',
  '%',
  ':',
  '2026-02-30T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:60Z',
  '2026-11-20T08:00:00+25:00',
  '2026-11-20',
  'http://[::1]/',
  'http://10.0.0.1/',
  'http://127.0.0.1:0/',
  'http://127.0.0.1:99999/',
  'http://u:p%ss@127.0.0.1:1/',
  'http://127.0.0.1:1/\r\nx: y',
  'http://2130706433:1/',
  'http://0x7f.1:1/a b',
  'javascript:1',
  'file:///etc/passwd',
  'http://',
  '//',
  'joe@[127.0.0.1]',
  'mailto:joe@127.0.0.1',
  '@',
  'a@b@c',
  '1950000000000000001',
  '٣',
  '１２',
]
// Around the bounds that the schemas have, and past those of whole requests.
const lengths = [
  100, 101, 200, 201, 255, 256, 400, 401, 1000, 1001, 2048, 2049, 10_001, 16_385, 70_000,
] as const
const units = ['x', 'é', '😀', '\u0001', '"', '{', '/'] as const

/** A text that is odd, or long. */
export function oddText(random: Random): string {
  if (chance(random, 0.75)) return oneOf(random, texts) ?? ''
  return oneOf(random, units).repeat(oneOf(random, lengths))
}

const numbers = (
  '0 -0 -1 1 1.0 0.1 1e2 1E400 -1E400 1e-400 2147483647 2147483648 4294967296 -2147483649 9007199254740993 ' +
  '9223372036854775807 9223372036854775808 18446744073709551616 253402300800000 8640000000000001 31536001 99999999999999999999999'
).split(' ')

const nested = (depth: number) => new Verbatim('['.repeat(depth) + ']'.repeat(depth))
const nestedObjects = (depth: number) => new Verbatim('{"a":'.repeat(depth) + '1' + '}'.repeat(depth))

/** Any JSON value, odd ones most of all. */
export function oddValue(random: Random): Printable {
  switch (between(random, 0, 9)) {
    case 0:
    case 1:
    case 2:
      return oddText(random)
    case 3:
    case 4:
      return new Verbatim(oneOf(random, numbers) ?? '0')
    case 5:
      return oneOf(random, [null, true, false, {}, []])
    case 6:
      return nested(oneOf(random, [2, 50, 98, 99, 100, 101, 3000]))
    case 7:
      return nestedObjects(oneOf(random, [2, 50, 98, 99, 100, 101, 3000]))
    case 8:
      return Array.from({ length: oneOf(random, [1, 6, 51, 101, 1001, 5000]) }, () =>
        oneOf(random, [0, 'a', null, {}]),
      )
    default:
      return Object.fromEntries(
        Array.from({ length: oneOf(random, [1, 3, 500]) }, (_, i) => [
          i === 0 ? oddText(random) : `k${i}`,
          oneOf(random, [1, '', null, []]),
        ]),
      )
  }
}
