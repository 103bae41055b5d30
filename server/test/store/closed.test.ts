// What a store says when it cannot serve: closed, or opened with a key that is not its own.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createCipher } from '../../src/store/cipher.ts'
import { createStore } from '../../src/store/open.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import { newId, newProject, newTask } from '../support/store.ts'

const open = async (path: string, key: number) =>
  createStore({
    driver: await openSqliteDriver(path),
    cipher: createCipher(new Uint8Array(32).fill(key)),
    now: Date.now,
    owner: 'test:1',
  })

test('a database is opened by the key it was written with and by no other', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-key-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'ringback.db')
  const first = await open(path, 1)
  await first.checkSecretKey()
  const project = newProject()
  const secret = {
    id: newId(),
    project_id: project.id,
    kind: 'signing',
    mode: null,
    value: 'whsec_x',
  } as const
  await first.createProject({ project, keys: [], secrets: [{ ...secret, created_at: 1, expires_at: null }] })
  await first.checkSecretKey()
  await first.close()

  const other = await open(path, 2)
  await assert.rejects(other.checkSecretKey(), /RINGBACK_SECRET_KEY is not the key/)
  await other.close()
  assert.equal(statSync(path).mode & 0o077, 0)
})

test('a closed store refuses what comes later instead of keeping it waiting', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-closed-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const store = await open(join(folder, 'ringback.db'), 1)
  await store.close()
  await assert.rejects(store.ping(), { code: 'store_unavailable' })
  const task = newTask(newProject())
  await assert.rejects(store.createTask({ task, destination: null, idempotency: null }), {
    code: 'store_unavailable',
  })
})
