import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { createTestLog } from '../../test/support/log.ts'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { startRawReceiver } from '../../test/support/receiver.ts'
import { startSender, using } from '../../test/support/sender.ts'
import { openTestStore } from '../../test/support/store.ts'
import { LostRecordError, type Work, type WorkResult, type WorkTools } from '../dialects/work.ts'
import type { StoredRecord } from '../domain/record.ts'
import { createFetcher } from './fetcher.ts'
import { LEASE_MS } from './record-hold.ts'
import { createRecordWorker } from './record-worker.ts'

const scope = { project_id: 'p', mode: 'live' as const }
const BOUNDS = { max_bytes: 1000, total_ms: 60_000, idle_ms: 60_000 }

/** A worker over a real store, with a clock that the test moves. */
async function setUp(t: TestContext, work: Work | undefined, at_a_time = { in_all: 4, per_project: 4 }) {
  const clock = createManualClock()
  const store = await openTestStore({ now: clock.now })
  const { egress } = await startSender(t)
  const fetcher = createFetcher({ egress, version: '0.0.0' })
  const log = createTestLog()
  let writes = 0
  let failing = 0
  let written = Promise.withResolvers<void>()
  const worker = createRecordWorker({
    store: {
      ...store,
      async updateRecord(record) {
        try {
          if (failing > 0 && failing-- > 0) throw new Error('no database')
          return await store.updateRecord(record)
        } finally {
          writes++
          written.resolve()
          written = Promise.withResolvers()
        }
      },
    },
    workOf: async () => work,
    fetch: fetcher.fetch,
    clock,
    log,
    at_a_time,
  })
  t.after(async () => {
    await worker.stop(0)
    await fetcher.close()
    await store.close()
  })
  return {
    clock,
    store,
    log,
    worker,
    /** Resolves when the worker has written so often, or tried to. */
    writes: async (count: number): Promise<void> => {
      for (let seen = writes; seen < count; seen = writes) await written.promise
    },
    failNext: (count: number) => void (failing = count),
    insert: async (key: string, body = '0', changes: Partial<StoredRecord> = {}): Promise<StoredRecord> => {
      const now = clock.now()
      const times = { created_at: now, updated_at: now, due_at: now, expires_at: null }
      const record = { ...scope, kind: 'import', key, body, ...times, version: 1, ...changes }
      assert.deepEqual(await store.insertRecord(record), { kind: 'created' })
      return record
    },
    row: async (key: string): Promise<StoredRecord> => {
      const record = await store.findRecord(scope, 'import', key)
      assert.ok(record)
      return record
    },
    /** Writes a record as another node or a request would. */
    overwrite: async (key: string, changes: Partial<StoredRecord>): Promise<void> => {
      const row = await store.findRecord(scope, 'import', key)
      assert.equal(await store.updateRecord({ ...row!, ...changes, version: row!.version + 1 }), true)
    },
  }
}

/** Work that hands its tools to the test, which ends it. */
function byHand() {
  const begun = Promise.withResolvers<WorkTools>()
  const end = Promise.withResolvers<WorkResult>()
  const work: Work = (_record, tools) => {
    begun.resolve(tools)
    return end.promise
  }
  return { work, begun: begun.promise, end }
}

test('a record is worked on when it is due, and written as its work says', async (t) => {
  const seen: string[] = []
  const { clock, worker, writes, insert, row } = await setUp(t, async ({ body }, { now }) => {
    seen.push(body)
    if (body === '0') return { body: '1', due_at: now() + 5000 }
    return { body: '2', due_at: null, expires_at: now() + 9000 }
  })
  const { expires_at, created_at } = await insert('a', '0', { expires_at: clock.now() + 7000 })
  await insert('never', 'x', { due_at: null })
  await insert('later', 'x', { due_at: clock.now() + 6000 })
  clock.advance(10)
  worker.start()
  await writes(1)
  const first = await row('a')
  assert.deepEqual(
    [first.body, first.due_at, first.expires_at, first.created_at, first.updated_at],
    ['1', clock.now() + 5000, expires_at, created_at, clock.now()],
  )
  clock.advance(5000)
  await writes(2)
  const second = await row('a')
  assert.deepEqual([second.body, second.due_at, second.expires_at], ['2', null, clock.now() + 9000])
  assert.deepEqual(seen, ['0', '1'])
})

