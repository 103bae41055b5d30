// A disk without room, as a process meets it: a limit on the size of its files, which needs no rights and can be lifted
// while it runs.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createClient } from '@ringback/sdk'
import { adminKey, spawnServer } from './server-process.ts'
import { isUnavailable } from '../support/unavailable.ts'

const limitFiles = (pid: number, bytes: number | 'unlimited') =>
  promisify(execFile)('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`])

test('a full disk refuses writes with 503 and loses nothing, and all goes on once there is room', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'ringback-full-'))
  const server = spawnServer(data)
  t.after(async () => {
    await server[Symbol.asyncDispose]()
    await rm(data, { recursive: true, force: true })
  })
  const baseUrl = await server.ready
  const { credentials } = await createClient({ baseUrl, key: adminKey }).admin.createProject({ name: 'full' })
  const { tasks } = createClient({ baseUrl, key: credentials.live_key })
  const create = () => tasks.create({ params: { text: 'x'.repeat(10_000) } })

  await limitFiles(server.pid, 3_000_000)
  const created: string[] = []
  await assert.rejects(async () => {
    for (;;) created.push((await create()).id)
  }, isUnavailable)
  assert.ok(created.length > 10)
  // What was refused is the log's; a checkpoint may make room in it once more. Now there is none for sure.
  await limitFiles(server.pid, 0)
  await assert.rejects(create(), isUnavailable)
  const ready = async () => (await fetch(`${baseUrl}/readyz`)).status
  assert.equal(await ready(), 503)
  assert.equal((await tasks.get(created[0]!)).status, 'waiting')

  await limitFiles(server.pid, 'unlimited')
  assert.equal((await tasks.complete(created[0]!, { response: 1 })).status, 'completed')
  await create()
  assert.equal(await ready(), 200)
  for (const id of created) await tasks.get(id)
  assert.deepEqual(await server.end('SIGTERM'), { status: 0, signal: null })
  assert.match(
    server.tail(),
    /"message":"database or disk is full|disk I\/O error.*"msg":"store\.unavailable"/,
  )
})
