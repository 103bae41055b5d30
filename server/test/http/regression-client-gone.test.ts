// A client that goes away before its answer still counted as under way, for ever: a stop then never ended.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from './start-api.ts'

test('a drain does not wait for a client that has gone before its answer', async (t) => {
  const asked = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const { api, port, call, credentials } = await startApi(
    t,
    {},
    {
      wrapStore: (store) => ({
        ...store,
        async findTask(scope, id) {
          asked.resolve()
          await release.promise
          return store.findTask(scope, id)
        },
      }),
    },
  )
  const leaving = new AbortController()
  const answer = fetch(`http://127.0.0.1:${port}/v1/tasks/any`, {
    headers: { authorization: `Bearer ${credentials.live_key}` },
    signal: leaving.signal,
  })
  await asked.promise
  leaving.abort()
  await assert.rejects(answer, { name: 'AbortError' })
  // Whoever has answered this has seen the other one go.
  assert.equal((await call('GET', '/v1/project')).status, 200)
  release.resolve()
  await api.drain()
})