test('what another node made due is found within a second', async (t) => {
  const { clock, worker, writes, insert, row } = await setUp(t, async () => ({ body: '1', due_at: null }))
  await insert('a')
  worker.start()
  await writes(1)
  await insert('b')
  clock.advance(1000)
  await writes(2)
  assert.equal((await row('b')).body, '1')
})

test('a URL that hangs does not stop other records, of which so many are worked on at a time', async (t) => {
  const receiver = await using(
    t,
    startRawReceiver(() => {}),
  )
  const full = Promise.withResolvers<void>()
  const seen = Promise.withResolvers<void>()
  let running = 0
  let most = 0
  const work: Work = async ({ body }, { fetch }) => {
    most = Math.max(most, ++running)
    if (running === 3) full.resolve()
    if (body !== '0') for await (const _piece of fetch(body, BOUNDS));
    await seen.promise
    running--
    return { body: '1', due_at: null }
  }
  const { clock, store, worker, writes, insert } = await setUp(t, work, { in_all: 3, per_project: 3 })
  await insert('hangs', receiver.url)
  for (const key of ['a', 'b', 'c', 'd', 'e']) await insert(key)
  worker.start()
  await full.promise
  worker.recordDue(clock.now())
  // Time enough for a look and a claim.
  for (const key of ['x', 'y', 'z']) await insert(key, '0', { due_at: null })
  seen.resolve()
  await writes(5)
  const { rows } = await store.listRecords(scope, 'import', { limit: 10, offset: 0 })
  assert.deepEqual(
    rows.filter(({ body }) => body === '1').map(({ key }) => key),
    ['e', 'd', 'c', 'b', 'a'],
  )
  assert.equal(most, 3)
})

test('a project whose works all hang does not stop those of others', async (t) => {
  const begun: string[] = []
  const other = Promise.withResolvers<void>()
  const hanging = new Promise<never>(() => {})
  const work: Work = async ({ project_id, body }) => {
    begun.push(project_id)
    if (project_id === 'p') await hanging
    other.resolve()
    return { body, due_at: null }
  }
  const { worker, insert, writes } = await setUp(t, work, { in_all: 4, per_project: 2 })
  for (const key of ['a', 'b', 'c', 'd', 'e']) await insert(key)
  await insert('f', '0', { project_id: 'q' })
  worker.start()
  await other.promise
  await writes(1)
  assert.deepEqual(begun.toSorted(), ['p', 'p', 'q'])
})

test('work that takes long keeps its record by renewals, and what it saves stays', async (t) => {
  const { work, begun, end } = byHand()
  const { clock, store, worker, writes, insert, row } = await setUp(t, work)
  const { updated_at } = await insert('a')
  worker.start()
  const { save } = await begun
  for (let count = 1; count <= 9; count++) {
    clock.advance(LEASE_MS / 3)
    await writes(count)
    const { due_at } = await row('a')
    assert.equal(due_at, clock.now() + LEASE_MS)
    assert.equal(await store.claimRecord(1), undefined)
  }
  assert.equal((await row('a')).updated_at, updated_at)
  clock.advance(5000)
  await save('half')
  const saved = await row('a')
  assert.deepEqual(
    [saved.body, saved.due_at, saved.updated_at],
    ['half', clock.now() + LEASE_MS, clock.now()],
  )
  clock.advance(LEASE_MS / 3)
  await writes(11)
  assert.equal((await row('a')).body, 'half')
  end.resolve({ body: 'whole', due_at: null })
  await writes(12)
  const done = await row('a')
  assert.deepEqual([done.body, done.due_at], ['whole', null])
  clock.advance(LEASE_MS)
  await assert.rejects(save('late'), LostRecordError)
  assert.deepEqual(await row('a'), done)
})

test('a save and a renewal at the same time both hold', async (t) => {
  const { work, begun } = byHand()
  const { clock, worker, writes, insert, row } = await setUp(t, work)
  await insert('a')
  worker.start()
  const { save } = await begun
  clock.advance(LEASE_MS / 3)
  await Promise.all([save('1'), save('2')])
  await writes(3)
  const { body, version } = await row('a')
  assert.deepEqual([body, version], ['2', 5])
})

test('a record that somebody else has written is lost to its work, which ends without a word', async (t) => {
  for (const notice of ['save', 'renewal', 'end'] as const) {
    const { work, begun, end } = byHand()
    const { clock, log, worker, writes, insert, row, overwrite } = await setUp(t, work)
    await insert('a')
    worker.start()
    const { save, signal } = await begun
    await overwrite('a', { body: 'theirs', due_at: null })
    const theirs = await row('a')
    if (notice === 'save') await assert.rejects(save('ours'), LostRecordError)
    if (notice === 'renewal') clock.advance(LEASE_MS / 3)
    if (notice === 'end') end.resolve({ body: 'ours', due_at: null })
    await writes(1)
    if (!signal.aborted) await once(signal, 'abort')
    end.reject(new Error('interrupted'))
    await worker.stop(1000)
    assert.deepEqual(await row('a'), theirs, notice)
    assert.deepEqual(log.lines, [], notice)
  }
})

