import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from '@ringback/sdk'
import { startDev } from './cli.ts'

test('a backup made while the server takes requests is a whole database to go on with', async (t) => {
  const { dev, data, ringback } = await startDev(t)
  const { tasks } = createClient({ baseUrl: dev.base_url, key: dev.live_key })
  const before = await tasks.create({ type: 'before', params: { n: 1 } })
  const ending = new AbortController()
  const busy = (async () => {
    while (!ending.signal.aborted) {
      await tasks.complete((await tasks.create({ type: 'during' })).id, { response: 1 })
      await delay(5)
    }
  })()

  const folder = await mkdtemp(join(tmpdir(), 'ringback-backup-'))
  const copy = join(folder, 'ringback.db')
  const made = await ringback(['backup', copy])
  assert.deepEqual([made.code, made.stderr], [0, ''])
  assert.match(made.stdout, /^\S+ringback\.db: \d+\.\d MiB in \d+\.\d s, checked\n$/)
  ending.abort()
  await busy
  assert.deepEqual(await readdir(folder), ['ringback.db'])
  assert.equal((await stat(copy)).mode & 0o777, 0o600)
  const again = await ringback(['backup', copy])
  assert.deepEqual([again.code, again.stderr], [1, `ringback: ${copy} exists: name a new file\n`])
  const nowhere = await ringback(['backup', join(folder, 'none', 'copy.db')])
  assert.equal(nowhere.code, 1)
  assert.match(nowhere.stderr, /^ringback: \S+ cannot be copied to \S+: [^\n]+\n$/)
  const empty = await ringback(['backup', join(folder, 'copy.db'), '--data', folder + '-none'])
  assert.match(empty.stderr, /^ringback: there is no database [^\n]+--data\n$/)

  for (const name of ['secret.key', 'dev.json']) await copyFile(join(data, name), join(folder, name))
  const restored = await startDev(t, folder)
  const client = createClient({ baseUrl: restored.dev.base_url, key: dev.live_key })
  assert.deepEqual((await client.tasks.get(before.id)).params, { n: 1 })
  assert.equal((await client.tasks.complete(before.id, { response: 2 })).status, 'completed')
})
