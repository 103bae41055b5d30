import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textAt, valueAt } from './json-path.ts'

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
