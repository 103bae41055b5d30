import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { checkServer } from './server.ts'

const answers: [status: number, body: string, level: string, found: RegExp][] = [
  [200, '{"status":"ready"}', 'ok', / is ready$/],
  [503, '{"status":"stopping"}', 'warn', / is stopping$/],
  [503, '{"status":"store_unavailable"}', 'fail', / runs, but its database does not answer$/],
  [404, '<h1>Not found</h1>', 'fail', / answers 404, but is no Ringback server$/],
  [200, 'null', 'fail', / answers 200, but is no Ringback server$/],
]

test('a server is known by what it says of itself', async (t) => {
  let answer = { status: 0, body: '' }
  const server = createServer((_request, response) => response.writeHead(answer.status).end(answer.body))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const [status, body, level, found] of answers) {
    answer = { status, body }
    const finding = await checkServer({ url, told: true })
    assert.equal(finding.level, level)
    assert.match(finding.found, found)
  }
})

test('one that does not answer is a failure only where somebody said that it is there', async () => {
  const url = 'http://127.0.0.1:1024'
  const found = `no answer from ${url} (ECONNREFUSED)`
  assert.deepEqual(await checkServer({ url, told: false }), {
    level: 'warn',
    found,
    remedy: 'start one with `ringback dev` or `ringback serve`',
  })
  assert.deepEqual(await checkServer({ url, told: true }), {
    level: 'fail',
    found,
    remedy: 'start the server there, or name another with --url or RINGBACK_URL',
  })
})
