// How a verb becomes one write: decide, render the event in the project's dialect, hand all of it to the store's
// compare-and-set, and on a lost race look again. A task whose time has come is expired first, whoever noticed it.
import type { Audit } from '../domain/audit.ts'
import { leaseMs } from '../domain/delivery.ts'
import { AppError } from '../domain/errors.ts'
import { decide, isOverdue, transitions } from '../domain/task.ts'
import type { CallVerb, Decision, Task, TaskStatus, TaskVerb, VerbInput } from '../domain/task.ts'
import type { CallWrite } from '../store/call-verbs.ts'
import type { Arrival, CreateResult, CreateTask, NewDelivery, Store, Transition } from '../store/store.ts'
import { callConsequence } from './call-write.ts'
import type { Sources } from './credentials.ts'
import type { Dialects } from './dialect.ts'
import type { Directory } from './directory.ts'

export type ApplyOptions = {
  /** Written together with the verb, or not at all. */
  arrival?: Arrival
  audit?: Audit
  /** The call that brings the verb about, settled together with it. */
  call?: CallWrite
  /** What must hold of the row that the verb is decided on, besides the table of transitions. */
  stillValid?: (task: Task) => boolean
}

/** `refused` carries the row that does not allow the verb; `lost` says that the call which brings it about lost its lease. */
export type Applied = { kind: 'done' | 'refused' | 'lost'; task: Task }

export type Verbs = {
  /** Applies a verb to a task, and says as a value when its state (or `stillValid`) does not allow it. */
  tryApply(task: Task, verb: TaskVerb | CallVerb, input: VerbInput, options?: ApplyOptions): Promise<Applied>
  /** Like `tryApply`, but throws `invalid_transition` with the current status. */
  apply(task: Task, verb: TaskVerb, input: VerbInput, options?: ApplyOptions): Promise<Task>
  /** Creates a task with a verb applied to it already: in one write, so that nobody ever finds it without. */
  createApplied(
    creation: Omit<CreateTask, 'applied'>,
    verb: TaskVerb,
    input: VerbInput,
  ): Promise<CreateResult>
}

type Wiring = {
  store: Pick<Store, 'now' | 'createTask' | 'transition' | 'findTask'>
  dialects: Dialects
  directory: Pick<Directory, 'project'>
  newId: () => string
  randomBytes: Sources['randomBytes']
}

// Losing this often means that something is wrong, not that there is a crowd: each loss is somebody else's win.
const ROUNDS_MAX = 20

/** Makes the verbs. Both throw `conflict` when other writers win twenty times in a row, `not_found` for a pruned task. */
export function createVerbs({ store, dialects, directory, newId, randomBytes }: Wiring): Verbs {
  async function toTransition(
    verb: TaskVerb | CallVerb,
    { task: decided, event }: Decision,
    { arrival, call, audit }: Pick<ApplyOptions, 'arrival' | 'call' | 'audit'>,
  ): Promise<Transition> {
    const project = await directory.project(decided.project_id)
    if (project === undefined) throw new Error(`Task ${decided.id} belongs to no project`)
    const dialect = dialects.get(project.dialect)
    const consequence =
      call === undefined
        ? callConsequence({ calls: dialect.calls, randomBytes }, verb, decided)
        : { call, task: {} }
    const followed = { ...decided, ...consequence.task }
    const written = { arrival: arrival ?? null, call: consequence.call, audit }
    if (event === null) return { task: followed, event: null, delivery: null, ...written }
    const row = {
      id: newId(),
      task_id: followed.id,
      sequence: followed.event_count,
      type: event.type,
      detail: event.detail,
      created_at: followed.updated_at,
    }
    const amended = { ...followed, last_told: null, ...dialect.amend?.(row, followed) }
    const { callback_url, destination_id } = amended
    const body = callback_url === null ? null : dialect.callback(row, amended)
    if (callback_url === null || destination_id === null || body === null) {
      // What nobody is told of leaves the say to the event before.
      const task = { ...amended, last_told: decided.last_told ?? decided.event_count - 1 }
      return { task, event: { ...row, body: null }, delivery: null, ...written }
    }
    const delivery: NewDelivery = {
      id: newId(),
      project_id: amended.project_id,
      mode: amended.mode,
      task_id: amended.id,
      event_id: row.id,
      event_type: row.type,
      sequence: row.sequence,
      destination_id,
      url: callback_url,
      resend: 0,
      ordered: project.settings.order === 'task' ? 1 : 0,
      created_at: row.created_at,
      lease_ms: leaseMs(dialect.policy(project).timeout_ms),
    }
    return { task: amended, event: { ...row, body }, delivery, ...written }
  }

  async function tryApply(
    first: Task,
    verb: TaskVerb | CallVerb,
    input: VerbInput,
    { arrival, call, audit, stillValid }: ApplyOptions = {},
  ): Promise<Applied> {
    let task = first
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const now = store.now()
      const expireFirst = verb !== 'expire' && isOverdue(task, now)
      if (!expireFirst && stillValid !== undefined && !stillValid(task)) return { kind: 'refused', task }
      const decision = expireFirst ? decide(task, 'expire', {}, now) : decide(task, verb, input, now)
      if (decision === undefined) return { kind: 'refused', task }
      const transition = expireFirst
        ? await toTransition('expire', decision, {})
        : await toTransition(verb, decision, { arrival, call, audit })
      const written = await store.transition(transition)
      if (written === 'lost') return { kind: 'lost', task }
      if (written === 'done') {
        task = transition.task
        if (!expireFirst) return { kind: 'done', task }
        continue
      }
      const fresh = await store.findTask(task, task.id)
      if (fresh === undefined) throw new AppError('not_found', `There is no task ${task.id} any more`)
      task = fresh
    }
    throw new AppError('conflict', `Task ${task.id} keeps changing; read it and try again`)
  }

  return {
    tryApply,
    async apply(first, verb, input, options) {
      const { kind, task } = await tryApply(first, verb, input, options)
      if (kind === 'done') return task
      throw new AppError('invalid_transition', refusal(verb, task.status), { current: task.status })
    },
    async createApplied(creation, verb, input) {
      const decision = decide(creation.task, verb, input, creation.task.created_at)
      if (decision === undefined) throw new Error(`${verb} does not apply to a new task`)
      return store.createTask({ ...creation, applied: await toTransition(verb, decision, {}) })
    },
  }
}

function refusal(verb: TaskVerb, status: TaskStatus): string {
  const possible = Object.entries(transitions)
    .filter(([, { from }]) => (from as readonly TaskStatus[]).includes(status))
    .map(([name]) => name)
  return `${verb} does not apply to a task that is ${status}; possible now: ${possible.join(', ')}`
}
