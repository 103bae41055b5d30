import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compact, elements, hasNul, isSameJson, isTooDeep } from './json.ts'

test('the elements of an array are the very texts, without the white space between tokens', () => {
  assert.deepEqual(elements(' [ ] '), [])
  assert.deepEqual(elements('[1.0]'), ['1.0'])
  assert.deepEqual(
    elements('[ 1950000000000000001, "a, ] b\\"", [1, [2]], {"x": "}", "y": [1E400]}, null ]'),
    ['1950000000000000001', '"a, ] b\\""', '[1,[2]]', '{"x":"}","y":[1E400]}', 'null'],
  )
})

test('compact JSON has no white space outside its strings, and is otherwise the very text', () => {
  for (const text of ['a b', 'é b', 'ž \ud800 b', '\t" \\ \\" \\'].map((each) => JSON.stringify(each))) {
    const loose = `\r\n{ ${text} : [ 1.0 ,\t${text}, { } ] ,"x":${text} }\n`
    assert.equal(compact(loose), `{${text}:[1.0,${text},{}],"x":${text}}`)
    assert.equal(compact(text), text)
  }
})

test('JSON texts are the same when only the escapes in their strings differ, and other when a digit does', () => {
  assert.ok(isSameJson('{"é":"a/b"}', String.raw`{"\u00e9":"a\/b"}`))
  assert.ok(isSameJson(String.raw`["\"",1]`, String.raw`["\u0022",1]`))
  assert.ok(!isSameJson('[1950000000000000001]', '[1950000000000000002]'))
  assert.ok(!isSameJson(String.raw`["\\u00e9"]`, '["é"]'))
  assert.ok(isSameJson(`["${'x'.repeat(1_000_000)}"]`, String.raw`["\u0078${'x'.repeat(999_999)}"]`))
})

test('a NUL is found where a text has one, and not behind an escaped backslash', () => {
  assert.ok(hasNul(String.raw`{"a":"\u0000"}`))
  assert.ok(hasNul(String.raw`{"a":"\\\u0000"}`))
  assert.ok(!hasNul(String.raw`{"a":"\\u0000"}`))
})

test('a text is too deep from the hundred and first level on, whatever stands in its strings', () => {
  const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`
  assert.ok(!isTooDeep(nested(100)))
  assert.ok(isTooDeep(nested(102)))
  assert.ok(isTooDeep(`${'['.repeat(101)}${']'.repeat(101)}`))
  assert.ok(!isTooDeep(`["${'['.repeat(500)}","\\"[[[",${'[],{},'.repeat(500)}1]`))
})
