// A thread of the database that ends takes the process with it: what is left could answer no one, and whoever starts the
// process anew loses nothing.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { spawnServer, stopInOrder } from './server-process.ts'

// Threads in the order in which they start; a message that is no list is more than they can take.
const threads = ['the writer', 'look-ups', 'lists']
const ending = (index: number) => `import { isMainThread } from 'node:worker_threads'
let started = 0
if (isMainThread) process.on('worker', (worker) => {
  if (started++ === ${index}) process.on('SIGUSR2', () => worker.postMessage(null))
})`

for (const [index, name] of threads.entries()) {
  test(`the process ends with the thread of ${name}, and says why`, async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'ringback-thread-'))
    t.after(() => rm(data, { recursive: true, force: true }))
    const preload = `data:text/javascript,${encodeURIComponent(ending(index))}`
    await using server = spawnServer(data, { NODE_OPTIONS: `--import=${preload}` })
    await server.ready
    assert.deepEqual(await server.end('SIGUSR2'), { status: 1, signal: null }, server.tail())
    assert.match(
      server.tail(),
      /^ringback: a thread of the database ended \(.+\): .*start the server again$/m,
    )

    await using again = spawnServer(data)
    await again.ready
    await stopInOrder(again)
  })
}
