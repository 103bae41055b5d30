// What every database must do behind the seam, run on each of them. What only the dialects ask for is in
// records.contract.test.ts.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Attempt, Settlement } from '../../src/domain/delivery.ts'
import { timeOfId } from '../../src/domain/id.ts'
import type { Mode, Project, Secret, SecretKind } from '../../src/domain/project.ts'
import { newReplay, type Replay, type ReplayFilter } from '../../src/domain/replay.ts'
import { decide, type Task, type TaskVerb, type VerbInput } from '../../src/domain/task.ts'
import { deliveryBytes } from '../../src/domain/weight.ts'
import type { ClaimRequest } from '../../src/store/claiming.ts'
import type { Idempotency, Outlet, Ready, Store, Transition } from '../../src/store/store.ts'
import { contractDatabases, type Opened } from '../support/contract-databases.ts'
import { deliveryOf, destinationOf, newId, newProject, newTask } from '../support/store.ts'
import { claimAll } from '../support/claims.ts'

let clock = 1_000_000

/** An engine's side that takes what it is given. */
function recordingOutlet(admits: boolean) {
  const launched: Ready[] = []
  const changed: string[] = []
  const asked: number[] = []
  let reserved = 0
  const outlet: Outlet = {
    admit: (_, bytes) => (asked.push(bytes), admits ? (reserved++, true) : false),
    withdraw: () => void reserved--,
    launch: (delivery) => void launched.push(delivery),
    hold() {},
    wake() {},
    wakeCalls() {},
    projectChanged: (id) => void changed.push(id),
    recordDue() {},
  }
  return { outlet, launched, changed, asked, unused: () => reserved - launched.length }
}

