import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { LOG_LIMIT_BYTES, startCheckpoints } from './sqlite-checkpoints.ts'
import { openSqlite } from './sqlite-database.ts'

test('the log that a long list made long is cut when the list is read', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const folder = mkdtempSync(join(tmpdir(), 'ringback-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'ringback.db')
  const writer = openSqlite(path, { readonly: false })
  t.after(() => writer.close())
  const insert = (bytes: number) =>
    writer.write((tx) => tx.all('insert into rows values (zeroblob($1))', [bytes]))
  const logBytes = () => statSync(`${path}-wal`).size
  await writer.write((tx) => tx.all('create table rows (bytes blob)'))
  const list = new DatabaseSync(path, { readOnly: true })
  t.after(() => list.close())
  t.after(startCheckpoints(path))

  list.exec('begin')
  list.prepare('select count(*) from rows').get()
  for (let mib = 0; mib < 72; mib += 8) await insert(8 * 1024 * 1024)
  t.mock.timers.tick(100)
  await insert(1)
  assert.ok(logBytes() > LOG_LIMIT_BYTES, 'it is kept while it is read')

  list.exec('commit')
  t.mock.timers.tick(100)
  await insert(1)
  assert.ok(logBytes() <= LOG_LIMIT_BYTES, `${logBytes()} bytes are left`)
})
