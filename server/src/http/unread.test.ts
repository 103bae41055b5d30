import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { fastify, type FastifyRequest } from 'fastify'
import { problems, type AppError } from '../domain/errors.ts'
import { boundUnread } from './unread.ts'

test('who does not read large answers gets no more of them, until the connections are gone', async (t) => {
  const app = fastify()
  app.decorateRequest('caller', null)
  app.addHook('onRequest', (request, _reply, done) => {
    const { project = '' } = request.headers
    request.caller = { project: { id: project } } as FastifyRequest['caller']
    done()
  })
  boundUnread(app)
  app.setErrorHandler((error: AppError, _request, reply) =>
    reply.code(problems[error.code].status).send(error.message),
  )
  app.get('/large', async () => 'x'.repeat(24 * 1024 * 1024))
  app.post('/large', async () => 'x'.repeat(24 * 1024 * 1024))
  app.get('/small', async () => 'x')
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const ask = async (path: string, project: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { project } })
    return { status: answer.status, text: await answer.text() }
  }

  const deaf = await Promise.all(
    Array.from({ length: 2 }, async () => {
      const socket = connect(port, '127.0.0.1')
      socket.write('GET /large HTTP/1.1\r\nhost: x\r\nproject: deaf\r\n\r\n')
      await once(socket, 'readable')
      return socket
    }),
  )
  const refused = await ask('/large', 'deaf')
  assert.equal(refused.status, 503)
  assert.match(refused.text, /wait to be read by you/)
  assert.equal((await ask('/small', 'deaf')).status, 200)
  assert.equal((await ask('/large', 'deaf', 'POST')).status, 200)
  assert.equal((await ask('/large', 'another')).status, 200)

  for (const socket of deaf) socket.destroy()
  while ((await ask('/large', 'deaf')).status === 503);
})
