import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fastify, type FastifyRequest } from 'fastify'
import { problems, type AppError } from '../domain/errors.ts'
import { boundUnread } from './unread.ts'

async function start(t: TestContext) {
  const app = fastify()
  app.decorateRequest('caller', null)
  app.decorateRequest('linked_project', null)
  app.addHook('onRequest', (request, _reply, done) => {
    const { project = '' } = request.headers
    if (project === 'linked') request.linked_project = project
    else request.caller = { project: { id: project } } as FastifyRequest['caller']
    done()
  })
  boundUnread(app)
  app.setErrorHandler((error: AppError, _request, reply) =>
    reply.code(problems[error.code].status).send(error.message),
  )
  app.get('/large', async () => 'x'.repeat(24 * 1024 * 1024))
  app.post('/large', async () => 'x'.repeat(24 * 1024 * 1024))
  app.get('/stream', async () => Readable.from(Array.from({ length: 24 }, () => 'x'.repeat(1024 * 1024))))
  app.post('/found', { config: { reads: true } }, async () => 'x'.repeat(24 * 1024 * 1024))
  app.get('/small', async () => 'x')
  app.get('/late', async (_request, reply) => {
    app.server.emit('late')
    await once(reply.raw, 'close')
    return 'x'.repeat(24 * 1024 * 1024)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const open = (path: string, project: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nproject: ${project}\r\n\r\n`)
    return socket
  }
  const ask = async (path: string, project: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { project } })
    return { status: answer.status, text: await answer.text() }
  }
  return { app, open, ask }
}

test('who does not read large answers gets no more of them, until the connections are gone', async (t) => {
  const { open, ask } = await start(t)
  const deaf = await Promise.all(
    Array.from({ length: 2 }, async () => {
      const socket = open('/large', 'deaf')
      await once(socket, 'readable')
      return socket
    }),
  )
  const refused = await ask('/large', 'deaf')
  assert.equal(refused.status, 503)
  assert.match(refused.text, /wait to be read by you/)
  assert.equal((await ask('/small', 'deaf')).status, 200)
  assert.equal((await ask('/found', 'deaf', 'POST')).status, 503)
  assert.equal((await ask('/large', 'deaf', 'POST')).status, 200)
  assert.equal((await ask('/large', 'deaf', 'HEAD')).status, 200)
  assert.equal((await ask('/large', 'another')).status, 200)

  for (const socket of deaf) socket.destroy()
  while ((await ask('/large', 'deaf')).status === 503);
})

test('who does not read what is made while it is sent gets no more either, with a key or by a link', async (t) => {
  const { open, ask } = await start(t)
  const begun = async (project: string) => {
    const socket = open('/stream', project)
    await once(socket, 'readable')
    assert.match(String(socket.read(12)), /200$/)
    return socket
  }
  for (const project of ['deaf', 'linked']) {
    const deaf = await Promise.all(Array.from({ length: 16 }, () => begun(project)))
    assert.equal((await ask('/stream', project)).status, 503)
    assert.equal((await ask('/stream', 'another')).status, 200)
    for (const socket of deaf) socket.destroy()
    while ((await ask('/stream', project)).status === 503);
  }
})

test('an answer to somebody who has gone away does not count', async (t) => {
  const { app, open, ask } = await start(t)
  const answered = Promise.withResolvers<void>()
  let left = 3
  app.server.on('request', (request) => request.once('close', () => --left === 0 && answered.resolve()))
  for (let i = 0; i < 3; i++) {
    const begun = once(app.server, 'late')
    const socket = open('/late', 'gone')
    await begun
    socket.destroy()
  }
  await answered.promise
  await nextTurn()
  assert.equal((await ask('/large', 'gone')).status, 200)
})
