import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillTemplates, originOf, templateFault, TemplateError } from './template.ts'

test('a placeholder becomes the value at its path, encoded unless the URL begins with it', () => {
  const answer = '{"url":"https://q.test/a?b=c","data":{"id":"x y/../z","n":1950000000000000001}}'
  const fill = (template: string) => fillTemplates([template], answer)[0]
  assert.equal(fill('{startResult.body.url}'), 'https://q.test/a?b=c')
  assert.equal(
    fill('{startResult.body.url}/{startResult.body.data.n}'),
    'https://q.test/a?b=c/1950000000000000001',
  )
  assert.equal(fill('https://p.test/{startResult.body.data.id}/s'), 'https://p.test/x%20y%2F..%2Fz/s')
  assert.equal(fill('https://p.test/fixed'), 'https://p.test/fixed')
})

test('a placeholder without a value is an error that names it', () => {
  for (const answer of ['{}', '{"id":""}', '{"id":[]}', '<html>'])
    assert.throws(() => fillTemplates(['{startResult.body.id}'], answer), TemplateError)
})

test('a value that would lead to another path, is too long, or is no text at all, is an error', () => {
  for (const id of ['..', '.', '\\ud800', 'x'.repeat(2049)])
    assert.throws(
      () => fillTemplates(['https://p.test/jobs/{startResult.body.id}'], `{"id":"${id}"}`),
      TemplateError,
    )
})

test('a template that can never be a URL is known beforehand', () => {
  for (const good of [
    '{startResult.body.url}',
    'http://p.test',
    'https://p.test/{startResult.body.a.b}',
    `https://p.test/${'{startResult.body.id}'.repeat(8)}`,
  ])
    assert.equal(templateFault(good), undefined, good)
  for (const bad of [
    '',
    'ftp://p.test',
    '/jobs',
    '{startResult.url}',
    'https://p.test/{id}',
    `https://${'x'.repeat(2048)}`,
    `https://p.test/${'{startResult.body.id}'.repeat(9)}`,
  ])
    assert.notEqual(templateFault(bad), undefined, bad)
})

test('where a template leads is known unless a placeholder has a say in it', () => {
  const cases: [template: string, origin: string | undefined][] = [
    ['https://p.test/{startResult.body.id}', 'https://p.test/'],
    ['HTTP://me:key@P.test:8443?id={startResult.body.id}', 'http://me:key@p.test:8443/'],
    ['http://127.0.0.1\\{startResult.body.id}', 'http://127.0.0.1/'],
    ['https://p.test', 'https://p.test/'],
    ['https://p.test{startResult.body.id}/', undefined],
    ['https://{startResult.body.id}@p.test/', undefined],
    ['{startResult.body.url}', undefined],
    ['https://p.test:99999/', undefined],
    ['', undefined],
  ]
  for (const [template, origin] of cases) assert.equal(originOf(template)?.href, origin, template)
})
