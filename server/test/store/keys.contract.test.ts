// Keys and audits behind the seam, run on each database: what is written together with an act, and what is not.
import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { newAudit, type Act, type Audit, type AuditSubject } from '../../src/domain/audit.ts'
import { createIds, timeOfId } from '../../src/domain/id.ts'
import type { Key } from '../../src/domain/key.ts'
import type { Project, Secret } from '../../src/domain/project.ts'
import { newReplay } from '../../src/domain/replay.ts'
import { decide, type Task } from '../../src/domain/task.ts'
import type { Idempotency, NewDelivery, Store } from '../../src/store/store.ts'
import { contractDatabases, type Opened } from '../support/contract-databases.ts'
import { deliveryOf, destinationOf, newProject, newTask } from '../support/store.ts'
import { claimAll } from '../support/claims.ts'

const DAY_MS = 86_400_000
let clock = Date.UTC(2030, 0, 1)
const newId = createIds(
  () => clock,
  (bytes) => void randomFillSync(bytes),
)
const page = (limit: number, after: string | null = null) => ({ limit, after })

for (const { name, open } of contractDatabases) {
  describe(`Keys and audits on ${name}`, () => {
    let opened: Opened
    let store: Store
    let project: Project

    before(async () => {
      opened = await open(() => clock)
      store = opened.store
    })
    after(() => opened.end())

    const keyOf = (changes: Partial<Key> = {}): Key => {
      const id = newId()
      return {
        id,
        project_id: project.id,
        mode: 'live',
        role: 'operator',
        name: null,
        scopes: null,
        hash: `hash of ${id}`,
        hint: 'rb_op_live_',
        created_at: clock,
        expires_at: null,
        last_used_at: null,
        ...changes,
      }
    }
    const auditOf = (act: Act, subject: AuditSubject = {}): Audit =>
      newAudit(newId(), act, { actor: 'admin' }, { project_id: project.id, ...subject })
    const guardOf = (key: string): Idempotency => ({
      project_id: project.id,
      mode: 'live',
      key,
      request_hash: 'h',
      status: 201,
      answer: '{}',
    })
    const written = async () =>
      (await store.listAudits({ project_id: project.id }, page(100))).rows.map(({ act }) => act)

    async function freshProject(): Promise<void> {
      project = newProject()
      const audit = newAudit(newId(), 'project.create', { actor: 'cli' }, { project_id: project.id })
      assert.equal(await store.createProject({ project, keys: [keyOf()], secrets: [], audit }), true)
      assert.deepEqual(await written(), ['project.create'])
    }

    it('keeps name, scopes and end of a key, and those of a key that has none', async () => {
      await freshProject()
      const scopes = ['tasks:read', 'deliveries'] as const
      const key = keyOf({ name: 'ünïcode 🔔', scopes, expires_at: clock + 1, role: 'customer' })
      assert.equal(await store.createKey(key), true)
      assert.deepEqual(await store.findKey(key.hash), key)
      const { rows } = await store.listKeys(project.id, page(10))
      assert.deepEqual(rows[1], key)
      assert.deepEqual([rows[0]!.name, rows[0]!.scopes, rows[0]!.expires_at], [null, null, null])
      assert.equal(await store.findKey('none'), undefined)
    })

    it('keeps the latest of all times that are written of a key, in whatever order', async () => {
      await freshProject()
      const keys = [keyOf(), keyOf(), keyOf()]
      for (const key of keys) await store.createKey(key)
      const [a, b, c] = keys.map(({ id }) => id) as [string, string, string]
      await store.recordKeyUses([
        { id: a, last_used_at: 5000 },
        { id: b, last_used_at: 7000 },
        { id: 'revoked meanwhile', last_used_at: 1 },
      ])
      await Promise.all([
        store.recordKeyUses([
          { id: b, last_used_at: 6000 },
          { id: a, last_used_at: 6000 },
        ]),
        store.recordKeyUses([
          { id: a, last_used_at: 4000 },
          { id: b, last_used_at: 8000 },
        ]),
      ])
      await store.recordKeyUses([])
      const found = await Promise.all(keys.map(({ hash }) => store.findKey(hash)))
      assert.deepEqual(
        found.map((key) => [key!.id, key!.last_used_at]),
        [
          [a, 6000],
          [b, 8000],
          [c, null],
        ],
      )
    })

    it('writes an audit together with its act, or neither', async () => {
      await freshProject()
      const audit = auditOf('project.update')
      assert.ok(await store.updateProject(project.id, { timeout_ms: 111 }, audit))
      // The same id again makes the insert of the audit fail, as a full disk might.
      await assert.rejects(store.updateProject(project.id, { timeout_ms: 222 }, audit))
      const key = keyOf()
      await assert.rejects(store.createKey(key, guardOf('k'), audit))
      assert.equal((await store.findProject(project.id))?.settings.timeout_ms, 111)
      assert.equal(await store.findKey(key.hash), undefined)
      assert.equal(await store.findIdempotency({ project_id: project.id, mode: 'live' }, 'k'), undefined)
      assert.deepEqual(await written(), ['project.update', 'project.create'])
    })

    it('writes no audit of what is not done', async () => {
      await freshProject()
      const { retry, timeout_ms } = project.settings
      assert.ok(
        await store.updateProject(project.id, { timeout_ms, retry: { ...retry } }, auditOf('project.update')),
      )
      const key = keyOf()
      assert.equal(await store.createKey(key, guardOf('k'), auditOf('key.create')), true)
      assert.equal(await store.createKey(keyOf(), guardOf('k'), auditOf('key.create')), false)
      assert.equal(await store.revokeKey(project.id, 'none', auditOf('key.revoke')), false)
      assert.equal(await store.revokeKey('none', key.id, auditOf('key.revoke')), false)
      assert.equal(await store.updateProject('none', {}, auditOf('project.update')), undefined)
      const secret: Secret = {
        id: newId(),
        project_id: project.id,
        kind: 'signing',
        mode: null,
        value: 'whsec_x',
        created_at: clock,
        expires_at: null,
      }
      const rotate = (grace_ms: number) =>
        store.rotateSecret({
          secret: { ...secret, id: newId() },
          older_expire_at: clock + grace_ms,
          idempotency: null,
          audit: auditOf('secret.rotate'),
        })
      for (const result of ['rotated', 'rotated', 'rotated', 'too_many'])
        assert.equal(await rotate(9000), result)

      const filter = { delivery_state: 'failed' as const, destination_id: null, from_at: null, to_at: clock }
      const replay = () =>
        newReplay(newId(), { ...filter, project_id: project.id, mode: 'live', created_at: clock }, 0)
      for (const result of ['created', 'idempotency_key_taken']) {
        const input = { replay: replay(), idempotency: guardOf('replay'), audit: auditOf('delivery.replay') }
        assert.equal(await store.createReplay(input), result)
      }
      assert.deepEqual((await written()).toReversed(), [
        'project.create',
        'key.create',
        'secret.rotate',
        'secret.rotate',
        'secret.rotate',
        'delivery.replay',
      ])
    })

    it('tells of a revoked key what it was', async () => {
      await freshProject()
      const key = keyOf({ mode: 'test', name: 'old' })
      await store.createKey(key)
      assert.equal(await store.revokeKey(project.id, key.id, auditOf('key.revoke', { object: key.id })), true)
      const [row] = (await store.listAudits({ act: 'key.revoke', project_id: project.id }, page(1))).rows
      assert.deepEqual(
        [row!.object, row!.mode, JSON.parse(row!.detail)],
        [key.id, 'test', { role: 'operator', name: 'old' }],
      )
    })

    it('writes the audit of a verb that wins, and none of one that lost its race', async () => {
      await freshProject()
      const task: Task = newTask(project)
      await store.createTask({ task, destination: destinationOf(project), idempotency: null })
      const complete = () => {
        const decision = decide(task, 'complete', { response: '1' }, clock)!
        const audit = auditOf('arrival.apply')
        return store.transition({ task: decision.task, event: null, delivery: null, arrival: null, audit })
      }
      const results = [await complete(), await complete()]
      assert.deepEqual(results, ['done', 'raced'])
      assert.deepEqual(await written(), ['arrival.apply', 'project.create'])
    })

    it('tells once of a delivery that is canceled, also while it is being sent', async () => {
      await freshProject()
      const destination = destinationOf(project)
      const sent = async () => {
        const task = newTask(project)
        await store.createTask({ task, destination, idempotency: null })
        const decision = decide(task, 'complete', { response: '1' }, clock)!
        const event_id = newId()
        const delivery = deliveryOf(decision.task, event_id, { created_at: clock })
        const row = { id: event_id, task_id: task.id, sequence: 1, created_at: clock, body: '{}' }
        const event = { ...row, type: decision.event!.type, detail: null }
        await store.transition({ task: decision.task, event, delivery, arrival: null })
        return delivery
      }
      const cancelTwice = async (delivery: NewDelivery) => {
        for (let i = 0; i < 2; i++) await store.cancelDelivery(delivery, auditOf('delivery.cancel'))
      }
      await cancelTwice(await sent())
      assert.deepEqual(await written(), ['delivery.cancel', 'project.create'])
      const sending = await sent()
      const { claimed } = await store.claim({ ...claimAll, destinations: 10, per_destination: 10 })
      assert.ok(claimed.some(({ id }) => id === sending.id))
      await cancelTwice(sending)
      assert.deepEqual(await written(), ['delivery.cancel', 'delivery.cancel', 'project.create'])
    })

    it('tells pause and resume of a destination once each', async () => {
      await freshProject()
      const destination = destinationOf(project)
      await store.createTask({ task: newTask(project), destination, idempotency: null })
      assert.equal(await store.resumeDestination(destination.id, auditOf('destination.resume')), false)
      for (let i = 0; i < 2; i++) await store.pauseDestination(destination.id, auditOf('destination.pause'))
      assert.equal(await store.resumeDestination(destination.id, auditOf('destination.resume')), true)
      assert.equal(await store.resumeDestination(destination.id, auditOf('destination.resume')), false)
      assert.deepEqual(await written(), ['destination.resume', 'destination.pause', 'project.create'])
    })

    it('lists audits newest first by time, act and project, and says whether there are more', async () => {
      await freshProject()
      const start = clock
      const ids: string[] = []
      for (let i = 0; i < 4; i++) {
        clock += 1000
        const audit = auditOf('secrets.read', { mode: 'test', object: `o${i}`, detail: { secrets: i } })
        await store.recordAudit(audit)
        ids.unshift(audit.id)
        assert.equal(timeOfId(audit.id), audit.created_at)
        if (i === 0) assert.deepEqual((await store.listAudits({}, page(1))).rows, [audit])
      }
      const filter = { project_id: project.id, act: 'secrets.read' as const }
      const list = async (more: object, at = page(10)) => {
        const { rows, has_more } = await store.listAudits({ ...filter, ...more }, at)
        return [rows.map(({ id }) => ids.indexOf(id)), has_more]
      }
      assert.deepEqual(await list({}), [[0, 1, 2, 3], false])
      assert.deepEqual(await list({}, page(2)), [[0, 1], true])
      assert.deepEqual(await list({}, page(2, ids[1])), [[2, 3], false])
      assert.deepEqual(await list({ since: start + 2000, until: start + 4000 }), [[1, 2], false])
      assert.deepEqual(await list({ project_id: 'another' }), [[], false])
    })

    it('deletes audits after 400 days, a chunk at a time', async () => {
      await freshProject()
      for (let i = 0; i < 5; i++) await store.recordAudit(auditOf('secrets.read'))
      clock += DAY_MS
      await store.recordAudit(auditOf('secret.rotate'))
      clock += 399 * DAY_MS
      await store.recordAudit(auditOf('key.create'))
      let rounds = 0
      let after: string | null = ''
      for (; after !== null; rounds++) after = (await store.prune(after, 2)).next
      assert.equal((await written()).length, 8, 'a day too early')
      clock++
      for (after = '', rounds = 0; after !== null; rounds++) after = (await store.prune(after, 2)).next
      assert.deepEqual(await written(), ['key.create', 'secret.rotate'])
      assert.ok(rounds >= 3, `${rounds} rounds`)
    })
  })
}
