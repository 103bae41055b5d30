// What every database must do for the dialects: records, labels, and finding tasks by what a dialect knows of them.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Project } from '../../src/domain/project.ts'
import type { StoredRecord } from '../../src/domain/record.ts'
import type { Task } from '../../src/domain/task.ts'
import { firstIdAt, timeOfId } from '../../src/domain/id.ts'
import type { Store, TaskFilter } from '../../src/store/store.ts'
import { contractDatabases, type Opened } from '../support/contract-databases.ts'
import { destinationOf, newId, newProject, newTask } from '../support/store.ts'

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

    it('tells which project has which host, and gives a host to one project', async () => {
      const named = (host: string | null) => ({ ...newProject(), dialect: 'other', host })
      const projects = [named('b.example'), named('a.example'), named(null), named(null)]
      for (const project of projects) await store.createProject({ project, keys: [], secrets: [] })
      const [b, a] = projects
      assert.deepEqual(
        (await store.listHosts()).map((row) => ({ ...row })),
        [
          { host: 'a.example', project_id: a!.id, dialect: 'other' },
          { host: 'b.example', project_id: b!.id, dialect: 'other' },
        ],
      )
      assert.deepEqual(await store.findProject(a!.id), a)
      assert.equal((await store.updateProject(a!.id, { timeout_ms: 1 }))?.host, 'a.example')
      const second = named('a.example')
      await assert.rejects(store.createProject({ project: second, keys: [], secrets: [] }))
      assert.equal(await store.findProject(second.id), undefined)
    })

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

    async function create(changes: Partial<Task> = {}, labels?: string[]): Promise<Task> {
      const task = newTask(project, changes)
      const result = await store.createTask({ task, destination: null, idempotency: null, labels })
      assert.deepEqual(result, { kind: 'created' })
      return task
    }

    /** The types of the tasks that match, oldest first; and both orders and the count agree. */
    async function typesOf(filter: TaskFilter): Promise<string> {
      const page = { limit: 100, offset: 0 }
      const { rows } = await store.findTasks(scope(), filter, { ...page, order: 'oldest' })
      const newest = await store.findTasks(scope(), filter, { ...page, order: 'newest' })
      const listed = await store.listTasks(scope(), filter, { limit: 100, after: null })
      assert.deepEqual(newest.rows, rows.toReversed())
      assert.deepEqual(listed.rows, newest.rows)
      assert.equal(await store.countTasks(scope(), filter, 100), rows.length)
      return rows.map(({ type }) => type).join(' ')
    }

    it('finds tasks by what is in lists, and by nothing in an empty one', async () => {
      await freshProject()
      const a = await create({ type: 'a', unique_id: 'one', audit_status: 'fixed', external_id: 'ext "a"' })
      const b = await create({ type: 'b', unique_id: 'two', status: 'completed' })
      await create({ type: 'c', status: 'canceled', audit_status: 'approved' })
      await create({ type: 'd', mode: 'test', unique_id: 'one', external_id: 'ext "a"' }, ['x'])
      const found: [string, TaskFilter][] = [
        ['a b c', {}],
        ['a b', { statuses: ['waiting', 'completed'] }],
        ['c', { statuses: ['waiting', 'canceled'], status: 'canceled' }],
        ['', { statuses: [] }],
        ['b c', { types: ['c', 'b', 'd', 'null'] }],
        ['a b', { unique_ids: ['two', 'one', 'three'] }],
        ['', { unique_ids: [] }],
        ['a', { audit_statuses: ['fixed', 'rejected'] }],
        ['b', { audit_statuses: [null] }],
        ['b c', { audit_statuses: [null, 'approved'] }],
        ['', { audit_statuses: [] }],
        [
          'a b',
          {
            states: [
              ['waiting', 'fixed'],
              ['completed', null],
              ['canceled', null],
            ],
          },
        ],
        ['', { states: [] }],
        ['a b', { ids: ['ext "a"', b.id, 'nobody'] }],
        ['a', { ids: [a.id, 'ext "a"'] }],
        ['a', { ids: [a.id, b.id], types: ['a'], unique_ids: ['one', 'two'], audit_statuses: ['fixed'] }],
      ]
      for (const [types, filter] of found) assert.equal(await typesOf(filter), types, JSON.stringify(filter))
    })

    it('tells tasks that were suspended from birth from those that became so, and others from neither', async () => {
      await freshProject()
      await create({ type: 'a', status: 'suspended' })
      await create({ type: 'b', status: 'suspended', resume_status: 'waiting' })
      await create({ type: 'c', resume_status: 'waiting' })
      const found: [string, TaskFilter][] = [
        ['a b', { statuses: ['suspended'] }],
        ['a', { statuses: ['suspended'], suspended_at_birth: true }],
        ['b', { statuses: ['suspended'], suspended_at_birth: false }],
        ['a c', { suspended_at_birth: true }],
        ['b c', { suspended_at_birth: false }],
        ['a', { resumed_statuses: ['pending'] }],
        ['b c', { resumed_statuses: ['waiting', 'completed'] }],
        ['', { resumed_statuses: ['suspended'] }],
      ]
      for (const [types, filter] of found) assert.equal(await typesOf(filter), types, JSON.stringify(filter))
    })

    it('tells tasks whose first call is later from all others', async () => {
      await freshProject()
      const destination = { ...destinationOf(project), kind: 'call' as const }
      const request = {
        url: 'http://127.0.0.1:1/',
        callback_id: null,
        priority: 5,
        timeout_ms: 1,
        destination,
      }
      for (const [type, due_at] of Object.entries({ a: 1000, b: 2000, c: null })) {
        const task = newTask(project, { type, status: 'pending' })
        const call = due_at === null ? null : { ...request, due_at }
        await store.createTask({ task, destination: null, idempotency: null, call })
      }
      const found: [string, TaskFilter][] = [
        ['a b', { first_call_after: 999 }],
        ['b', { first_call_after: 1000 }],
        ['a c', { first_call_by: 1000 }],
        ['a b c', { first_call_by: 2000 }],
      ]
      for (const [types, filter] of found) assert.equal(await typesOf(filter), types, JSON.stringify(filter))
    })

    it('finds tasks by when they were created, completed and changed, from a time until before another', async () => {
      await freshProject()
      const first = await create({ type: 'a', completed_at: 100, updated_at: 200 })
      const created = timeOfId(first.id)!
      const idAt = (time_ms: number) => newId().replace(/^.{13}/, firstIdAt(time_ms).slice(0, 13))
      await create({ type: 'b', id: idAt(created + 10), completed_at: 101, updated_at: 201 })
      await create({ type: 'c', id: idAt(created + 20), updated_at: 202 })
      const found: [string, TaskFilter][] = [
        ['b c', { created_from: created + 10 }],
        ['a', { created_to: created + 10 }],
        ['b', { created_from: created + 1, created_to: created + 20 }],
        ['b', { completed_from: 101 }],
        ['a', { completed_to: 101 }],
        ['a b', { completed_from: 100, completed_to: 102 }],
        ['b', { updated_from: 201, updated_to: 202 }],
        ['', { created_from: created + 10, updated_to: 201 }],
      ]
      for (const [types, filter] of found) assert.equal(await typesOf(filter), types, JSON.stringify(filter))
    })

    it('finds tasks by labels: one of each list', async () => {
      await freshProject()
      await create({ type: 'a' }, ['red', 'round', 'red'])
      await create({ type: 'b' }, ['red', 'square'])
      await create({ type: 'c', status: 'canceled' }, ['blue', 'round'])
      await create({ type: 'd' }, [])
      await create({ type: 'e' })
      await create({ type: 'f', mode: 'test' }, ['red'])
      const found: [string, TaskFilter][] = [
        ['a b c d e', { labels: [] }],
        ['a b', { labels: [['red']] }],
        ['a b c', { labels: [['red', 'blue']] }],
        ['a', { labels: [['red'], ['round']] }],
        ['a', { labels: [['round', 'square'], ['red'], ['round']] }],
        [
          'a b',
          {
            labels: [
              ['red', 'blue'],
              ['red', 'square'],
            ],
          },
        ],
        [
          'a b c',
          {
            labels: [
              ['round', 'square'],
              ['red', 'blue'],
            ],
          },
        ],
        ['c', { labels: [['round']], statuses: ['canceled'] }],
        ['', { labels: [['green']] }],
        ['', { labels: [['red'], []] }],
        ['', { labels: [[]] }],
      ]
      for (const [types, filter] of found) assert.equal(await typesOf(filter), types, JSON.stringify(filter))
    })

    it('pages the tasks it finds in both orders, by offset and behind an id, and counts up to a limit', async () => {
      await freshProject()
      const tasks: Task[] = []
      for (const type of ['a', 'b', 'c', 'd', 'e']) tasks.push(await create({ type }, ['x']))
      for (const filter of [{}, { labels: [['x']] }, { labels: [['x', 'y']] }]) {
        const page = async (limit: number, offset: number, order: 'newest' | 'oldest', after?: string) => {
          const found = await store.findTasks(scope(), filter, { limit, offset, order, after })
          return `${found.rows.map(({ type }) => type).join('')} ${found.has_more}`
        }
        assert.equal(await page(2, 0, 'newest'), 'ed true')
        assert.equal(await page(2, 3, 'newest'), 'ba false')
        assert.equal(await page(2, 1, 'oldest'), 'bc true')
        assert.equal(await page(9, 5, 'oldest'), ' false')
        assert.equal(await page(2, 0, 'newest', tasks[2]!.id), 'ba false')
        assert.equal(await page(2, 1, 'oldest', tasks[1]!.id), 'de false')
        assert.equal(await store.countTasks(scope(), filter, 5), 5)
        assert.equal(await store.countTasks(scope(), filter, 3), 3)
      }
    })

    it('amends a task and its labels outside of any verb', async () => {
      await freshProject()
      const task = await create({ type: 'a', unique_id: 'old' }, ['red'])
      const changes = {
        metadata: '{"n":1.0}',
        unique_id: 'new',
        ext: '{"x":1}',
        updated_at: clock,
        version: 2,
      }
      const amended = { ...task, ...changes }
      // What is no part of an amendment stays, whatever the given row says.
      const given: Task = { ...amended, status: 'failed', response: '1' }
      assert.deepEqual(await store.amendTask({ task: given, labels: null }), { kind: 'done' })
      assert.deepEqual({ ...(await store.findTask(scope(), task.id)) }, amended)
      assert.equal(await typesOf({ labels: [['red']] }), 'a')
      const without = { ...amended, unique_id: null, ext: null, version: 3 }
      assert.deepEqual(await store.amendTask({ task: without, labels: ['blue', 'blue'] }), { kind: 'done' })
      assert.deepEqual({ ...(await store.findTask(scope(), task.id)) }, without)
      assert.equal(await typesOf({ labels: [['red']] }), '')
      assert.equal(await typesOf({ labels: [['blue']] }), 'a')
      assert.deepEqual(await store.amendTask({ task: { ...without, version: 4 }, labels: [] }), {
        kind: 'done',
      })
      assert.equal(await typesOf({ labels: [['red', 'blue']] }), '')
    })

    it('lets one of many racing amendments win, and writes nothing of the others', async () => {
      await freshProject()
      const task = await create({ type: 'a' }, ['none'])
      const results = await Promise.all(
        Array.from({ length: 5 }, (_, i) =>
          store.amendTask({ task: { ...task, ext: `${i}`, version: 2 }, labels: [`${i}`] }),
        ),
      )
      const kinds = results.map(({ kind }) => kind)
      assert.deepEqual(kinds.toSorted(), ['done', 'raced', 'raced', 'raced', 'raced'])
      const { ext, version } = (await store.findTask(scope(), task.id))!
      assert.deepEqual([ext, version], [`${kinds.indexOf('done')}`, 2])
      for (const label of ['0', '1', '2', '3', '4']) {
        assert.equal(await typesOf({ labels: [[label]] }), label === ext ? 'a' : '')
      }
    })

    it('amends no task with a unique id that another has, but with its own', async () => {
      await freshProject()
      const holder = await create({ unique_id: 'u' })
      const task = await create({}, ['kept'])
      const taken = await store.amendTask({ task: { ...task, unique_id: 'u', version: 2 }, labels: ['lost'] })
      assert.deepEqual(taken, { kind: 'unique_id_taken', task_id: holder.id })
      assert.deepEqual({ ...(await store.findTask(scope(), task.id)) }, task)
      assert.equal(await typesOf({ labels: [['lost']] }), '')
      const same = await store.amendTask({ task: { ...holder, version: 2 }, labels: null })
      assert.deepEqual(same, { kind: 'done' })
      // Both of one commit.
      const [first, second] = [await create(), await create()]
      const both = await Promise.all(
        [first, second].map((task) =>
          store.amendTask({ task: { ...task, unique_id: 'w', version: 2 }, labels: null }),
        ),
      )
      assert.deepEqual(both.map(({ kind }) => kind).toSorted(), ['done', 'unique_id_taken'])
    })

    it('forgets the labels of a task with it, and gives none to a task that was refused', async () => {
      await freshProject({ retention_days: 1 })
      const old = await create({ status: 'canceled', unique_id: 'u' }, ['old'])
      const task = newTask(project, { unique_id: 'u' })
      const refused = await store.createTask({ task, destination: null, idempotency: null, labels: ['new'] })
      assert.equal(refused.kind, 'unique_id_taken')
      const now = clock
      clock = Date.now() + 2 * 86_400_000
      for (let after: string | null = ''; after !== null; after = (await store.prune(after, 100)).next);
      clock = now
      assert.equal(await store.findTask(scope(), old.id), undefined)
      // The same ids again show what labels are left.
      await create({ id: old.id })
      await create({ id: task.id })
      assert.equal(await typesOf({ labels: [['new', 'old']] }), '')
    })
  })
}

const byKey = (a: StoredRecord, b: StoredRecord) => (a.key < b.key ? -1 : 1)
