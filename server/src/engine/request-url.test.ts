import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitUrl } from './request-url.ts'

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

const cases: [string, string, string, string | null][] = [
  ['https://a.test', 'https://a.test', '/', null],
  ['https://a.test:443/x y?q=%20#fragment', 'https://a.test', '/x%20y?q=%20', null],
  ['http://a.test:8080/?', 'http://a.test:8080', '/', null],
  ['http://user:pass@a.test/x', 'http://a.test', '/x', basic('user:pass')],
  ['http://user@a.test/', 'http://a.test', '/', basic('user:')],
  ['http://:pass@a.test/', 'http://a.test', '/', basic(':pass')],
  ['http://j%C3%BCrgen:a%3Ab%40c@a.test/', 'http://a.test', '/', basic('jürgen:a:b@c')],
  ['http://100%:%zz@a.test/', 'http://a.test', '/', basic('100%:%zz')],
]

test('a URL becomes origin, path with query, and Basic authentication of its credentials', () => {
  for (const [url, origin, path, authorization] of cases) {
    assert.deepEqual(splitUrl(new URL(url)), { origin, path, authorization }, url)
  }
})
