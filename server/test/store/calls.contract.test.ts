// What every database must do for calls: they are claimed like deliveries, settled under their fence together with their task's
// next status or not at all, and an end, a suspension and the answer of an attempt under way never pass each other.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { attemptsId } from '../../src/domain/call.ts'
import type { CallChange } from '../../src/domain/call-step.ts'
import type { Attempt } from '../../src/domain/delivery.ts'
import type { Project } from '../../src/domain/project.ts'
import { decide, type CallVerb, type Task, type TaskVerb } from '../../src/domain/task.ts'
import type { CallWrite, NewCall, ReadyCall } from '../../src/store/call-verbs.ts'
import type { Destination, Store } from '../../src/store/store.ts'
import { contractDatabases, type Opened } from '../support/contract-databases.ts'
import { newId, newProject, newTask } from '../support/store.ts'
import { claimAll } from '../support/claims.ts'

let clock = 1_000_000

for (const { name, open } of contractDatabases) {
  describe(`The store's verbs for calls on ${name}`, () => {
    let opened: Opened
    let store: Store
    let project: Project

    before(async () => {
      opened = await open(() => clock)
      store = opened.store
      project = newProject()
      await store.createProject({ project, keys: [], secrets: [] })
    })
    after(() => opened.end())

    const scope = () => ({ project_id: project.id, mode: 'live' as const })
    const destinationAt = (key: string): Destination => ({
      ...scope(),
      id: `call ${key} ${project.id}`,
      kind: 'call',
      key,
    })

    async function create(call: Partial<NewCall> = {}, changes: Partial<Task> = {}): Promise<Task> {
      const task = newTask(project, {
        status: 'pending',
        call_plan: '{}',
        callback_url: null,
        destination_id: null,
        callback_hash: null,
        ...changes,
      })
      const first: NewCall = {
        url: 'http://a.test/run',
        callback_id: null,
        priority: 5,
        timeout_ms: 1000,
        due_at: clock,
        destination: destinationAt('http://a.test:80'),
        ...call,
      }
      assert.deepEqual(await store.createTask({ task, destination: null, idempotency: null, call: first }), {
        kind: 'created',
      })
      return task
    }

    const claimed = async (request = claimAll) => (await store.claimCalls(request)).claimed
    const claimOf = async (task: Task): Promise<ReadyCall> => {
      const found = (await claimed()).find(({ task_id }) => task_id === task.id)
      assert.ok(found, 'the call was not claimed')
      return found
    }

    const changeOf = (call: ReadyCall, changes: Partial<CallChange> = {}): CallChange => ({
      step: call.step,
      state: 'pending',
      url: call.url,
      result_url: null,
      due_at: clock,
      failure_count: 0,
      unknown_streak: 0,
      ...changes,
    })
    const attemptOf = (call: ReadyCall): Attempt => ({
      delivery_id: attemptsId(call.task_id, call.step),
      number: call.attempt_count + 1,
      started_at: clock,
      duration_ms: 1,
      outcome: 'delivered',
      status: 200,
      response_headers: null,
      response_body: null,
      truncated: 0,
      remote_address: null,
      error: null,
    })
    const settleOf = (call: ReadyCall, changes: Partial<CallChange> = {}) => ({
      call: { project_id: call.project_id, task_id: call.task_id, fence: call.fence },
      change: changeOf(call, changes),
      destination: null,
      attempt: attemptOf(call),
    })

    async function move(task: Task, verb: TaskVerb | CallVerb, call: CallWrite | null = null) {
      const decision = decide(task, verb, {}, clock)
      assert.ok(decision, `${verb} does not apply to ${task.status}`)
      const event = decision.event && {
        id: newId(),
        task_id: task.id,
        sequence: decision.task.event_count,
        created_at: clock,
        body: null,
        ...decision.event,
      }
      const result = await store.transition({
        task: decision.task,
        event,
        delivery: null,
        arrival: null,
        call,
      })
      return { result, task: decision.task }
    }

    const drain = async () => {
      for (const call of await claimed())
        await store.settleCall(settleOf(call, { state: 'ended', due_at: null }))
    }

    it('claims a call when it is due, with its task and its callback id, and once', async () => {
      const callback_id = 'c'.repeat(64)
      const task = await create({ callback_id, due_at: clock + 1000 })
      assert.deepEqual(await claimed(), [])
      assert.equal((await store.claimCalls(claimAll)).next_due_at, clock + 1000)
      clock += 1000
      const call = await claimOf(task)
      assert.deepEqual({ ...call.task }, task)
      assert.deepEqual(
        [call.callback_id, call.step, call.fence, call.lease_until],
        [callback_id, 'request', 1, clock + 13_000],
      )
      assert.deepEqual(await claimed(), [])
      assert.deepEqual((await store.claim(claimAll)).claimed, [])
      await store.settleCall(settleOf(call, { state: 'ended', due_at: null }))
    })

    it('writes the end of an attempt while its lease holds, with its log, and never later', async () => {
      const task = await create()
      const call = await claimOf(task)
      assert.equal(await store.settleCall({ ...settleOf(call), call: { ...call, fence: 7 } }), false)
      const elsewhere = destinationAt('http://b.test:80')
      const next = { ...settleOf(call, { step: 'poll', url: 'http://b.test/job' }), destination: elsewhere }
      assert.equal(await store.settleCall(next), true)
      assert.equal(await store.settleCall(next), false)
      const polled = await claimOf(task)
      assert.deepEqual(
        [polled.step, polled.url, polled.destination_id, polled.attempt_count, polled.fence],
        ['poll', 'http://b.test/job', elsewhere.id, 1, 3],
      )
      const { rows } = await store.listCallAttempts(task.id, { limit: 10, after: null })
      assert.deepEqual(
        rows.map(({ delivery_id, number }) => [delivery_id, number]),
        [[`${task.id}.request`, 1]],
      )
      await store.settleCall(settleOf(polled, { state: 'ended', due_at: null }))
      assert.deepEqual(await claimed(), [])
    })

    it('moves a task only with the lease of the call that does it, and the call only with its task', async () => {
      const task = await create()
      const call = await claimOf(task)
      const { result, task: begun } = await move(task, 'begin')
      assert.equal(result, 'done')
      const stale: CallWrite = { kind: 'settle', ...settleOf({ ...call, fence: 9 }) }
      assert.equal((await move(begun, 'complete', stale)).result, 'lost')
      const good: CallWrite = { kind: 'settle', ...settleOf(call, { state: 'ended', due_at: null }) }
      assert.equal((await move(task, 'begin', good)).result, 'raced')
      assert.equal((await store.findTask(task, task.id))?.status, 'processing')
      assert.equal((await move(begun, 'complete', good)).result, 'done')
      assert.equal(await store.settleCall(settleOf(call)), false)
    })

    it('ends the call of a settled task, also under the hands of who makes it', async () => {
      const waiting = await create({ due_at: clock + 10 })
      await move(waiting, 'cancel', { kind: 'end' })
      const underWay = await create()
      const call = await claimOf(underWay)
      await move(underWay, 'cancel', { kind: 'end' })
      assert.equal(await store.settleCall(settleOf(call)), false)
      clock += 20
      assert.deepEqual(await claimed(), [])
    })

    it('holds the call of a suspended task until it is resumed, and one that ends meanwhile, too', async () => {
      const task = await create({ due_at: clock + 5 })
      const halted = (await move(task, 'suspend', { kind: 'hold' })).task
      const other = await create()
      const call = await claimOf(other)
      const haltedOther = (await move(other, 'suspend', { kind: 'hold' })).task
      assert.equal(await store.settleCall(settleOf(call)), true)
      clock += 10
      assert.deepEqual(await claimed(), [])
      await move(halted, 'resume', { kind: 'resume' })
      await move(haltedOther, 'resume', { kind: 'resume' })
      const both = await claimed()
      assert.deepEqual(both.map(({ task_id }) => task_id).toSorted(), [task.id, other.id].toSorted())
      for (const one of both) await store.settleCall(settleOf(one, { state: 'ended', due_at: null }))
    })

    it('begins anew with the request of a restarted task', async () => {
      const task = await create({ callback_id: 'd'.repeat(64) })
      const call = await claimOf(task)
      const canceled = (await move(task, 'cancel', { kind: 'end' })).task
      const restart: NewCall = {
        url: call.url,
        callback_id: 'e'.repeat(64),
        priority: 7,
        timeout_ms: 2000,
        due_at: clock,
        destination: destinationAt('http://a.test:80'),
      }
      await move(canceled, 'restart', { kind: 'restart', ...restart })
      const again = await claimOf(task)
      assert.deepEqual([again.step, again.callback_id, again.priority], ['request', 'e'.repeat(64), 7])
      await store.settleCall(settleOf(again, { state: 'ended', due_at: null }))
    })

    it('takes higher priorities first, though nobody waits for ever, and no more than there is room for', async () => {
      const old = await create({ priority: 1, due_at: clock - 600_000 })
      const [low, middle, high] = [
        await create({ priority: 2 }),
        await create({ priority: 5 }),
        await create({ priority: 10 }),
      ]
      const room = { [destinationAt('http://a.test:80').id]: 3 }
      const first = await store.claimCalls({ ...claimAll, room })
      assert.deepEqual(
        first.claimed.map(({ task_id }) => task_id),
        [old, high, middle].map(({ id }) => id),
      )
      assert.equal(first.more.length, 1)
      const rest = await claimed()
      assert.deepEqual(
        rest.map(({ task_id }) => task_id),
        [low.id],
      )
      for (const call of [...first.claimed, ...rest])
        await store.settleCall(settleOf(call, { state: 'ended', due_at: null }))
    })

    it('keeps the last hundred attempts of polls', async () => {
      const task = await create()
      let call = await claimOf(task)
      for (let i = 0; i < 105; i++) {
        await store.settleCall(settleOf(call, { step: 'poll' }))
        call = await claimOf(task)
      }
      const { rows } = await store.listCallAttempts(task.id, { limit: 200, after: null })
      assert.deepEqual([rows.length, rows[0]?.number, rows[1]?.number, rows.at(-1)?.number], [101, 1, 6, 105])
      await store.settleCall(settleOf(call, { state: 'ended', due_at: null }))
    })

    it('finds calls whose leases ran out', async () => {
      const task = await create()
      const call = await claimOf(task)
      assert.deepEqual(await store.lostCalls(10, false), [])
      clock += 14_000
      const [lost] = await store.lostCalls(10, false)
      assert.deepEqual([lost?.task_id, lost?.fence, lost?.task.id], [task.id, call.fence, task.id])
      await store.settleCall(settleOf(call, { state: 'ended', due_at: null }))
    })

    it('has a paused destination keep its calls', async () => {
      await drain()
      const task = await create()
      const { id } = destinationAt('http://a.test:80')
      await store.pauseDestination(id)
      assert.deepEqual(await claimed(), [])
      const report = await store.findDestination(scope(), id)
      assert.deepEqual([report?.kind, report?.waiting], ['call', 1])
      await store.resumeDestination(id)
      await store.settleCall(settleOf(await claimOf(task), { state: 'ended', due_at: null }))
    })

    it('keeps tokens to their project, and forgets the value of a revoked one', async () => {
      const token = { ...scope(), name: 'key', created_at: clock, revoked_at: null }
      const ids = [`tok_1${project.id}`, `tok_2${project.id}`]
      for (const id of ids) await store.createToken({ ...token, id, value: `secret of ${id}` })
      const stranger = { ...scope(), mode: 'test' as const }
      assert.deepEqual(await store.findTokens(stranger, ids), [])
      assert.equal(await store.revokeToken(stranger, ids[0]!, clock), undefined)
      assert.deepEqual(
        (await store.findTokens(scope(), ids)).map(({ value }) => value),
        ids.map((id) => `secret of ${id}`),
      )
      assert.equal((await store.revokeToken(scope(), ids[0]!, clock + 1))?.revoked_at, clock + 1)
      assert.equal((await store.revokeToken(scope(), ids[0]!, clock + 2))?.revoked_at, clock + 1)
      assert.deepEqual(
        (await store.findTokens(scope(), ids)).map(({ value }) => value),
        [null, `secret of ${ids[1]}`],
      )
      const { rows } = await store.listTokens(scope(), { limit: 1, after: null })
      assert.deepEqual(
        rows.map(({ id }) => id),
        [ids[1]],
      )
    })

    it('tells which tasks have moved on', async () => {
      const task = await create({ due_at: clock + 1e6 })
      const whileIn = ['pending', 'processing'] as const
      assert.deepEqual(await store.movedTasks([{ task_id: task.id, whileIn }]), [])
      await move(task, 'cancel', { kind: 'end' })
      assert.deepEqual(
        (await store.movedTasks([{ task_id: task.id, whileIn }])).map(({ status }) => status),
        ['canceled'],
      )
      assert.deepEqual(await store.movedTasks([{ task_id: task.id, whileIn: ['canceled'] }]), [])
    })
  })
}
