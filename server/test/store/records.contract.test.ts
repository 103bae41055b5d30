// What every database must do for the dialects: records, labels, and finding tasks by what a dialect knows of them.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Project } from '../../src/domain/project.ts'
import type { StoredRecord } from '../../src/domain/record.ts'
import type { Store } from '../../src/store/store.ts'
import { contractDatabases, type Opened } from '../support/contract-databases.ts'
import { newProject } from '../support/store.ts'

let clock = 1_000_000

for (const { name, open } of contractDatabases) {
  describe(`The store's verbs for the dialects on ${name}`, () => {
    let opened: Opened
    let store: Store
    let project: Project

    before(async () => {
      opened = await open(() => clock)
      store = opened.store
    })
    after(() => opened.end())

    async function freshProject(settings = {}): Promise<Project> {
      project = newProject(settings)
      await store.createProject({ project, keys: [], secrets: [] })
      return project
    }

    const scope = () => ({ project_id: project.id, mode: 'live' as const })

    const recordOf = (key: string, changes: Partial<StoredRecord> = {}): StoredRecord => ({
      ...scope(),
      kind: 'batch',
      key,
      body: `{"n":1950000000000000001}`,
      created_at: clock,
      updated_at: clock,
      due_at: null,
      expires_at: null,
      version: 1,
      ...changes,
    })

    const insert = async (record: StoredRecord) => {
      assert.deepEqual(await store.insertRecord(record), { kind: 'created' })
      return record
    }

    const after1 = (record: StoredRecord, changes: Partial<StoredRecord> = {}): StoredRecord => ({
      ...record,
      ...changes,
      version: record.version + 1,
    })

    const found = async ({ kind, key }: StoredRecord) => {
      const record = await store.findRecord(scope(), kind, key)
      return record && { ...record }
    }

    it('gives a record back as it was, by scope, kind and key', async () => {
      await freshProject()
      const record = await insert(recordOf('a', { due_at: clock * 1000, expires_at: clock * 2000 }))
      assert.deepEqual(await found(record), record)
      assert.equal(await store.findRecord(scope(), 'import', 'a'), undefined)
      assert.equal(await store.findRecord({ ...scope(), mode: 'test' }, 'batch', 'a'), undefined)
      assert.equal(await store.findRecord({ ...scope(), project_id: 'other' }, 'batch', 'a'), undefined)
      assert.equal(await store.deleteRecord(scope(), 'batch', 'a'), true)
    })

    it('takes a key of a record once, and leaves nothing behind of the second', async () => {
      await freshProject()
      const idempotency = { ...scope(), key: 'k', request_hash: 'h', status: 201, answer: '{}' }
      const records = ['first', 'second'].map((body) => recordOf('a', { body }))
      const results = await Promise.all(records.map((record) => store.insertRecord(record)))
      assert.deepEqual(results.map(({ kind }) => kind).toSorted(), ['created', 'taken'])
      const winner = records[results.findIndex(({ kind }) => kind === 'created')]
      assert.equal((await found(winner!))?.body, winner!.body)
      assert.deepEqual(await store.insertRecord(recordOf('a'), idempotency), { kind: 'taken' })
      assert.equal(await store.findIdempotency(scope(), 'k'), undefined)
      assert.deepEqual(await store.insertRecord(recordOf('b'), idempotency), { kind: 'created' })
      assert.equal((await store.findIdempotency(scope(), 'k'))?.answer, '{}')
      assert.deepEqual(await store.insertRecord(recordOf('c'), idempotency), {
        kind: 'idempotency_key_taken',
      })
      assert.equal(await found(recordOf('c')), undefined)
    })

    it('lets exactly one of many racing updates of a record win, and deletes it once', async () => {
      await freshProject()
      const record = await insert(recordOf('a'))
      const changes = Array.from({ length: 20 }, (_, i) =>
        after1(record, { body: `${i}`, updated_at: clock + 1, due_at: clock + 2, expires_at: clock + 3 }),
      )
      const won = await Promise.all(changes.map((change) => store.updateRecord(change)))
      assert.equal(won.filter(Boolean).length, 1)
      assert.deepEqual(await found(record), changes[won.indexOf(true)])
      const drop = () => store.deleteRecord(scope(), 'batch', 'a')
      assert.equal((await Promise.all([drop(), drop()])).filter(Boolean).length, 1)
      assert.equal(await store.updateRecord(after1(changes[won.indexOf(true)]!)), false)
      assert.equal(await found(record), undefined)
    })

    it('writes many records at once though they come in any order', async () => {
      await freshProject()
      const keys = Array.from({ length: 40 }, (_, i) => `${(i * 7) % 40}`)
      await Promise.all(keys.map((key) => insert(recordOf(key))))
      const won = await Promise.all(
        keys.map((key) => store.updateRecord(after1(recordOf(key), { body: key }))),
      )
      assert.ok(won.every(Boolean))
      for (const key of keys) assert.equal((await found(recordOf(key)))?.body, key)
    })

    it('lists the records of a kind newest first, by offset and time, with their number', async () => {
      await freshProject()
      for (let i = 0; i < 5; i++) await insert(recordOf(`${i}`, { created_at: 100 + Math.floor(i / 2) }))
      await insert(recordOf('other', { kind: 'import' }))
      await insert(recordOf('test', { mode: 'test' }))
      const listed = async (page: Parameters<Store['listRecords']>[2]) => {
        const { rows, has_more, total } = await store.listRecords(scope(), 'batch', page)
        return [rows.map(({ key }) => key).join(' '), has_more, total]
      }
      assert.deepEqual(await listed({ limit: 10, offset: 0 }), ['4 3 2 1 0', false, 5])
      assert.deepEqual(await listed({ limit: 2, offset: 0 }), ['4 3', true, 5])
      assert.deepEqual(await listed({ limit: 3, offset: 2 }), ['2 1 0', false, 5])
      assert.deepEqual(await listed({ limit: 2, offset: 9 }), ['', false, 5])
      const times = { created_from: 101, created_to: 102 }
      assert.deepEqual(await listed({ limit: 10, offset: 0, ...times }), ['3 2', false, 2])
    })

    it('gives the record that has been due longest to one claimer, and again when the lease is over', async () => {
      await freshProject()
      assert.equal(await store.nextRecordDue(), null)
      const late = await insert(recordOf('late', { due_at: clock - 1 }))
      const early = await insert(recordOf('early', { due_at: clock - 2 }))
      await insert(recordOf('future', { due_at: clock + 500 }))
      await insert(recordOf('never'))
      assert.equal(await store.nextRecordDue(), clock - 2)
      const claims = await Promise.all(Array.from({ length: 5 }, () => store.claimRecord(100)))
      assert.deepEqual(
        claims.flatMap((record) => (record === undefined ? [] : { ...record })).toSorted(byKey),
        [early, late].map((record) => after1(record, { due_at: clock + 100 })),
      )
      assert.equal(await store.nextRecordDue(), clock + 100)
      clock += 100
      const again = await store.claimRecord(100)
      const first = claims.find((record) => record?.key === again?.key)
      assert.equal(await store.updateRecord(after1(first!)), false, 'its lease is over')
      assert.equal(await store.updateRecord(after1(again!, { due_at: null })), true)
      assert.ok(await store.claimRecord(100))
      assert.equal(await store.claimRecord(100), undefined)
      assert.equal(await store.nextRecordDue(), clock + 100)
      clock += 400
      await Promise.all(Array.from({ length: 3 }, () => store.claimRecord(1_000_000_000)))
      assert.equal(await store.claimRecord(1), undefined)
    })

    it('prunes records that have expired, a chunk at a time', async () => {
      await freshProject()
      for (const key of ['a', 'b', 'c', 'd', 'e']) await insert(recordOf(key, { expires_at: clock }))
      await insert(recordOf('later', { expires_at: clock + 1 }))
      await insert(recordOf('kept'))
      const left = async () => (await store.listRecords(scope(), 'batch', { limit: 10, offset: 0 })).total
      const { next } = await store.prune('', 2)
      assert.equal(await left(), 5)
      for (let after = next; after !== null; after = (await store.prune(after, 2)).next);
      assert.equal(await left(), 2)
      assert.deepEqual([!!(await found(recordOf('later'))), !!(await found(recordOf('kept')))], [true, true])
    })
  })
}

const byKey = (a: StoredRecord, b: StoredRecord) => (a.key < b.key ? -1 : 1)
