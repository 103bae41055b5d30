// Strangers at the inbound URLs, who have no id or only think so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../http/start-api.ts'
import { openSocket, readSocket } from '../support/raw-socket.ts'

test('whoever guesses ids gets thirty answers in a minute, and costs the store nothing after that', async (t) => {
  let reads = 0
  const { call } = await startApi(
    t,
    { inbound_rate: { count: 30, window_s: 60 } },
    {
      wrapStore: (store) => ({
        ...store,
        findTaskByCallback(hash) {
          reads++
          return store.findTaskByCallback(hash)
        },
      }),
    },
  )
  const guess = (i: number) => call('POST', `/v1/callbacks/${i.toString(16).padStart(64, '0')}`, { json: {} })
  for (let i = 0; i < 30; i++) assert.equal((await guess(i)).status, 404)
  // One look-up a second tells the operator whether the limit hits a live id.
  const before = reads + 1
  for (let i = 30; i < 130; i++) assert.equal((await guess(i)).status, 429)
  assert.ok(reads <= before, `${reads} of ${before}`)
})

test('nothing of a body is waited for from whoever has no live id', async (t) => {
  const { port, createTask, call } = await startApi(t)
  const { callback_id } = await createTask()
  await call('POST', `/v1/callbacks/${callback_id}`, { json: 1 })
  for (const id of ['x', '0'.repeat(64), '%00', '..%2f..', 'x'.repeat(5000)]) {
    const socket = openSocket(t, port)
    socket.write(`POST /v1/callbacks/${id} HTTP/1.1\r\nhost: a\r\ncontent-length: 9000\r\n\r\n`)
    assert.match(await readSocket(socket, /\}/), /^HTTP\/1\.1 (404|400) /, id)
  }
})

test('an id is the same in no other spelling', async (t) => {
  const { call, createTask } = await startApi(t)
  const { callback_id } = await createTask()
  for (const id of [
    callback_id.toUpperCase(),
    ` ${callback_id}`,
    `${callback_id}%20`,
    `${callback_id}%00`,
    `${callback_id}.`,
    callback_id.slice(0, -1),
    `${callback_id}0`,
  ]) {
    // Capitals only where there is a letter.
    if (id === callback_id) continue
    const { status } = await call('POST', `/v1/callbacks/${id}`, { json: 1 })
    assert.ok(status === 404 || status === 400, `${id}: ${status}`)
  }
  assert.equal((await call('POST', `/v1/callbacks/${callback_id}`, { json: 1 })).status, 200)
})
