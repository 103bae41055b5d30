// A PostgreSQL without room: its tables on a file system of their own, which another file fills. Mounting takes rights that
// most users do not have.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createClient } from '@ringback/sdk'
import pg from 'pg'
import { NOBODY, startOwnPostgres } from '../support/postgres.ts'
import { adminKey, spawnServer } from './server-process.ts'
import { isUnavailable } from '../support/unavailable.ts'

const BYTES = 64 * 1024 * 1024
const LEFT = 1024 * 1024
const REFUSALS = 5

/** Mounts a small file system; undefined where that is not allowed. */
async function mountSmall(t: TestContext): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'ringback-small-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${BYTES},uid=${NOBODY}`, 'tmpfs', folder], {
      stdio: 'ignore',
    })
  } catch {
    await rm(folder, { recursive: true })
    return undefined
  }
  t.after(async () => {
    execFileSync('umount', ['--lazy', folder])
    await rm(folder, { recursive: true })
  })
  return folder
}

test('a PostgreSQL whose disk is full: writes get 503, reads go on, nothing is lost, and all goes on once there is room', async (t) => {
  const small = await mountSmall(t)
  if (small === undefined) return t.skip('this user may not mount a file system')
  const postgres = await startOwnPostgres({ fsync: false })
  t.after(() => postgres.stop())
  const url = await postgres.createDatabase()
  const owner = new pg.Client({ connectionString: new URL('/postgres', url).href })
  await owner.connect()
  await owner.query(`create tablespace small location '${small}'`)
  await owner.query(`alter database ${new URL(url).pathname.slice(1)} set tablespace small`)
  await owner.end()

  const data = await mkdtemp(join(tmpdir(), 'ringback-full-'))
  await using server = spawnServer(data, { RINGBACK_DATABASE_URL: url })
  t.after(() => rm(data, { recursive: true, force: true }))
  const baseUrl = await server.ready
  const ready = async () => (await fetch(`${baseUrl}/readyz`)).status
  const { credentials } = await createClient({ baseUrl, key: adminKey }).admin.createProject({ name: 'full' })
  const { tasks } = createClient({ baseUrl, key: credentials.live_key })
  const create = () => tasks.create({ params: { text: 'x'.repeat(1000) } })
  assert.equal(await ready(), 200)

  const { bavail, bsize } = await statfs(small)
  const filler = join(small, 'filler')
  await writeFile(filler, Buffer.alloc(bavail * bsize - LEFT))
  const created: string[] = []
  // What one table had no room for, pages of another may still have: the disk is full when nothing fits several times over.
  for (let refused = 0; refused < REFUSALS;) {
    try {
      created.push((await create()).id)
      refused = 0
    } catch (error) {
      isUnavailable(error)
      refused++
    }
  }
  assert.ok(created.length > 10)
  assert.equal(await ready(), 503)
  for (const id of created) assert.equal((await tasks.get(id)).status, 'waiting')

  await rm(filler)
  await create()
  assert.equal(await ready(), 200)
  for (const id of created) assert.equal((await tasks.complete(id, { response: 1 })).status, 'completed')
  assert.deepEqual(await server.end('SIGTERM'), { status: 0, signal: null })
  assert.match(server.tail(), /No space left on device.*"msg":"store\.unavailable"/)
})
