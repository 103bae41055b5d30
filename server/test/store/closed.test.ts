// What a store says when it cannot serve: closed, or opened with a key that is not its own.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createCipher } from '../../src/store/cipher.ts'
import { createStore } from '../../src/store/open.ts'
import type { Secret } from '../../src/domain/project.ts'
import { assertOpens, sealSecret } from '../../src/store/sealed.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import { openSqlite } from '../../src/store/sqlite-database.ts'
import { makeOld } from '../support/old-schema.ts'
import { newProject, newTask } from '../support/store.ts'

async function open(path: string, key: number) {
  const cipher = createCipher(new Uint8Array(32).fill(key))
  const driver = await openSqliteDriver(path, { admit: (sealed) => assertOpens(cipher, sealed) })
  return createStore({ driver, cipher, now: Date.now, owner: 'test:1' })
}

test('a wrong key is refused before anything is written, and the database opens with its own key', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-key-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'ringback.db')
  const secret: Secret = {
    id: 's',
    project_id: 'p',
    kind: 'signing',
    mode: null,
    value: 'whsec_x',
    created_at: 1,
    expires_at: null,
  }
  // One migration is due: opening it with the right key makes it.
  const database = openSqlite(path, { readonly: false })
  await makeOld(database, 'sqlite', { secrets: sealSecret(createCipher(new Uint8Array(32).fill(1)), secret) })
  const before = readFileSync(path)
  await assert.rejects(open(path, 2), /RINGBACK_SECRET_KEY .*is not the key/)
  assert.deepEqual(readFileSync(path), before)
  const again = await open(path, 1)
  assert.equal((await again.secrets('p'))[0]?.value, 'whsec_x')
  await again.close()
  assert.notDeepEqual(readFileSync(path), before)
})

test('a closed store refuses what comes later instead of keeping it waiting', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-closed-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const store = await open(join(folder, 'ringback.db'), 1)
  assert.equal(statSync(join(folder, 'ringback.db')).mode & 0o077, 0)
  await store.close()
  await assert.rejects(store.ping(), { code: 'store_unavailable' })
  const task = newTask(newProject())
  await assert.rejects(store.createTask({ task, destination: null, idempotency: null }), {
    code: 'store_unavailable',
  })
})
