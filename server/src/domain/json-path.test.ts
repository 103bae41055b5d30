import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { plainText, takeMember, valuesAt } from './json-path.ts'

const valueAt = (text: string, path: string) => valuesAt(text, [path]).get(path)
const textAt = (text: string, path: string) => plainText(valueAt(text, path))

const text = '{ "id": 1950000000000000001, "a": { "b": [ {"c": "x\\u0041"}, 1.0 ] }, "n": null, "": "empty" }'

test('a path leads through objects and arrays to a value as it was written', () => {
  for (const [path, value] of [
    ['id', '1950000000000000001'],
    ['a.b.0.c', '"x\\u0041"'],
    ['a.b.1', '1.0'],
    ['a.b', '[{"c":"x\\u0041"},1.0]'],
    ['n', 'null'],
    ['a.b.2', undefined],
    ['a.b.c', undefined],
    ['id.x', undefined],
    ['__proto__', undefined],
    ['constructor.name', undefined],
  ] as const) {
    assert.equal(valueAt(text, path), value, path)
  }
  assert.equal(valueAt(' [1, 2] ', ''), '[1,2]')
})

test('a single value is given as plain text, and nothing else is', () => {
  assert.equal(textAt(text, 'a.b.0.c'), 'xA')
  assert.equal(textAt(text, 'id'), '1950000000000000001')
  assert.equal(textAt('{"done":true}', 'done'), 'true')
  for (const path of ['n', 'a', 'a.b', 'missing']) assert.equal(textAt(text, path), undefined, path)
})

test('of a repeated name the last one counts, as with JSON.parse', () => {
  assert.equal(valueAt('{"a":{"b":1},"x":2,"a":{"b":[3,{}]}}', 'a.b'), '[3,{}]')
  assert.equal(valueAt('{"a":{"b":1},"a":{}}', 'a.b'), undefined)
  assert.equal(valueAt('{"a":{"b":1},"\\u0061":4}', 'a'), '4')
})

test('elements are found wherever they are in an array, and none behind its end', () => {
  const array = '[[],{"x":[1,"]",2]},"a,b",[3,[4]],5]'
  const paths = ['4', '0', '3.1.0', '2', '5', '0.0', '1.x.2', '1.x.3', '-1', '1e0', '999999999']
  assert.deepEqual(Object.fromEntries(valuesAt(array, paths)), {
    '4': '5',
    '0': '[]',
    '3.1.0': '4',
    '2': '"a,b"',
    '1.x.2': '2',
  })
  assert.deepEqual(Object.fromEntries(valuesAt(`{"a":${array},"b":1}`, ['a.9', 'b', 'a.4'])), {
    b: '1',
    'a.4': '5',
  })
})

test('many paths are found in one reading, also where one leads through another', () => {
  const paths = ['', 'a', 'a.b', 'a.b.1', 'a.b.0.c', 'id', 'a.b.01', 'missing.x']
  assert.deepEqual(
    [...valuesAt(text, paths)],
    [
      ['', '{"id":1950000000000000001,"a":{"b":[{"c":"x\\u0041"},1.0]},"n":null,"":"empty"}'],
      ['a', '{"b":[{"c":"x\\u0041"},1.0]}'],
      ['a.b', '[{"c":"x\\u0041"},1.0]'],
      ['a.b.1', '1.0'],
      ['a.b.0.c', '"x\\u0041"'],
      ['id', '1950000000000000001'],
    ],
  )
})

// Names that begin alike, that hold what ends a name or begins an escape, and each in several spellings.
const names = ['', 'a', 'ab', 'b', '0', '"', 'a"', 'a\\', '\\', 'é', '\u0000']
const escaped = (name: string) =>
  `"${Array.from(name, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
const member = fc
  .record({ name: fc.constantFrom(...names), value: fc.jsonValue({ maxDepth: 1 }), spelled: fc.boolean() })
  .map(({ name, value, spelled }) => ({
    name,
    value: JSON.stringify(value),
    text: `${spelled ? escaped(name) : JSON.stringify(name)}:${JSON.stringify(value)}`,
  }))

test('a member is found by its name however that is spelled, and nothing else is', () => {
  fc.assert(
    fc.property(fc.array(member, { maxLength: 6 }), fc.constantFrom(...names), (list, name) => {
      const textOf = (some: typeof list) => `{${some.map((one) => one.text).join(',')}}`
      const value = list.findLast((one) => one.name === name)?.value
      const rest = textOf(list.filter((one) => one.name !== name))
      assert.deepEqual(takeMember(textOf(list), name), { value, rest })
      if (name !== '') assert.equal(valueAt(textOf(list), name), value)
    }),
    { numRuns: 2000 },
  )
})

test('an object without a member is else as it was written', () => {
  for (const [given, rest] of [
    ['{}', '{}'],
    ['{"x":1}', '{}'],
    ['{"x":1,"a":1.0}', '{"a":1.0}'],
    ['{"a":"\\u0041", "x":{"x":2}, "b":[1, 2]}', '{"a":"\\u0041","b":[1,2]}'],
    ['{"a":{"x":1},"x":[],"x":2}', '{"a":{"x":1}}'],
  ] as const)
    assert.equal(takeMember(given, 'x').rest, rest)
})
