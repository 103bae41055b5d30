import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { test } from 'node:test'
import type { AddressInfo } from 'node:net'
import { choosePort, isFromHere, localUrl } from './address.ts'

test('an address that only listens is replaced by one to connect to', () => {
  const urls = ['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost'].map((host) => localUrl({ host, port: 1 }))
  assert.deepEqual(urls, [
    'http://127.0.0.1:1',
    'http://127.0.0.1:1',
    'http://[::1]:1',
    'http://[::1]:1',
    'http://localhost:1',
  ])
})

test('port 0 becomes a free port, another stays', async () => {
  assert.equal(await choosePort({ host: '127.0.0.1', port: 7464 }), 7464)
  assert.ok((await choosePort({ host: '127.0.0.1', port: 0 })) > 0)
})

test('a request counts as local unless its name, a header or its peer says otherwise', async (t) => {
  const server = createServer((req, res) => res.end(String(isFromHere(req, 'http://box.lan:7464'))))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo

  async function ask(headers: Record<string, string>): Promise<string> {
    const sent = request({ host: '127.0.0.1', port, headers, agent: false }).end()
    const [answer] = await once(sent, 'response')
    return (await answer.toArray()).join('')
  }
  const verdicts: [headers: Record<string, string>, local: boolean][] = [
    [{}, true],
    [{ host: 'localhost:7464' }, true],
    [{ host: '[::1]:7464' }, true],
    [{ host: 'box.lan:7464' }, true],
    [{ host: 'evil.example:7464' }, false],
    [{ host: '127.0.0.1.evil.example' }, false],
    [{ host: 'localhost.evil.example' }, false],
    [{ host: 'localhost', 'x-forwarded-for': '203.0.113.9' }, false],
    [{ host: 'localhost', forwarded: 'for=203.0.113.9' }, false],
  ]
  for (const [headers, local] of verdicts) {
    assert.equal(await ask(headers), String(local), JSON.stringify(headers))
  }
  const far = { remoteAddress: '203.0.113.9', localAddress: '192.0.2.1' }
  const message = { socket: far, headers: { host: 'localhost' } } as Parameters<typeof isFromHere>[0]
  assert.equal(isFromHere(message, 'http://box.lan:7464'), false)
})