test('work that fails is logged by kind and key, and its record due again after a growing wait', async (t) => {
  let broken = true
  const work: Work = async (_record, { save, now }) => {
    await save('half')
    if (broken) throw new Error('a bug')
    return { body: 'half', due_at: now() + 1 }
  }
  const { clock, log, worker, writes, insert, row } = await setUp(t, work)
  await insert('a')
  worker.start()
  const waits: number[] = []
  const fail = async (count: number) => {
    await writes(2 * count)
    const { due_at, body } = await row('a')
    assert.equal(body, 'half')
    waits.push((due_at ?? 0) - clock.now())
    clock.advanceTo(due_at ?? 0)
  }
  for (let count = 1; count <= 11; count++) {
    broken = count !== 11
    await fail(count)
  }
  broken = true
  await fail(12)
  assert.deepEqual(
    waits.map((wait_ms) => wait_ms / 1000),
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 0.001, 1],
  )
  const [line] = log.lines
  assert.deepEqual(
    { ...line, err: String(line?.['err']) },
    {
      ...scope,
      level: 'error',
      message: 'record.failed',
      kind: 'import',
      key: 'a',
      wait_ms: 1000,
      err: 'Error: a bug',
    },
  )
})

test('a record that nobody here works on is put off, and said so', async (t) => {
  const { clock, log, worker, writes, insert, row } = await setUp(t, undefined)
  await insert('a')
  worker.start()
  await writes(1)
  assert.equal((await row('a')).due_at, clock.now() + 1000)
  assert.equal(String(log.lines[0]?.['err']), 'Error: No dialect here works on records of the kind import')
})

test('a result that could not be written is worked for again', async (t) => {
  let count = 0
  const { clock, log, worker, writes, insert, row, failNext } = await setUp(t, async () => ({
    body: `${++count}`,
    due_at: null,
  }))
  await insert('a')
  failNext(1)
  worker.start()
  await writes(2)
  assert.equal((await row('a')).due_at, clock.now() + 1000)
  failNext(2)
  clock.advance(1000)
  await writes(4)
  assert.equal((await row('a')).due_at, clock.now() + LEASE_MS)
  clock.advance(LEASE_MS)
  await writes(5)
  assert.deepEqual([(await row('a')).body, count], ['3', 3])
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ['record.failed', 'record.failed', 'record.unwritten'],
  )
})

test('stop ends what is under way, and it is due at once from what was saved', async (t) => {
  const asked = Promise.withResolvers<void>()
  const receiver = await using(
    t,
    startRawReceiver(() => asked.resolve()),
  )
  const { clock, log, worker, insert, row } = await setUp(t, async (_record, { save, fetch }) => {
    await save('half')
    for await (const _piece of fetch(receiver.url, BOUNDS));
    return { body: 'whole', due_at: null }
  })
  await insert('a')
  worker.start()
  await asked.promise
  await worker.stop(1000)
  const { body, due_at } = await row('a')
  assert.deepEqual([body, due_at], ['half', clock.now()])
  assert.deepEqual(log.lines, [])
  await insert('b')
  worker.recordDue(clock.now())
  clock.advance(5000)
  assert.equal((await row('b')).version, 1)
})

test('work that does not hear the signal is waited for no longer than the grace, and writes nothing later', async (t) => {
  const { work, begun, end } = byHand()
  const { clock, log, worker, insert, row } = await setUp(t, work)
  await insert('a')
  worker.start()
  const { save } = await begun
  await save('half')
  const stopped_at = clock.now()
  await clock.advanceUntil(worker.stop(1000))
  const left = await row('a')
  assert.equal(left.body, 'half')
  assert.ok(left.due_at !== null && left.due_at >= stopped_at + 1000 && left.due_at <= clock.now())
  await assert.rejects(save('late'), LostRecordError)
  end.resolve({ body: 'late', due_at: null })
  await new Promise(setImmediate)
  // Commits with or after what was written late.
  await insert('b')
  assert.deepEqual(await row('a'), left)
  assert.deepEqual(log.lines, [])
})