const nobody = recordingOutlet(false).outlet
const large = JSON.stringify('x'.repeat(100_000))
const page = (limit: number, after: string | null = null) => ({ limit, after })
for (const { name, open } of contractDatabases) {
  describe(`The store on ${name}`, () => {
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
      store.attach(nobody)
      return project
    }

    async function create(changes: Partial<Task> = {}): Promise<Task> {
      const task = newTask(project, changes)
      const result = await store.createTask({ task, destination: destinationOf(project), idempotency: null })
      assert.deepEqual(result, { kind: 'created' })
      return task
    }

    function transitionOf(task: Task, verb: TaskVerb, input: VerbInput = {}, body?: string): Transition {
      const decision = decide(task, verb, input, clock)
      assert.ok(decision)
      const { task: next, event } = decision
      const event_id = newId()
      return {
        task: next,
        event: event && {
          id: event_id,
          task_id: task.id,
          sequence: next.event_count,
          ...event,
          created_at: clock,
          body: body ?? `{"event":"${event.type}"}`,
        },
        delivery:
          event && next.callback_url === null
            ? null
            : event && deliveryOf(next, event_id, { event_type: event.type }),
        arrival: null,
      }
    }

    async function move(
      task: Task,
      verb: TaskVerb,
      input: VerbInput = {},
      body?: string,
    ): Promise<Task | undefined> {
      const transition = transitionOf(task, verb, input, body)
      return (await store.transition(transition)) === 'done' ? transition.task : undefined
    }

    const settlement = (state: Settlement['state'], changes: Partial<Settlement> = {}): Settlement => ({
      state,
      reason: null,
      due_at: null,
      attempt_count: 1,
      unknown_count: 0,
      unknown_streak: 0,
      first_attempt_at: clock,
      give_up_at: clock + 1000,
      ...changes,
    })

    const attempt = (delivery_id: string, number = 1): Attempt => ({
      delivery_id,
      number,
      started_at: clock,
      duration_ms: 3,
      outcome: 'status',
      status: 500,
      response_headers: '{}',
      response_body: 'no',
      truncated: 0,
      remote_address: '127.0.0.1',
      error: null,
    })

    const settle = (delivery: Ready, state: Settlement['state'], changes: Partial<Settlement> = {}) =>
      store.settle({
        delivery,
        settlement: settlement(state, changes),
        attempt: attempt(delivery.id, changes.attempt_count ?? 1),
        lease_ms: 10_000,
      })

    const resendOf = (task: Task, { event_id }: Ready) =>
      store.resend({
        delivery: deliveryOf(task, event_id, { resend: 1, ordered: 0 }),
        unsettled_id: null,
        idempotency: null,
      })

    const claimMine = async () =>
      (await store.claim(claimAll)).claimed.filter(({ project_id }) => project_id === project.id)

    const taskNow = async (task: Task) => {
      const found = await store.findTask(task, task.id)
      assert.ok(found)
      return found
    }

    it('gives a task back as it was, to its own project and mode only', async () => {
      await freshProject()
      const task = await create({ params: '{"n":1950000000000000001,"m":1.0}', external_id: newId() })
      assert.deepEqual({ ...(await taskNow(task)) }, task)
      assert.equal((await store.findTask(task, task.external_id ?? ''))?.id, task.id)
      assert.equal(await store.findTask({ project_id: project.id, mode: 'test' }, task.id), undefined)
      assert.equal(await store.findTask({ project_id: newId(), mode: 'live' }, task.id), undefined)
    })

    it('takes a unique_id once, and leaves nothing behind of the second', async () => {
      await freshProject()
      const first = await create({ unique_id: 'u' })
      const second = newTask(project, { unique_id: 'u' })
      const idempotency = {
        project_id: project.id,
        mode: 'live' as const,
        key: 'k',
        request_hash: 'h',
        status: 201,
        answer: '{}',
      }
      assert.deepEqual(await store.createTask({ task: second, destination: null, idempotency }), {
        kind: 'unique_id_taken',
        task_id: first.id,
      })
      assert.equal(await store.findTask(second, second.id), undefined)
      assert.equal(await store.findIdempotency(second, 'k'), undefined)
    })

    it('creates a task together with what is applied to it at once, or neither', async () => {
      await freshProject()
      const { outlet, launched, unused } = recordingOutlet(true)
      store.attach(outlet)
      const moved: string[] = []
      const stop = store.onTransition(({ id }) => void moved.push(id))
      const destination = destinationOf(project)
      const createApplied = (changes: Partial<Task>) => {
        const task = newTask(project, changes)
        const applied = transitionOf(task, 'complete', { response: '{"n":1.0}' })
        const creation = { task, destination, idempotency: null, applied }
        return store.createTask(creation).then((result) => ({ result, task, applied }))
      }
      const { result, task, applied } = await createApplied({ unique_id: 'applied' })
      assert.deepEqual(result, { kind: 'created' })
      assert.deepEqual({ ...(await taskNow(task)) }, applied.task)
      const refused = await createApplied({ unique_id: 'applied' })
      assert.deepEqual(refused.result, { kind: 'unique_id_taken', task_id: task.id })
      assert.equal(await store.lastEvent(refused.task.id), undefined)
      stop()
      assert.deepEqual(
        launched.map(({ task_id, body, state }) => [task_id, body, state]),
        [[task.id, '{"event":"task.completed"}', 'sending']],
      )
      assert.deepEqual([moved, unused()], [[task.id], 0])
    })

    it('takes an idempotency key once, with the answer of the first', async () => {
      await freshProject()
      const requests = ['a', 'b', 'c'].map((answer) => ({
        task: newTask(project),
        destination: null,
        idempotency: {
          project_id: project.id,
          mode: 'live' as const,
          key: 'k',
          request_hash: 'h',
          status: 201,
          answer,
        },
      }))
      const results = await Promise.all(requests.map((request) => store.createTask(request)))
      assert.deepEqual(results.map(({ kind }) => kind).toSorted(), [
        'created',
        'idempotency_key_taken',
        'idempotency_key_taken',
      ])
      const winner = requests[results.findIndex(({ kind }) => kind === 'created')]
      assert.equal(
        (await store.findIdempotency({ project_id: project.id, mode: 'live' }, 'k'))?.answer,
        winner?.idempotency.answer,
      )
    })

    it('lets exactly one of many racing verbs win', async () => {
      await freshProject()
      const task = await create()
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) => move(task, i % 2 ? 'complete' : 'cancel', { response: '1' })),
      )
      assert.equal(results.filter(Boolean).length, 1)
      assert.equal((await taskNow(task)).version, 2)
      assert.equal((await store.listEvents(task.id, page(10))).rows.length, 1)
    })

    it('lets an overdue task only expire', async () => {
      await freshProject()
      const task = await create({ expires_at: clock - 1 })
      assert.equal(await move(task, 'complete', { response: '1' }), undefined)
      assert.ok((await store.overdueTasks(100)).tasks.some(({ id }) => id === task.id))
      assert.ok(await move(task, 'expire'))
      assert.ok(!(await store.overdueTasks(100)).tasks.some(({ id }) => id === task.id))
    })

    it('gives few overdue tasks at a time where they are large, and says when the next one is due', async () => {
      await freshProject()
      const params = JSON.stringify('x'.repeat(3_000_000))
      const deadlines = [3, 2, 1].map((ago) => clock - 1000 - ago)
      for (const expires_at of deadlines.slice(0, 2)) await create({ expires_at, params })
      await create({ expires_at: deadlines[2]!, call_plan: params })
      const later = await create({ expires_at: clock + 5 })
      const seen: unknown[] = []
      for (let i = 0; i < 3; i++) {
        const { tasks, next_at } = await store.overdueTasks(100)
        seen.push([tasks.length, next_at])
        for (const task of tasks) assert.ok(await move(task, 'expire'))
      }
      assert.deepEqual(seen, [
        [2, deadlines[1]],
        [1, later.expires_at],
        [0, later.expires_at],
      ])
      assert.deepEqual((await store.overdueTasks(100)).tasks, [])
      assert.equal((await store.overdueTasks(100)).next_at, later.expires_at)
    })

    it('gives the latest overdue tasks as early as the first ones', async () => {
      await freshProject()
      for (let ago = 9; ago > 0; ago--) await create({ expires_at: clock - ago })
      const { tasks, next_at } = await store.overdueTasks(4)
      assert.deepEqual(
        tasks.map(({ expires_at }) => expires_at! - clock).toSorted((a, b) => a - b),
        [-9, -8, -2, -1],
      )
      assert.equal(next_at, clock - 7)
      for (const task of (await store.overdueTasks(100)).tasks) assert.ok(await move(task, 'expire'))
    })

    it('launches a delivery that has room, leased and with its bytes, and queues the others', async () => {
      await freshProject()
      const open = recordingOutlet(true)
      store.attach(open.outlet)
      await move(await create(), 'complete', { response: '1' })
      assert.equal(open.launched.length, 1)
      assert.equal(open.unused(), 0)
      assert.equal(open.launched[0]?.body, '{"event":"task.completed"}')
      assert.deepEqual(await claimMine(), [])
      store.attach(nobody)
      await move(await create(), 'complete', { response: '1' })
      const [claimed] = await claimMine()
      assert.equal(claimed?.state, 'sending')
      assert.equal(claimed.body, '{"event":"task.completed"}')
      assert.deepEqual(await claimMine(), [])
    })

    it('gives a reserved slot back when the verb loses', async () => {
      await freshProject()
      const task = await create()
      await move(task, 'complete')
      const open = recordingOutlet(true)
      store.attach(open.outlet)
      assert.equal(await move(task, 'complete'), undefined)
      assert.equal(open.unused(), 0)
      assert.equal(open.launched.length, 0)
    })

    it('holds the events of one task behind each other and releases them in order', async () => {
      await freshProject()
      const done = await move(await create(), 'complete', { response: '1' })
      const audited = await move(done!, 'audit', { verdict: 'rejected' })
      await move(audited!, 'recall')
      const order: string[] = []
      for (let i = 0; i < 3; i++) {
        const claimed = await claimMine()
        assert.equal(claimed.length, 1, 'one at a time')
        order.push(claimed[0]!.event_type)
        await settle(claimed[0]!, i === 0 ? 'failed' : 'delivered')
      }
      assert.deepEqual(order, ['task.completed', 'task.audit.rejected', 'task.recalled'])
      assert.equal((await taskNow(done!)).callback_succeeded, 1)
    })

    it('releases straight to the sender when there is room', async () => {
      await freshProject()
      const done = await move(await create(), 'complete')
      await move(done!, 'edit', { response: '2' })
      const [claimed] = await claimMine()
      const open = recordingOutlet(true)
      store.attach(open.outlet)
      await settle(claimed!, 'delivered')
      assert.deepEqual(
        open.launched.map(({ event_type, body }) => [event_type, body]),
        [['task.edited', '{"event":"task.edited"}']],
      )
      assert.equal(open.unused(), 0)
    })

    it('leaves a large one that it releases to claims, which weigh it', async () => {
      await freshProject()
      const done = await move(await create(), 'complete')
      await move(done!, 'edit', {}, large)
      const [claimed] = await claimMine()
      const open = recordingOutlet(true)
      store.attach(open.outlet)
      await settle(claimed!, 'delivered')
      assert.deepEqual([open.launched.length, open.unused()], [0, 0])
      const [edited] = await claimMine()
      assert.equal(edited?.event_type, 'task.edited')
    })

    it('reserves a slot for what a re-send weighs', async () => {
      await freshProject()
      const done = await move(await create(), 'complete', {}, large)
      const [first] = await claimMine()
      await settle(first!, 'delivered')
      const open = recordingOutlet(true)
      store.attach(open.outlet)
      await resendOf(done!, first!)
      assert.deepEqual(open.asked, [deliveryBytes(first!)])
      assert.equal(open.launched.length, 1)
    })

    it('refuses a settle whose fence is old, and writes none of it', async () => {
      await freshProject()
      const task = await create()
      await move(task, 'complete')
      const [claimed] = await claimMine()
      assert.equal(await settle(claimed!, 'pending', { due_at: clock }), true)
      assert.equal(await settle(claimed!, 'delivered', { attempt_count: 2 }), false)
      assert.equal((await taskNow(task)).callback_succeeded, null)
      const found = await store.findDelivery(task, claimed!.id)
      assert.equal(found?.attempts.length, 1)
      assert.equal(found.delivery.state, 'pending')
    })

    it('claims a retry when it is due and not before', async () => {
      await freshProject()
      await move(await create(), 'complete')
      const [claimed] = await claimMine()
      await settle(claimed!, 'pending', { due_at: clock + 5000 })
      assert.deepEqual(await claimMine(), [])
      clock += 5000
      assert.equal((await claimMine())[0]?.attempt_count, 1)
    })

    it('takes of a full project only what there is a place for by name, and leaves the rest as it is', async () => {
      await freshProject()
      await move(await create(), 'complete')
      await move(await create(), 'complete')
      const { id } = destinationOf(project)
      const full = { ...claimAll, project_room: { [project.id]: 0 } }
      const claimOf = async (request: ClaimRequest) => {
        const { claimed, more } = await store.claim(request)
        return [claimed.filter(({ destination_id }) => destination_id === id).length, more.includes(id)]
      }
      assert.deepEqual(await claimOf(full), [0, false])
      assert.deepEqual(await claimOf({ ...full, room: { [id]: 1 } }), [1, true])
      assert.deepEqual(await claimOf({ ...claimAll, project_room: { [project.id]: 1 } }), [1, true])
    })

    const scope = () => ({ project_id: project.id, mode: 'live' as const })
    const report = async () => (await store.listDestinations(scope(), page(10))).rows[0]!

    it('gives nothing of a paused destination, not even to a free slot, and all of it in order when resumed', async () => {
      await freshProject()
      const before = await create()
      await move(before, 'complete')
      const { id } = destinationOf(project)
      await store.pauseDestination(id)
      const open = recordingOutlet(true)
      store.attach(open.outlet)
      clock++
      const during = await create()
      await move(during, 'complete')
      assert.deepEqual([open.launched.length, open.unused()], [0, 0])
      assert.deepEqual((await store.claim({ ...claimAll, room: { [id]: 10 } })).claimed, [])
      const paused = await report()
      assert.deepEqual(
        [paused.waiting, paused.oldest_waiting_at, paused.paused_at, paused.pause_reason],
        [2, clock - 1, clock - 1, 'operator'],
      )
      assert.equal(await store.resumeDestination(id), true)
      assert.equal(await store.resumeDestination(id), false)
      const claimed = await claimMine()
      assert.deepEqual(
        claimed.map(({ task_id }) => task_id),
        [before.id, during.id],
      )
      assert.deepEqual(
        claimed.map(({ attempt_count }) => attempt_count),
        [0, 0],
      )
    })

    it('queues the successor of a settled delivery at a paused destination though a slot is free', async () => {
      await freshProject()
      const done = await move(await create(), 'complete')
      await move(done!, 'edit', { response: '2' })
      const [claimed] = await claimMine()
      await store.pauseDestination(destinationOf(project).id)
      const open = recordingOutlet(true)
      store.attach(open.outlet)
      await settle(claimed!, 'delivered')
      assert.deepEqual([open.launched.length, open.unused()], [0, 0])
      await store.resumeDestination(destinationOf(project).id)
      assert.equal((await claimMine())[0]?.event_type, 'task.edited')
    })

    it('lets one delivery at a time through an open breaker, and the next when it is settled or its lease is over', async () => {
      await freshProject()
      for (let i = 0; i < 3; i++) await move(await create(), 'complete')
      const { id } = destinationOf(project)
      await store.setBreaker({ id, open: 1, not_before: clock + 100 })
      assert.deepEqual(await claimMine(), [])
      clock += 100
      const { claimed: deliveries, probes } = await store.claim(claimAll)
      const [probe, ...none] = deliveries.filter(({ project_id }) => project_id === project.id)
      assert.deepEqual([none, probes], [[], [probe!.id]])
      assert.deepEqual(await claimMine(), [])
      await settle(probe!, 'pending', { due_at: clock + 50 })
      clock += 50
      assert.deepEqual(await claimMine(), [], 'the breaker has not heard of it')
      await store.setBreaker({ id, open: 1, not_before: clock })
      assert.equal((await claimMine()).length, 1)
      clock += 60_000
      assert.equal((await claimMine()).length, 1, 'the lease of the last probe is over')
      await store.setBreaker({ id, open: 0, not_before: 0 })
      assert.equal((await claimMine()).length, 1)
      assert.equal((await report()).opened_at, null)
    })

    it('lets a re-send by hand through an open breaker, but not past a pause by hand', async () => {
      await freshProject()
      const done = await move(await create(), 'complete')
      const [first] = await claimMine()
      await settle(first!, 'failed')
      const { id } = destinationOf(project)
      const resend = async () => {
        const open = recordingOutlet(true)
        store.attach(open.outlet)
        await resendOf(done!, first!)
        for (const delivery of open.launched) await settle(delivery, 'failed')
        return open.launched.length
      }
      await store.setBreaker({ id, open: 1, not_before: clock + 1000 })
      assert.equal(await resend(), 1)
      await store.pauseDestination(id)
      assert.equal(await resend(), 0)
    })

    it('adds up counts of attempts, pauses what fails for too long, and resumes it when it succeeds', async () => {
      await freshProject()
      await create()
      const { id } = destinationOf(project)
      const rate = (slot_at: number, delivered: number, failed: number) => ({
        destination_id: id,
        slot_at,
        delivered,
        failed,
        durations: JSON.stringify([delivered, failed]),
      })
      const health = { id, succeeded: 0 as const, failing_since: clock, failing_before: clock - 1 }
      const flush = (rates: ReturnType<typeof rate>[], changes: object = {}) =>
        store.recordRates({ rates, health: [{ ...health, ...changes }] })
      await flush([rate(clock - 3_600_000, 1, 1), rate(clock, 1, 0)])
      assert.deepEqual(await flush([rate(clock, 2, 3)]), { paused: [], resumed: [] })
      const { attempts, failing_since } = await report()
      assert.deepEqual(
        [attempts.delivered, attempts.failed, attempts.durations.slice(0, 3)],
        [2, 3, [2, 3, 0]],
      )
      assert.equal(failing_since, clock)
      assert.deepEqual(await store.unreportedPauses(10), [])

      const later = { failing_since: clock + 500, failing_before: clock }
      assert.deepEqual(await flush([], later), { paused: [id], resumed: [] })
      const [paused] = await store.unreportedPauses(10)
      assert.deepEqual([paused?.id, paused?.pause_reason, paused?.failing_since], [id, 'failing', clock])
      await store.markReported(id)
      assert.deepEqual(await store.unreportedPauses(10), [])

      const well = { succeeded: 1, failing_since: null }
      assert.deepEqual(await flush([], well), { paused: [], resumed: [id] })
      assert.equal((await report()).failing_since, null)
      await store.pauseDestination(id)
      assert.deepEqual(await flush([], well), { paused: [], resumed: [] }, 'a person paused it')
    })

    it('writes callback_succeeded for the latest event only, and a re-send turns only false into true', async () => {
      await freshProject()
      const done = await move(await create(), 'complete')
      const [first] = await claimMine()
      await settle(first!, 'failed')
      assert.equal((await taskNow(done!)).callback_succeeded, 0)
      const again = () => resendOf(done!, first!)
      assert.equal(await again(), 'done')
      assert.equal(await again(), 'raced')
      const [second] = await claimMine()
      assert.equal(second?.body, first?.body)
      await settle(second!, 'delivered')
      assert.equal((await taskNow(done!)).callback_succeeded, 1)
      await again()
      const [third] = await claimMine()
      await settle(third!, 'failed')
      assert.equal((await taskNow(done!)).callback_succeeded, 1)
    })

    it('writes what a dialect decided with a verb: ext, a unique id given up, and the last event told', async () => {
      await freshProject()
      const task = await create({ unique_id: 'u', ext: '1' })
      const next = await move({ ...task, unique_id: null, ext: '2', last_told: 0 }, 'complete')
      assert.deepEqual({ ...(await taskNow(task)) }, next)
      assert.deepEqual([next?.unique_id, next?.ext, next?.last_told], [null, '2', 0])
      await create({ unique_id: 'u' })
    })

    it('takes the last event that became a callback for the latest, where a later one did not', async () => {
      await freshProject()
      const done = await move(await create(), 'complete')
      const silent = { callback_url: null, destination_id: null }
      const [first] = await claimMine()
      // The dialect tells nobody of the edit.
      const edited = await move({ ...done!, ...silent, last_told: 1 }, 'edit', { response: '2' })
      assert.equal((await store.lastEvent(done!.id))?.type, 'task.completed')
      await settle(first!, 'delivered')
      assert.equal((await taskNow(done!)).callback_succeeded, 1)
      const told = { callback_url: done!.callback_url, destination_id: done!.destination_id }
      await move({ ...edited!, ...told, last_told: null }, 'audit', { verdict: 'rejected' })
      assert.equal((await store.lastEvent(done!.id))?.type, 'task.audit.rejected')
      const [last] = await claimMine()
      await settle(last!, 'failed')
      assert.equal((await taskNow(done!)).callback_succeeded, 0)
      const untold = await move(await create(silent), 'complete')
      assert.equal((await store.lastEvent(untold!.id))?.type, 'task.completed')
      await move({ ...untold!, last_told: 0 }, 'edit', { response: '2' })
      assert.equal(await store.lastEvent(untold!.id), undefined)
    })

    it('holds an event that is sent again in order behind the latest one, and lets one by hand pass both', async () => {
      await freshProject()
      const done = await move(await create(), 'complete')
      const [first] = await claimMine()
      await settle(first!, 'failed')
      await move(done!, 'edit', { response: '2' })
      const again = async (ordered: 0 | 1) => {
        const delivery = deliveryOf(done!, first!.event_id, { resend: 1, ordered })
        await store.resend({ delivery, unsettled_id: null, idempotency: null })
        return delivery.id
      }
      const byHand = await again(0)
      const [edited, passing] = await claimMine()
      assert.deepEqual([edited?.event_type, passing?.id], ['task.edited', byHand])
      await settle(passing!, 'failed')
      const inOrder = await again(1)
      assert.deepEqual(await claimMine(), [])
      await settle(edited!, 'delivered')
      const [last, ...none] = await claimMine()
      assert.deepEqual([last?.id, last?.resend, none], [inOrder, 1, []])
    })

    it('cancels a waiting delivery at once and one being sent when its attempt ends', async () => {
      await freshProject()
      const done = await move(await create(), 'complete')
      await move(done!, 'edit', { response: '2' })
      const [claimed] = await claimMine()
      await store.cancelDelivery(claimed!)
      await settle(claimed!, 'pending', { due_at: clock + 1 })
      assert.equal((await store.findDelivery(done!, claimed!.id))?.delivery.state, 'canceled')
      const [next] = await claimMine()
      assert.equal(next?.event_type, 'task.edited')
      await settle(next, 'pending', { due_at: clock + 60_000 })
      await store.cancelDelivery(next)
      assert.equal((await store.findDelivery(done!, next.id))?.delivery.state, 'canceled')
      assert.equal((await taskNow(done!)).callback_succeeded, 0)
    })

    it('finds leases that ran out', async () => {
      await freshProject()
      await move(await create(), 'complete')
      const [claimed] = await claimMine()
      assert.ok(!(await store.lostLeases(100, false)).some(({ id }) => id === claimed!.id))
      clock += 3_600_000
      assert.ok((await store.lostLeases(100, false)).some(({ id }) => id === claimed!.id))
    })

    it('reads past very many projects without room', async () => {
      await freshProject()
      await move(await create(), 'complete')
      const full = Array.from({ length: 5000 }, (_, i) => [`another-${i}`, 0] as const)
      const { claimed } = await store.claim({ ...claimAll, project_room: Object.fromEntries(full) })
      assert.ok(claimed.some(({ project_id }) => project_id === project.id))
    })

    it('looks further than those of a project that have used up its room, and says whether they have', async () => {
      await freshProject()
      while ((await store.claim(claimAll)).claimed.length > 0);
      const first = project.id
      const finishAt = async (id: string) => {
        const task = newTask(project, { destination_id: id })
        const destination = { ...destinationOf(project), id, key: `http://127.0.0.1/${id}` }
        await store.createTask({ task, destination, idempotency: null })
        await move(task, 'complete')
      }
      for (let i = 0; i < 100; i++) await finishAt(`${first}-${i}`)
      clock++
      await freshProject()
      await finishAt(`${project.id}-late`)
      const claimOf = (room: number) =>
        store.claim({ ...claimAll, per_destination: 8, project_room: { [first]: room } })
      const { claimed, further } = await claimOf(3)
      assert.deepEqual(
        [claimed.filter(({ project_id }) => project_id === first).length, claimed.length, further],
        [3, 4, false],
      )
      // A sixteenth of what is left to each, of which each needs one.
      const next = await claimOf(40)
      assert.ok(next.claimed.length > 20)
      assert.equal(next.further, true)
    })

    it('takes no more than may weigh so much together, and the rest by the next claims', async () => {
      await freshProject()
      while ((await store.claim(claimAll)).claimed.length > 0);
      const finish = async (body: string) => {
        const transition = transitionOf(await create(), 'complete')
        await store.transition({ ...transition, event: transition.event && { ...transition.event, body } })
      }
      for (let i = 0; i < 40; i++) await finish(JSON.stringify('x'.repeat(10_000)))
      const weighed = (bytes: number) => store.claim({ ...claimAll, bytes })
      const first = await weighed(1)
      assert.equal(first.claimed.length, 1)
      const each = 2 * (first.claimed[0]?.body.length ?? 0)
      const next = await weighed(20 * each)
      assert.equal(next.claimed.length, 20)
      assert.deepEqual([next.more, next.further], [[destinationOf(project).id], true])
      const last = await weighed(20 * each)
      assert.deepEqual([last.claimed.length, last.further], [19, false])
      for (let i = 0; i < 40; i++) await finish('{}')
      assert.equal((await weighed(0)).claimed.length, 40)
      // There were some to begin with.
      assert.deepEqual([next.cut, last.cut], [{}, {}])
      const ids = [first, next, last].flatMap(({ claimed }) => claimed.map(({ id }) => id))
      assert.equal(new Set(ids).size, 40)
    })

    it('leaves what is large where there are no bytes for it, and looks past it for what is small', async () => {
      while ((await store.claim(claimAll)).claimed.length > 0);
      const finish = async (body: string) => {
        const transition = transitionOf(await create(), 'complete')
        await store.transition({ ...transition, event: transition.event && { ...transition.event, body } })
      }
      const heavy = await freshProject()
      await finish(JSON.stringify('x'.repeat(100_000)))
      const light = await freshProject()
      await finish('{}')
      const { id } = destinationOf(heavy)
      const all = [
        { bytes: 0 },
        { spare_bytes: 0 },
        { project_bytes: { [heavy.id]: 0 } },
        { room: { [id]: 1 }, room_bytes: { [id]: 0 } },
      ]
      const taken: string[] = []
      for (const none of all) {
        const { claimed, cut, more, next_due_at } = await store.claim({ ...claimAll, ...none })
        taken.push(...claimed.map(({ project_id }) => project_id))
        assert.deepEqual([Object.keys(cut), more], [[id], [id]])
        assert.ok(cut[id]! > 200_000 && cut[id]! < 201_000)
        assert.ok(next_due_at !== null && next_due_at > clock)
      }
      assert.deepEqual(taken, [light.id])
      assert.deepEqual((await store.claim({ ...claimAll, bytes: 0, past: [id] })).cut, {})
      const own = {
        spare_bytes: 0,
        project_bytes: { [heavy.id]: 0 },
        room: { [id]: 1 },
        room_bytes: { [id]: 1 },
      }
      assert.equal((await store.claim({ ...claimAll, ...own })).claimed.length, 1)
    })

    it('takes by turns of destinations whose large ones are too many for one claim', async () => {
      while ((await store.claim(claimAll)).claimed.length > 0);
      for (let i = 0; i < 3; i++) {
        await freshProject()
        for (let n = 0; n < 2; n++) await move(await create(), 'complete', {}, large)
      }
      const turns: string[] = []
      for (let i = 0; i < 6; i++) {
        clock++
        const { claimed } = await store.claim({ ...claimAll, bytes: 1 })
        turns.push(...claimed.map(({ destination_id }) => destination_id))
      }
      assert.equal(new Set(turns.slice(0, 3)).size, 3)
      assert.deepEqual(turns.slice(3).toSorted(), turns.slice(0, 3).toSorted())
    })

    it('parks a destination without room and serves the others', async () => {
      const crowded = await freshProject()
      await move(await create(), 'complete')
      const other = await freshProject()
      await move(await create(), 'complete')
      const busy = destinationOf(crowded).id
      const { claimed: deliveries } = await store.claim({ ...claimAll, room: { [busy]: 0 } })
      const owners = deliveries.map(({ project_id }) => project_id)
      assert.ok(owners.includes(other.id) && !owners.includes(crowded.id))
      clock += 1000
      project = crowded
      assert.equal((await claimMine()).length, 1)
    })

    it('serves a parked destination as soon as it is named with room', async () => {
      await freshProject()
      await move(await create(), 'complete')
      const { id } = destinationOf(project)
      assert.deepEqual((await store.claim({ ...claimAll, room: { [id]: 0 } })).claimed, [])
      assert.deepEqual((await store.claim(claimAll)).claimed, [])
      assert.equal((await store.claim({ ...claimAll, room: { [id]: 1 } })).claimed.length, 1)
    })

    const filterOf = (changes: Partial<ReplayFilter> = {}): ReplayFilter => ({
      ...scope(),
      delivery_state: 'failed',
      destination_id: null,
      from_at: null,
      // Ids tell the real time, whatever the store's clock says.
      to_at: Date.now() + 1,
      created_at: clock,
      ...changes,
    })

    /** Counts what matches and writes the job down; the clock moves on. */
    async function startReplay(changes: Partial<ReplayFilter> = {}): Promise<Replay> {
      const filter = filterOf(changes)
      const replay = newReplay(newId(), filter, await store.countReplay(filter))
      assert.equal(await store.createReplay({ replay, idempotency: null }), 'created')
      clock++
      return replay
    }

    /** Makes all steps of all jobs, `limit` matches at a time, and gives these jobs as they are then. */
    async function runReplays(limit: number, ...replays: Replay[]): Promise<Replay[]> {
      while ((await store.stepReplay(limit)) !== undefined);
      return Promise.all(replays.map(async ({ id }) => (await store.findReplay(scope(), id))!))
    }

    const progressOf = ({ state, count, replayed, skipped }: Replay) => [state, count, replayed, skipped]

    /** Claims and settles until nothing is due. */
    async function settleAll(state: Settlement['state']): Promise<Ready[]> {
      const settled: Ready[] = []
      for (let claimed = await claimMine(); claimed.length > 0; claimed = await claimMine()) {
        await Promise.all(claimed.map((delivery) => settle(delivery, state)))
        settled.push(...claimed)
      }
      return settled
    }

    /** The deliveries of all tasks as `event resend state`, oldest first, by task. */
    async function deliveriesByTask(): Promise<Map<string, string[]>> {
      const { rows } = await store.listDeliveries(scope(), {}, page(10_000))
      const shown = rows
        .toSorted((a, b) => a.seq - b.seq)
        .map((row): [string, string] => [row.task_id, `${row.event_type} ${row.resend} ${row.state}`])
      return new Map(
        Array.from(
          Map.groupBy(shown, ([task_id]) => task_id),
          ([id, of]) => [id, of.map(([, text]) => text)],
        ),
      )
    }

    it('replays what failed once each, in the order of each task, and later events wait behind it', async () => {
      await freshProject()
      const first = await move(await create(), 'complete', { response: '1' })
      const edited = await move(first!, 'edit', { response: '2' })
      const second = await move(await create(), 'complete', { response: '3' })
      await settleAll('failed')
      const delivered = await move(await create(), 'complete', { response: '4' })
      await settleAll('delivered')
      const replay = await startReplay()
      const later = await move(edited!, 'audit', { verdict: 'approved' })
      const [after] = await runReplays(50, replay)
      assert.deepEqual(progressOf(after!), ['done', 3, 3, 0])
      assert.equal(after!.finished_at, clock)

      const again = await settleAll('delivered')
      assert.deepEqual(
        again.map(({ task_id, event_type, resend, body }) => [task_id, event_type, resend, body]),
        [
          // What was on its way before the replay comes first.
          [first!.id, 'task.audit.approved', 0, '{"event":"task.audit.approved"}'],
          [second!.id, 'task.completed', 1, '{"event":"task.completed"}'],
          [first!.id, 'task.completed', 1, '{"event":"task.completed"}'],
          [first!.id, 'task.edited', 1, '{"event":"task.edited"}'],
        ],
      )
      assert.equal((await taskNow(later!)).callback_succeeded, 1)
      assert.equal((await taskNow(second!)).callback_succeeded, 1)
      assert.equal((await deliveriesByTask()).get(delivered!.id)?.length, 1)
      assert.equal(await store.countReplay(filterOf()), 0, 'nothing is left to replay')
    })

    it('holds what happens during a replay behind what is replayed in the same task', async () => {
      await freshProject()
      const done = await move(await create(), 'complete')
      await settleAll('failed')
      await runReplays(50, await startReplay())
      await move(done!, 'edit', { response: '2' })
      assert.deepEqual(
        (await settleAll('delivered')).map(({ event_type }) => event_type),
        ['task.completed', 'task.edited'],
      )
    })

    it('replays events in their order though an earlier one was sent again later', async () => {
      await freshProject()
      const done = await move(await create(), 'complete')
      const [first] = await settleAll('failed')
      await move(done!, 'edit', { response: '2' })
      await settleAll('failed')
      const delivery = deliveryOf(done!, first!.event_id, { resend: 1, ordered: 0 })
      await store.resend({ delivery, unsettled_id: null, idempotency: null })
      await settleAll('failed')
      const [after] = await runReplays(1, await startReplay())
      assert.deepEqual(progressOf(after!), ['done', 2, 2, 0])
      assert.deepEqual(
        (await settleAll('delivered')).map(({ event_type }) => event_type),
        ['task.completed', 'task.edited'],
      )
    })

    it('matches by state, destination, time of creation and mode', async () => {
      await freshProject()
      const made: Ready[] = []
      for (const state of ['failed', 'delivered', 'failed'] as const) {
        await move(await create(), 'complete')
        made.push(...(await settleAll(state)))
      }
      await move(await create(), 'complete')
      const [, delivered, last] = made
      const timeOf = ({ id }: Ready) => timeOfId(id)!
      const counts: [number, Partial<ReplayFilter>][] = [
        [2, {}],
        [1, { delivery_state: 'delivered' }],
        [0, { delivery_state: 'canceled' }],
        [2, { destination_id: destinationOf(project).id }],
        [0, { destination_id: 'elsewhere' }],
        [0, { mode: 'test' }],
        [0, { project_id: newId() }],
        [0, { from_at: timeOf(last!) + 1 }],
        [1, { delivery_state: 'delivered', from_at: timeOf(delivered!), to_at: timeOf(delivered!) + 1 }],
        [0, { delivery_state: 'delivered', to_at: timeOf(delivered!) }],
        [0, { created_at: clock - 1 }],
      ]
      for (const [count, changes] of counts)
        assert.equal(await store.countReplay(filterOf(changes)), count, JSON.stringify(changes))
      const [after] = await runReplays(50, await startReplay({ delivery_state: 'delivered' }))
      assert.deepEqual(progressOf(after!), ['done', 1, 1, 0])
      assert.deepEqual((await deliveriesByTask()).get(delivered!.task_id), [
        'task.completed 0 delivered',
        'task.completed 1 pending',
      ])
    })

    it('skips an event that was sent again otherwise since', async () => {
      await freshProject()
      const tasks = [await move(await create(), 'complete'), await move(await create(), 'complete')]
      const failed = await settleAll('failed')
      const replay = await startReplay()
      for (const task of tasks) {
        const { event_id } = failed.find(({ task_id }) => task_id === task!.id)!
        const delivery = deliveryOf(task!, event_id, { resend: 1, ordered: 0 })
        await store.resend({ delivery, unsettled_id: null, idempotency: null })
        if (task === tasks[0]) await settleAll('failed')
      }
      const [after] = await runReplays(50, replay)
      assert.deepEqual(progressOf(after!), ['done', 2, 0, 2])
      const states = await deliveriesByTask()
      assert.deepEqual(states.get(tasks[0]!.id), ['task.completed 0 failed', 'task.completed 1 failed'])
      assert.deepEqual(states.get(tasks[1]!.id), ['task.completed 0 failed', 'task.completed 1 pending'])
    })

    it('counts as skipped what retention has deleted since', async () => {
      await freshProject({ retention_days: 1 })
      await move(await create(), 'complete')
      await settleAll('failed')
      const replay = await startReplay()
      const now = clock
      clock = Date.now() + 2 * 86_400_000
      await store.prune('', 10_000)
      clock = now
      const [after] = await runReplays(50, replay)
      assert.deepEqual(progressOf(after!), ['done', 1, 0, 1])
    })

    it('goes on step by step, and neither two jobs nor many hands send anything twice', async () => {
      await freshProject()
      await Promise.all(
        Array.from({ length: 30 }, async (_, i) => {
          const done = await move(await create(), 'complete')
          if (i % 3 === 0) await move(done!, 'edit', { response: '2' })
        }),
      )
      await settleAll('failed')
      const replays = [await startReplay(), await startReplay()]
      const one = await store.stepReplay(5)
      assert.equal(one?.state, 'running')
      assert.ok(one.replayed >= 5 && one.replayed <= 10, String(one.replayed))
      await Promise.all(Array.from({ length: 4 }, () => runReplays(5)))
      const after = await runReplays(5, ...replays)
      assert.deepEqual(
        after.map(({ state, count, replayed, skipped }) => [state, count, replayed + skipped]),
        [
          ['done', 40, 40],
          ['done', 40, 40],
        ],
      )
      assert.equal(after[0]!.replayed + after[1]!.replayed, 40)
      const byTask = await deliveriesByTask()
      assert.equal(byTask.size, 30)
      for (const deliveries of byTask.values()) {
        const fresh = ['task.completed 1 pending', 'task.edited 1 held']
        assert.deepEqual(
          deliveries.slice(deliveries.length / 2),
          fresh.slice(0, deliveries.length / 2),
          deliveries.join(),
        )
      }
      assert.equal((await settleAll('delivered')).length, 40)
    })

    it('looks at a bounded number of deliveries in a step, and finds what is far behind', async () => {
      await freshProject()
      await Promise.all(Array.from({ length: 2100 }, async () => move(await create(), 'complete')))
      const last = await move(await create(), 'complete')
      await store.cancelDelivery((await store.unsettledDelivery(last!.id, 1))!)
      await startReplay({ delivery_state: 'canceled' })
      const one = await store.stepReplay(50)
      assert.deepEqual(progressOf(one!), ['running', 1, 0, 0])
      assert.deepEqual(progressOf((await store.stepReplay(50))!), ['done', 1, 1, 0])
      assert.equal(await store.stepReplay(50), undefined)
    })

    it('forgets idempotency keys after a day, a chunk at a time', async () => {
      await freshProject()
      const take = (key: string, answer: string) => {
        const idempotency = { ...scope(), key, request_hash: 'h', status: 201, answer }
        return store.createTask({ task: newTask(project), destination: null, idempotency })
      }
      // Chunks are of five keys, and of 4 MiB of their answers.
      for (let i = 0; i < 8; i++) await take(`small ${i}`, '{}')
      for (let i = 0; i < 4; i++) await take(`large ${i}`, JSON.stringify('x'.repeat(2_000_000)))
      const before = clock
      clock += 86_400_000
      await take('young', '{}')
      clock += 1000
      let chunks = 0
      for (let after: string | null = ''; after !== null; chunks++) after = (await store.prune(after, 1)).next
      assert.ok(chunks >= 4, String(chunks))
      assert.deepEqual(await take('young', '{}'), { kind: 'idempotency_key_taken' })
      assert.deepEqual(await take('small 7', '{}'), { kind: 'created' })
      clock = before
    })

    it('keeps a job with its idempotency key once, shows it to its own, and forgets it with the retention', async () => {
      await freshProject({ retention_days: 1 })
      const idempotency = { ...scope(), key: 'k', request_hash: 'h', status: 202, answer: '{}' }
      const replay = newReplay(newId(), filterOf({ to_at: clock }), 1)
      assert.equal(await store.createReplay({ replay, idempotency }), 'created')
      const other = newReplay(newId(), filterOf(), 1)
      assert.equal(await store.createReplay({ replay: other, idempotency }), 'idempotency_key_taken')
      assert.deepEqual({ ...(await store.findReplay(scope(), replay.id)) }, replay)
      assert.equal(await store.findReplay(scope(), other.id), undefined)
      assert.equal(await store.findReplay({ ...scope(), mode: 'test' }, replay.id), undefined)
      const now = clock
      clock = Date.now() + 2 * 86_400_000
      await store.prune('', 1)
      assert.ok(await store.findReplay(scope(), replay.id), 'it is still running')
      await runReplays(50)
      await store.prune('', 1)
      assert.equal(await store.findReplay(scope(), replay.id), undefined)
      clock = now
    })

    it('pages tasks newest first without gaps', async () => {
      await freshProject()
      const made: string[] = []
      for (let i = 0; i < 7; i++) made.push((await create()).id)
      const seen: string[] = []
      let after: string | null = null
      do {
        const { rows, has_more }: { rows: Task[]; has_more: boolean } = await store.listTasks(
          { project_id: project.id, mode: 'live' },
          { status: 'waiting' },
          page(3, after),
        )
        seen.push(...rows.map(({ id }) => id))
        after = has_more ? (rows.at(-1)?.id ?? null) : null
      } while (after !== null)
      assert.deepEqual(seen, made.toReversed())
    })

    it('ends a page of large tasks sooner, without gaps', async () => {
      await freshProject()
      const made: string[] = []
      const text = (mib: number) => JSON.stringify('x'.repeat(mib * 1024 * 1024))
      for (let i = 0; i < 6; i++)
        made.push((await create(i === 3 ? { ext: text(2) } : { params: text(0.25) })).id)
      const pages: string[][] = []
      for (let after: string | null = null, more = true; more;) {
        const { rows, has_more }: { rows: Task[]; has_more: boolean } = await store.listTasks(
          { project_id: project.id, mode: 'live' },
          {},
          page(100, after),
        )
        pages.push(rows.map(({ id }) => id))
        after = rows.at(-1)?.id ?? null
        more = has_more
      }
      assert.deepEqual(pages.flat(), made.toReversed())
      assert.deepEqual(
        pages.map(({ length }) => length),
        [2, 1, 3],
      )
    })

    it('ends a page of large arrivals sooner', async () => {
      await freshProject()
      const { id } = await create()
      for (let i = 0; i < 3; i++)
        await store.recordArrival({
          id: newId(),
          task_id: id,
          received_at: clock,
          remote_address: '192.0.2.1',
          headers: '{}',
          body: 'x'.repeat(512 * 1024),
          verdict: 'invalid',
        })
      const first = await store.listArrivals(id, page(100))
      const rest = await store.listArrivals(id, page(100, first.rows.at(-1)?.id))
      assert.deepEqual(
        [first.rows.length, first.has_more, rest.rows.length, rest.has_more],
        [2, true, 1, false],
      )
    })

    const secretOf = (value: string, kind: SecretKind = 'signing', mode: Mode | null = null): Secret => ({
      id: newId(),
      project_id: project.id,
      kind,
      mode,
      value,
      created_at: clock,
      expires_at: null,
    })

    const rotate = (secret: Secret, grace_ms: number, idempotency: Idempotency | null = null) =>
      store.rotateSecret({ secret, older_expire_at: clock + grace_ms, idempotency })

    const secretsNow = async () =>
      (await store.secrets(project.id)).map(({ value, expires_at }) => [value, expires_at])

    it('seals secrets and opens them again', async () => {
      project = newProject()
      await store.createProject({ project, keys: [], secrets: [secretOf('whsec_x')] })
      assert.deepEqual(await secretsNow(), [['whsec_x', null]])
    })

    it('rotates a secret of one kind and mode, and keeps those before it for their grace', async () => {
      project = newProject()
      const secrets = [
        secretOf('first'),
        secretOf('auth live', 'callback_auth', 'live'),
        secretOf('auth test', 'callback_auth', 'test'),
      ]
      await store.createProject({ project, keys: [], secrets })
      const watching = recordingOutlet(false)
      store.attach(watching.outlet)
      assert.equal(await rotate(secretOf('second'), 5000), 'rotated')
      assert.equal(await rotate(secretOf('auth live 2', 'callback_auth', 'live'), 1000), 'rotated')
      assert.deepEqual(watching.changed, [project.id, project.id])
      assert.deepEqual(await secretsNow(), [
        ['auth live 2', null],
        ['second', null],
        ['auth test', null],
        ['auth live', clock + 1000],
        ['first', clock + 5000],
      ])
    })

    it('ends the older secrets with the shorter of two graces, and deletes those that ended', async () => {
      project = newProject()
      await store.createProject({ project, keys: [], secrets: [secretOf('first')] })
      const start = clock
      await rotate(secretOf('second'), 9000)
      await rotate(secretOf('third'), 4000)
      assert.deepEqual(await secretsNow(), [
        ['third', null],
        ['second', start + 4000],
        ['first', start + 4000],
      ])
      clock += 4000
      await rotate(secretOf('fourth'), 10)
      assert.deepEqual(await secretsNow(), [
        ['fourth', null],
        ['third', clock + 10],
      ])
      clock += 10
      await store.prune('', 1)
      assert.deepEqual(await secretsNow(), [['fourth', null]])
    })

    it('lets three secrets hold at most, and a rotation without grace always through', async () => {
      project = newProject()
      await store.createProject({ project, keys: [], secrets: [secretOf('first')] })
      const results = await Promise.all(['a', 'b', 'c', 'd'].map((value) => rotate(secretOf(value), 5000)))
      assert.deepEqual(results.toSorted(), ['rotated', 'rotated', 'too_many', 'too_many'])
      assert.equal((await secretsNow()).length, 3)
      assert.equal(await rotate(secretOf('leaked'), 0), 'rotated')
      assert.deepEqual(await secretsNow(), [['leaked', null]])
    })

    it('takes the idempotency key of a rotation together with it, and not without it', async () => {
      project = newProject()
      await store.createProject({ project, keys: [], secrets: [secretOf('first')] })
      const guard = (key: string): Idempotency => ({
        project_id: project.id,
        mode: 'live',
        key,
        request_hash: 'h',
        status: 201,
        answer: key,
      })
      assert.equal(await rotate(secretOf('second'), 5000, guard('k')), 'rotated')
      assert.equal(await rotate(secretOf('third'), 5000, guard('k')), 'idempotency_key_taken')
      assert.equal(await rotate(secretOf('third'), 5000), 'rotated')
      assert.equal(await rotate(secretOf('fourth'), 5000, guard('refused')), 'too_many')
      const scope = { project_id: project.id, mode: 'live' as const }
      assert.equal((await store.findIdempotency(scope, 'k'))?.answer, 'k')
      assert.equal(await store.findIdempotency(scope, 'refused'), undefined)
    })

    it('prunes settled tasks past their retention and nothing that is unsettled', async () => {
      await freshProject({ retention_days: 1 })
      const kept = await create()
      const unsent = await move(await create(), 'complete')
      const gone = await move(await create({ destination_id: null, callback_url: null }), 'cancel')
      clock = Date.now() + 10 * 86_400_000
      let after: string | null = ''
      while (after !== null) after = (await store.prune(after, 100)).next
      assert.ok(await store.findTask(kept, kept.id))
      assert.ok(await store.findTask(unsent!, unsent!.id))
      assert.equal(await store.findTask(gone!, gone!.id), undefined)
      clock = 1_000_000_000
    })

    it('prunes a few large tasks at a time, so that nothing waits long for it', async () => {
      await freshProject({ retention_days: 1 })
      const response = JSON.stringify('x'.repeat(7_000_000))
      for (let i = 0; i < 5; i++) {
        const task = await create({ destination_id: null, callback_url: null })
        await move(task, 'complete', { response }, response)
      }
      clock = Date.now() + 10 * 86_400_000
      const counts: number[] = []
      for (let after: string | null = ''; after !== null;) {
        const step = await store.prune(after, 100)
        counts.push(step.pruned)
        after = step.next
      }
      clock = 1_000_000_000
      assert.deepEqual(
        counts.filter((count) => count > 0),
        [1, 1, 1, 1, 1],
      )
    })
  })
}
