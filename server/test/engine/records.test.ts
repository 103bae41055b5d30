import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Work } from '../../src/dialects/work.ts'
import type { StoredRecord } from '../../src/domain/record.ts'
import { createRecordWorker } from '../../src/engine/record-worker.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { startEngine, startWorld } from '../support/engine.ts'
import { createTestLog } from '../support/log.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { startRawReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { storeOn } from '../support/store.ts'

const scope = { project_id: 'p', mode: 'live' as const }

const recordOf = (now: number, due_at: number | null): StoredRecord => ({
  ...scope,
  kind: 'import',
  key: 'a',
  body: 'begin',
  created_at: now,
  updated_at: now,
  due_at,
  expires_at: null,
  version: 1,
})

/** Writes a record that is done, as soon as it is. */
async function makeDue(store: Store, body: string, due_at: number): Promise<void> {
  const row = await store.findRecord(scope, 'import', 'a')
  if (row?.due_at !== null) return makeDue(store, body, due_at)
  assert.equal(await store.updateRecord({ ...row, body, due_at, version: row.version + 1 }), true)
}

/** Work that tells the body it began with, and is done. */
function telling() {
  let told = Promise.withResolvers<string>()
  const work: Work = async ({ body }) => {
    told.resolve(body)
    return { body: 'done', due_at: null }
  }
  return {
    work,
    /** The body of the next record worked on. */
    next: () => {
      told = Promise.withResolvers()
      return told.promise
    },
  }
}

test('a record that a commit makes due is worked on at once, before any time has passed', async (t) => {
  const world = await startWorld(t, { clock: createManualClock() })
  const { work, next } = telling()
  await startEngine(t, world, { workOf: async () => work })
  const inserted = next()
  await world.store.insertRecord(recordOf(world.clock.now(), world.clock.now()))
  assert.equal(await inserted, 'begin')
  const updated = next()
  await makeDue(world.store, 'again', world.clock.now())
  assert.equal(await updated, 'again')
})

test('an engine that stops leaves a record due at once though its URL hangs', async (t) => {
  const world = await startWorld(t)
  const asked = Promise.withResolvers<void>()
  const receiver = await using(
    t,
    startRawReceiver(() => asked.resolve()),
  )
  const work: Work = async (_record, { fetch }) => {
    const bounds = { max_bytes: 1000, total_ms: 60_000, idle_ms: 60_000 }
    for await (const _piece of fetch(receiver.url, bounds));
    return { body: 'done', due_at: null }
  }
  const { engine, log } = await startEngine(t, world, { workOf: async () => work })
  await world.store.insertRecord(recordOf(world.clock.now(), world.clock.now()))
  await asked.promise
  await engine.stop(10_000)
  const row = await world.store.findRecord(scope, 'import', 'a')
  assert.equal(row?.body, 'begin')
  assert.ok(row.due_at !== null && row.due_at <= world.clock.now())
  assert.deepEqual(log.lines, [])
})

test('the record of a killed process is gone on with by the next, once its lease is over', async () => {
  await using ending = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'ringback-records-'))
  ending.defer(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'ringback.db')
  const before = storeOn(await openSqliteDriver(path))
  await before.insertRecord(recordOf(1, 1))
  await before.close()

  const program = fileURLToPath(new URL('./dying-worker.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=@ringback/source', program, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  ending.defer(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')

  const clock = createManualClock(Date.now())
  const store = storeOn(await openSqliteDriver(path), clock.now, 'test:2')
  ending.defer(() => store.close())
  const { work, next } = telling()
  const worker = createRecordWorker({
    store,
    clock,
    log: createTestLog(),
    fetch: () => assert.fail('this work reads no URL'),
    workOf: async () => work,
  })
  ending.defer(() => worker.stop(0))
  const due_at = await store.nextRecordDue()
  assert.ok(due_at !== null && due_at > clock.now() + 30_000 && due_at <= clock.now() + 60_000)
  const began = next()
  worker.start()
  clock.advanceTo(due_at - 1)
  assert.equal(await store.claimRecord(1), undefined)
  clock.advanceTo(due_at)
  assert.equal(await began, 'half')
})
