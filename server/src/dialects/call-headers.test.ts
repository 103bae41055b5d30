import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../domain/errors.ts'
import { assertCallHeaders } from './call-headers.ts'

/** What is said against these headers; undefined when nothing is. */
function faultOf(headers: Record<string, string>): string | undefined {
  try {
    assertCallHeaders(headers, 'request.headers')
    return undefined
  } catch (error) {
    assert.ok(error instanceof AppError)
    assert.equal(error.code, 'invalid_request')
    return error.message
  }
}

test('a header that can be sent is taken', () => {
  const sent: Record<string, string>[] = [
    {},
    { Authorization: 'Key a b\tc' },
    { 'x-Name_1!': '' },
    { 'x-latin': 'é' },
    { 'content-type': 'text/plain', accept: '*/*' },
  ]
  for (const headers of sent) assert.equal(faultOf(headers), undefined, JSON.stringify(headers))
})

test('a header that cannot be sent is refused by its name', () => {
  const refused: [Record<string, string>, RegExp][] = [
    [{ '': 'x' }, /^request\.headers: "" is no name/],
    [{ 'a b': 'x' }, /"a b" is no name/],
    [{ 'a:': 'x' }, /"a:" is no name/],
    [{ naïve: 'x' }, /is no name/],
    [{ 'x-line': 'a\r\nb: c' }, /^request\.headers\.x-line: has a character/],
    [{ 'x-nul': 'a\0' }, /x-nul: has a character/],
    [{ 'x-wide': '€' }, /x-wide: has a character/],
    [{ 'x-long': 'x'.repeat(16_384) }, /more than 16384 characters in all/],
    [{ 'X-Twice': 'a', 'x-twice': 'b' }, /x-twice: is there twice/],
    [Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`x-${i}`, ''])), /more than 50/],
  ]
  for (const [headers, why] of refused) assert.match(faultOf(headers) ?? '', why)
})

test('what frames a request or belongs to one connection is not to be given', () => {
  const ours = ['Host', 'content-length', 'Connection', 'transfer-encoding', 'keep-alive', 'upgrade', 'TE']
  for (const name of [...ours, 'trailer', 'expect', 'proxy-authorization', 'Proxy-Connection'])
    assert.match(faultOf({ [name]: 'x' }) ?? '', /is set by the server itself/, name)
})
