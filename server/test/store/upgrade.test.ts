// What an upgrade meets: a database with the schema before the last migration, with work in it. It is migrated where that is
// allowed, refused where it is not, and goes on with what was waiting.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { scopesOf, scopesOfRole } from '../../src/domain/key.ts'
import { defaultSettings } from '../../src/domain/project.ts'
import type { Driver } from '../../src/store/driver.ts'
import type { MigrateMode } from '../../src/store/migrate.ts'
import { openPostgres } from '../../src/store/postgres-database.ts'
import { openPostgresDriver } from '../../src/store/postgres.ts'
import { openSqlite } from '../../src/store/sqlite-database.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import { makeOld, type OldRows } from '../support/old-schema.ts'
import { startPostgres } from '../support/postgres.ts'
import { storeOn } from '../support/store.ts'
import { claimAll } from '../support/claims.ts'

const rows: OldRows = {
  projects: {
    id: 'p',
    name: 'old',
    dialect: 'native',
    settings: JSON.stringify({ ...defaultSettings, limits: { in_flight: 8 } }),
    created_at: 1,
    updated_at: 1,
  },
  keys: {
    id: 'k',
    project_id: 'p',
    mode: 'live',
    role: 'customer',
    hash: 'h',
    hint: 'rb_live_1234',
    created_at: 1,
  },
  destinations: {
    id: 'd',
    project_id: 'p',
    mode: 'live',
    key: 'http://127.0.0.1:1',
    due_at: 1,
    not_before: 0,
    created_at: 1,
  },
  tasks: {
    id: 't',
    project_id: 'p',
    mode: 'live',
    type: 'task',
    status: 'completed',
    callback_used: 0,
    event_count: 1,
    created_at: 1,
    updated_at: 1,
    version: 2,
    params: '{}',
    metadata: '{}',
  },
  events: { id: 'e', task_id: 't', sequence: 1, type: 'task.completed', created_at: 1, body: '{"old":1}' },
  deliveries: {
    id: 'x',
    project_id: 'p',
    mode: 'live',
    task_id: 't',
    seq: 1,
    event_id: 'e',
    event_type: 'task.completed',
    sequence: 1,
    destination_id: 'd',
    url: 'http://127.0.0.1:1/',
    resend: 0,
    state: 'pending',
    due_at: 1,
    attempt_count: 0,
    unknown_count: 0,
    unknown_streak: 0,
    cancel_requested: 0,
    fence: 0,
    created_at: Date.now(),
  },
}

async function checkUpgrade(open: (mode: MigrateMode) => Promise<Driver>): Promise<void> {
  await assert.rejects(open('check'), { name: 'OlderDatabaseError', message: /run `ringback migrate`$/ })
  const store = storeOn(await open('migrate'))
  const project = await store.findProject('p')
  assert.deepEqual(project?.settings.limits, { in_flight: 8, per_second: null })
  const key = await store.findKey('h')
  assert.ok(key)
  assert.deepEqual(scopesOf(key), scopesOfRole.customer, 'an old key may do what it could')
  assert.deepEqual([key.name, key.expires_at, key.last_used_at], [null, null, null])
  assert.deepEqual((await store.listAudits({}, { limit: 1, after: null })).rows, [])
  const claimed = await store.claim({ ...claimAll, destinations: 10, per_destination: 10 })
  assert.deepEqual(
    claimed.claimed.map(({ id, body }) => [id, body]),
    [['x', '{"old":1}']],
  )
  await store.close()
  const again = storeOn(await open('check'))
  await again.close()
}

test('SQLite of the schema before is migrated or refused, as told', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'ringback-upgrade-'))
  t.after(() => rmSync(home, { recursive: true }))
  const path = join(home, 'ringback.db')
  await makeOld(openSqlite(path, { readonly: false }), 'sqlite', rows)
  await checkUpgrade((mode) => openSqliteDriver(path, { mode }))
})

test('PostgreSQL of the schema before is migrated or refused, as told, and by one of ten nodes that start at once', async (t) => {
  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  const [one, many] = [await postgres.createDatabase(), await postgres.createDatabase()]
  await makeOld(openPostgres(one, { connections: 1 }), 'postgres', rows)
  await checkUpgrade((mode) => openPostgresDriver(one, { mode }))

  await makeOld(openPostgres(many, { connections: 1 }), 'postgres', rows)
  const nodes = await Promise.all(Array.from({ length: 10 }, () => openPostgresDriver(many)))
  assert.deepEqual(
    nodes.map(({ migrated }) => migrated.applied.length).toSorted((a, b) => a - b),
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  )
  await Promise.all(nodes.map((node) => node.close()))
})
