// A thread of the database that ends takes the process with it: what is left could answer no one, and whoever starts the
// process anew loses nothing.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { spawnServer, stopInOrder } from './server-process.ts'

// A message that is no list is more than a thread can take; one that is terminated ends without an error.
const ends = { fails: 'worker.postMessage(null)', 'is terminated': 'worker.terminate()' }
// Threads in the order in which they start.
const threads = ['the writer', 'look-ups', 'lists']
const ending = (index: number, end: string) => `import { isMainThread } from 'node:worker_threads'
let started = 0
if (isMainThread) process.on('worker', (worker) => {
  if (started++ === ${index}) process.on('SIGUSR2', () => ${end})
})`

const cases = threads.flatMap((name, index) =>
  Object.entries(ends).map(([how, end]) => ({ name, how, preloaded: ending(index, end) })),
)
for (const { name, how, preloaded } of cases) {
  test(`the process ends when the thread of ${name} ${how}, and says why`, async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'ringback-thread-'))
    t.after(() => rm(data, { recursive: true, force: true }))
    const preload = `data:text/javascript,${encodeURIComponent(preloaded)}`
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
