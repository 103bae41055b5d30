import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fastify } from 'fastify'
import { tendStreams } from './streamed.ts'

async function start(t: TestContext, parts: () => AsyncGenerator<string>) {
  const app = fastify()
  const failures: [unknown, string | undefined][] = []
  tendStreams(app, (error, { routeOptions }) => failures.push([error, routeOptions.url]))
  const streams: Readable[] = []
  app.get('/list', async () => {
    const stream = Readable.from(parts())
    streams.push(stream)
    return stream
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const ask = (method = 'GET') => fetch(`http://127.0.0.1:${port}/list`, { method })
  return { ask, failures, streams }
}

test('a HEAD makes nothing of what it does not send', async (t) => {
  let made = 0
  const { ask, failures, streams } = await start(t, async function* () {
    while (made < 3) {
      made++
      yield 'x'
    }
  })
  const { status, headers } = await ask('HEAD')
  for (let turns = 0; turns < 10; turns++) await nextTurn()
  assert.deepEqual([status, headers.get('content-length'), made], [200, null, 0])
  assert.ok(streams[0]?.destroyed)
  assert.equal(await (await ask()).text(), 'xxx')
  assert.deepEqual(failures, [])
})

test('what fails on the way breaks the answer off, and is told', async (t) => {
  const gone = new Error('gone')
  const { ask, failures } = await start(t, async function* () {
    yield 'x'
    throw gone
  })
  const answer = await ask()
  assert.equal(answer.status, 200)
  await assert.rejects(answer.text())
  assert.deepEqual(failures, [[gone, '/list']])
})
