import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receiverOf } from './report.ts'

test('a log shows the origin of a URL and the domain of a mail address, never credentials, path or query', () => {
  const cases = [
    ['https://a.test/hook?token=1', 'https://a.test'],
    ['http://joe:p@ss@a.test:8080', 'http://a.test:8080'],
    ['HTTPS://joe@a.test\\x@y', 'HTTPS://a.test'],
    ['https://a.test?x=@b', 'https://a.test'],
    ['joe@mail.test', 'mail.test'],
  ]
  for (const [url, shown] of cases) assert.equal(receiverOf(url ?? ''), shown)
})
