import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLine } from './line.ts'

const read = (text: string) => readLine(Buffer.from(text))
const record = { attachmentType: 'IMAGE', attachment: 'https://files.test/a.jpg' }
const withInfo = (additionalInfo: unknown) =>
  JSON.stringify({ ...record, metadata: { uniqueIdentifier: 'row-7', additionalInfo } })

test('a record is kept digit by digit, with its identifier and where its callbacks go', () => {
  const text =
    '{ "attachmentType": "POINTCLOUD", "attachment": {"url": "oss://a/1.pcd", "radius": 1.0, "id": 1950000000000000001},\t"metadata": {"uniqueIdentifier": "row 7", "additionalInfo": {"lot": 1E400, "callbackUrl": "https://hooks.test/in"}} }\r'
  assert.deepEqual(read(text), {
    record:
      '{"attachmentType":"POINTCLOUD","attachment":{"url":"oss://a/1.pcd","radius":1.0,"id":1950000000000000001},"metadata":{"uniqueIdentifier":"row 7","additionalInfo":{"lot":1E400,"callbackUrl":"https://hooks.test/in"}}}',
    type: 'POINTCLOUD',
    info: '{"lot":1E400,"callbackUrl":"https://hooks.test/in"}',
    identifier: 'row 7',
    callback_url: 'https://hooks.test/in',
    fault: null,
  })
})

test('a record needs no additional information, and an empty callback URL is none', () => {
  for (const info of [undefined, null, {}, { callbackUrl: '' }, { callbackUrl: null }]) {
    const line = read(withInfo(info))
    assert.deepEqual([line.fault, line.callback_url], [null, null], JSON.stringify(info))
  }
})

const metadata = { uniqueIdentifier: 'row-7', additionalInfo: { callbackUrl: 'https://hooks.test/in' } }
const faults: [string, string, RegExp][] = [
  ['garbage', 'garbage', /not JSON/],
  ['a record cut short', '{"attachmentType": "IMAGE", "attachment": ', /not JSON/],
  ['an array', '[]', /JSON object/],
  ['a text with NUL', '{"a":"\\u0000"}', /NUL/],
  ['no type', JSON.stringify({ metadata, attachment: 'x' }), /^attachmentType: must be one of IMAGE, /],
  [
    'an unknown type',
    JSON.stringify({ metadata, attachmentType: 'SMELL', attachment: 'x' }),
    /^attachmentType: /,
  ],
  ['no attachment', JSON.stringify({ metadata, attachmentType: 'IMAGE' }), /^attachment: missing/],
  [
    'an empty attachment',
    JSON.stringify({ metadata, attachmentType: 'IMAGE', attachment: [] }),
    /^attachment: missing/,
  ],
  [
    'a number as attachment',
    JSON.stringify({ metadata, attachmentType: 'IMAGE', attachment: 7 }),
    /^attachment: must be a string/,
  ],
  ['no metadata', JSON.stringify(record), /^metadata: /],
  ['no identifier', JSON.stringify({ ...record, metadata: {} }), /^metadata.uniqueIdentifier: missing/],
  [
    'a number as identifier',
    JSON.stringify({ ...record, metadata: { uniqueIdentifier: 7 } }),
    /^metadata.uniqueIdentifier: missing; give a string/,
  ],
  [
    'half a character as identifier',
    '{"attachmentType":"TEXT","attachment":"x","metadata":{"uniqueIdentifier":"\\ud800"}}',
    /^metadata.uniqueIdentifier/,
  ],
  [
    'a long identifier',
    JSON.stringify({ ...record, metadata: { uniqueIdentifier: 'x'.repeat(256) } }),
    /longer than 255/,
  ],
  ['information that is no object', withInfo('x'), /^metadata.additionalInfo: must be an object/],
  ['a number as callback URL', withInfo({ callbackUrl: 7 }), /callbackUrl: must be a string/],
  ['another scheme', withInfo({ callbackUrl: 'ftp://hooks.test/in' }), /callbackUrl: scheme ftp: /],
  ['an e-mail address', withInfo({ callbackUrl: 'joe@example.com' }), /callbackUrl: must be an http/],
  ['no URL', withInfo({ callbackUrl: 'hooks' }), /callbackUrl: /],
]
for (const [what, text, fault] of faults) {
  test(`a line with ${what} has a fault that names it`, () => {
    assert.match(read(text).fault ?? '', fault)
  })
}

test('a faulty record still tells its callback URL and identifier, as far as it could be read', () => {
  const line = read(JSON.stringify({ ...record, attachmentType: 'SMELL', metadata }))
  assert.deepEqual(
    [line.type, line.identifier, line.callback_url],
    ['task', 'row-7', 'https://hooks.test/in'],
  )
  const broken = readLine(Buffer.from([0x7b, 0xff, 0x7d]))
  assert.deepEqual([broken.fault, broken.callback_url], ['The line is not UTF-8', null])
})
