// The seam: every verb that the rest of the program may ask of a database, each with one sentence of contract. Whoever
// needs a new query adds a verb here, writes its SQL once in sql/, and proves it on both databases in the contract suite.
import type { Act, Audit } from '../domain/audit.ts'
import type { Attempt, Delivery, DeliveryState, Settlement } from '../domain/delivery.ts'
import type { DestinationKind, DestinationReport } from '../domain/destination.ts'
import type { TaskEvent } from '../domain/event.ts'
import type { Key } from '../domain/key.ts'
import type { Page, PageRequest } from '../domain/page.ts'
import type { Host, Mode, Project, ProjectSettings, Scope, Secret } from '../domain/project.ts'
import type { StoredRecord } from '../domain/record.ts'
import type { Replay, ReplayFilter } from '../domain/replay.ts'
import type { AuditVerdict, Task, TaskStatus } from '../domain/task.ts'
import type { CallStore, CallWrite, NewCall } from './call-verbs.ts'
import type { ClaimRequest, ClaimResult } from './claiming.ts'
import type { AmendResult, AmendTask } from './sql/amend.ts'
import type { SetBreaker } from './sql/closing.ts'
import type { TaskPageRequest } from './sql/find-tasks.ts'
import type { Rates, RatesResult } from './sql/rates.ts'
import type { InsertRecordResult, RecordPage, RecordPageRequest } from './sql/records.ts'
import type { CreateReplay, CreateReplayResult } from './sql/replays.ts'

/** Where a new delivery goes; the id is derived from project, mode and key. */
export type Destination = { id: string; project_id: string; mode: Mode; kind: DestinationKind; key: string }

/** Guards a creating request: kept 24 hours with its answer, in the transaction of what it guards. */
export type Idempotency = Scope & { key: string; request_hash: string; status: number; answer: string }

/** `progress` says that the task's `resolve` took it for no end, `invalid` also that it did not know what to take it for. */
export const arrivalVerdicts = [
  'resolved',
  'repeated',
  'conflicting',
  'early',
  'late',
  'invalid',
  'progress',
] as const
export type ArrivalVerdict = (typeof arrivalVerdicts)[number]

/** One request that reached an inbound URL; `headers` is JSON text, `body` whatever came. */
export type Arrival = {
  id: string
  task_id: string
  received_at: number
  remote_address: string | null
  headers: string
  body: string | null
  verdict: ArrivalVerdict
}

/** A delivery ready to be sent, with the frozen bytes of its event. */
export type Ready = Delivery & { body: string }

/** A new delivery of an event: everything but what the store decides (place in the task, state, lease). */
export type NewDelivery = Pick<
  Delivery,
  | 'id'
  | 'project_id'
  | 'mode'
  | 'task_id'
  | 'event_id'
  | 'event_type'
  | 'sequence'
  | 'destination_id'
  | 'url'
  | 'resend'
  | 'ordered'
> & { created_at: number; lease_ms: number }

export type CreateTask = {
  task: Task
  destination: Destination | null
  idempotency: Idempotency | null
  /** Texts by which the task is found again, 500 characters each at most; once is enough for each. */
  labels?: readonly string[] | undefined
  /** A verb that is decided on the new task already, and written together with it. */
  applied?: Transition | undefined
  /** What is called for it first. */
  call?: NewCall | null | undefined
  /** Hashes of further secrets by which `findTaskByCallback` finds it. */
  hashes?: readonly string[] | undefined
}
export type CreateResult =
  | { kind: 'created' }
  | { kind: 'unique_id_taken'; task_id: string }
  | { kind: 'idempotency_key_taken' }

/**
 * A decided verb: `task` is the row after it, and wins only over the row with the version before. It may change `ext` and give
 * up the unique id, but not take another, which `amendTask` is for.
 */
export type Transition = {
  task: Task
  event: (TaskEvent & { body: string | null }) | null
  delivery: NewDelivery | null
  arrival: Arrival | null
  call?: CallWrite | null
  audit?: Audit | null | undefined
}
/** `raced`: another writer was first, or it is overdue. `lost`: the call that brought it about has lost its lease. */
export type TransitionResult = 'done' | 'raced' | 'lost'

/** An attempt's decision; `attempt` is null when nothing was sent (released unburned, or given up before sending). */
export type Settle = {
  delivery: Addressed & Pick<Delivery, 'id' | 'task_id' | 'fence' | 'sequence' | 'resend' | 'ordered'>
  settlement: Settlement
  attempt: Attempt | null
  lease_ms: number
}

export type ResendRequest = {
  delivery: NewDelivery
  /** The unsettled delivery of the same event that the caller saw, or null; another truth is a lost race. */
  unsettled_id: string | null
  idempotency: Idempotency | null
  audit?: Audit | null
}
export type ResendResult = 'done' | 'raced' | 'pruned' | 'idempotency_key_taken'

export type RotateSecret = {
  /** The new current one of its kind and mode. */
  secret: Secret
  /** When the older ones of its kind and mode end, unless they end before; in milliseconds. */
  older_expire_at: number
  idempotency: Idempotency | null
  audit?: Audit | null
}
export type RotateResult = 'rotated' | 'too_many' | 'idempotency_key_taken'

/** What a step of changing the key has done. */
export type Resealed = {
  /** The id of the key that seals now. */
  key_id: string
  resealed: number
  /** How many are left; exact below 10,000. */
  remaining: number
}

/** All that is given must hold. Times are milliseconds: `from` includes its own, `to` does not. */
export type TaskFilter = {
  status?: TaskStatus
  statuses?: readonly TaskStatus[]
  /** Like `statuses`, but of a suspended task the status that it will go on from. */
  resumed_statuses?: readonly TaskStatus[]
  /** Something is called for it, first at a time after this one, or by it: whatever is not `after` is `by`. */
  first_call_after?: number
  first_call_by?: number
  /** Of suspended tasks only those that were created so, or only those that were not. */
  suspended_at_birth?: boolean
  type?: string
  types?: readonly string[]
  audit_status?: string
  /** With null among them, tasks without a verdict, too. */
  audit_statuses?: readonly (string | null)[]
  /** One of these pairs of status and verdict. */
  states?: readonly (readonly [TaskStatus, AuditVerdict | null])[]
  callback_succeeded?: boolean
  unique_id?: string
  unique_ids?: readonly string[]
  /** Ids or external ids. */
  ids?: readonly string[]
  /** One of each list. */
  labels?: readonly (readonly string[])[]
  created_from?: number
  created_to?: number
  completed_from?: number
  completed_to?: number
  updated_from?: number
  updated_to?: number
}
export type DeliveryFilter = {
  task_id?: string
  state?: DeliveryState
  event?: string
  destination?: string
  created_after?: number
}

/** All that is given must hold; `since` includes its own time (milliseconds), `until` does not. */
export type AuditFilter = { project_id?: string; act?: Act; since?: number; until?: number }

/** When a key was last used, in milliseconds. */
export type KeyUse = { id: string; last_used_at: number }

/** A task that somebody waits for as long as its status is one of these. */
export type AwaitedTask = { task_id: string; whileIn: readonly TaskStatus[] }

/** To whom a delivery goes, and of which project. */
export type Addressed = Pick<Delivery, 'project_id' | 'destination_id'>

/** The engine's side of a commit: asked for room before a delivery is inserted, handed the delivery after it. */
export interface Outlet {
  /**
   * Reserves a slot at a destination for what weighs so much (domain/weight.ts), or says that there is none or that older work
   * waits there.
   */
  admit(delivery: Addressed, bytes: number): boolean
  /** Gives back a slot for so many bytes that was not used. */
  withdraw(delivery: Addressed, bytes: number): void
  /** Sends a committed delivery in the slot that was reserved for so many bytes. */
  launch(delivery: Ready, reserved_bytes: number): void
  /** A destination was paused, or its breaker opened: what has not begun there must be given back. */
  hold(destination_id: string): void
  /** Something is pending at a destination from `due_at` on; `to` says at which, if that is known. */
  wake(due_at: number, to?: Addressed): void
  /** A project's settings or secrets are others than before. */
  projectChanged(project_id: string): void
  /** A call is pending at a destination from `due_at` on. */
  wakeCalls(due_at: number): void
  /** A record is due from `due_at` on. */
  recordDue(due_at: number): void
}

/** Verbs that are given an `audit` write it in their transaction, if they change anything. */
export interface Store extends CallStore {
  /** The store's clock, in milliseconds: every deadline is measured with it. */
  now(): number
  /** Rejects unless the database answers within three seconds, and for a second after it refused a write, unless it has taken one since. */
  ping(): Promise<void>
  /** Resolves, if ever, when this process can use the database no more and has to end. */
  readonly failed: Promise<Error>
  /** Connects the engine; without one, deliveries are queued for whoever claims them. */
  attach(outlet: Outlet): void
  /** Calls `listener` after each committed transition. Returns how to stop that. */
  onTransition(listener: (task: Task) => void): () => void
  /** Whether other processes may be at this database, too. */
  readonly shared: boolean
  /**
   * Calls `listener` with ids of tasks that other processes settled, or moved while something is called for them; some may go
   * untold. Returns how to stop that.
   */
  onMovedElsewhere(listener: (task_ids: readonly string[]) => void): () => void
  /** Those of these tasks whose status is none of `whileIn` any more. */
  movedTasks(waits: readonly AwaitedTask[]): Promise<Task[]>
  /** Commits what is queued and closes the database. Idempotent. */
  close(): Promise<void>

  /** Inserts a task, its destination, its idempotency key and what was applied to it at once, or nothing. */
  createTask(input: CreateTask): Promise<CreateResult>
  /** Writes a decided verb with event, delivery and arrival if the task is still the one it was decided on. */
  transition(input: Transition): Promise<TransitionResult>
  /**
   * Writes metadata, unique id and `ext` of a task, and its labels, outside of any verb, if it is still the one that this was
   * decided on.
   */
  amendTask(input: AmendTask): Promise<AmendResult>
  /** The task of this id or external id. */
  findTask(scope: Scope, id: string): Promise<Task | undefined>
  /** The task that this callback id was ever given out for. */
  findTaskByCallback(hash: string): Promise<Task | undefined>
  /** A page of tasks, newest first; like each page of large rows it ends where they come to 1 MiB. */
  listTasks(scope: Scope, filter: TaskFilter, page: PageRequest): Promise<Page<Task>>
  /** The same in either order, from any offset. */
  findTasks(scope: Scope, filter: TaskFilter, page: TaskPageRequest): Promise<Page<Task>>
  /** How many tasks match; counts no further than `limit`. */
  countTasks(scope: Scope, filter: TaskFilter, limit: number): Promise<number>
  /** Open tasks whose `expires_at` has passed, fewer than `limit` where they are large, and when the next one's does, or did. */
  overdueTasks(limit: number): Promise<{ tasks: Task[]; next_at: number | null }>
  /** A page of a task's events in order; `after` is the last sequence. */
  listEvents(task_id: string, page: PageRequest): Promise<Page<TaskEvent>>
  /** The task's last event that became a callback, with its body; undefined when none did. */
  lastEvent(task_id: string): Promise<(TaskEvent & { body: string | null }) | undefined>

  /** Adds a request to the inbound ledger, unless the task has its fill of them. */
  recordArrival(arrival: Arrival): Promise<void>
  listArrivals(task_id: string, page: PageRequest): Promise<Page<Arrival>>
  findArrival(scope: Scope, id: string): Promise<{ arrival: Arrival; task: Task } | undefined>

  /** Leases due deliveries to this process, due destinations first, a few of each. */
  claim(request: ClaimRequest): Promise<ClaimResult<Ready>>
  /** Writes an attempt and its decision if the lease's fence still holds; false when it does not. */
  settle(input: Settle): Promise<boolean>
  /** Inserts a fresh delivery of an old event, or brings the unsettled one forward to now. */
  resend(input: ResendRequest): Promise<ResendResult>
  /** Cancels an unsettled delivery; one that is being sent is cancelled when its attempt ends. */
  cancelDelivery(
    delivery: Pick<Delivery, 'id' | 'project_id' | 'task_id' | 'destination_id' | 'sequence'>,
    audit?: Audit | null,
  ): Promise<void>
  findDelivery(scope: Scope, id: string): Promise<{ delivery: Delivery; attempts: Attempt[] } | undefined>
  /** A task's unsettled delivery of this event, if any. */
  unsettledDelivery(task_id: string, sequence: number): Promise<Delivery | undefined>
  listDeliveries(scope: Scope, filter: DeliveryFilter, page: PageRequest): Promise<Page<Delivery>>

  /** How many deliveries a replay would send again. */
  countReplay(filter: ReplayFilter): Promise<number>
  /** Writes a replay down, with its idempotency key, or nothing. */
  createReplay(input: CreateReplay): Promise<CreateReplayResult>
  findReplay(scope: Scope, id: string): Promise<Replay | undefined>
  /**
   * Makes fresh deliveries for the next `limit` matches, and all others of the same tasks, of the running replay that has
   * waited longest. Returns it as it is after that, or undefined when none is running.
   */
  stepReplay(limit: number): Promise<Replay | undefined>

  /** Inserts a record and its idempotency key, or nothing. */
  insertRecord(record: StoredRecord, idempotency?: Idempotency | null): Promise<InsertRecordResult>
  /** A record past its `expires_at` is found until it is pruned. */
  findRecord(scope: Scope, kind: string, key: string): Promise<StoredRecord | undefined>
  /** A page of the records of a kind, newest first, and how many there are, counted up to 10,000. */
  listRecords(scope: Scope, kind: string, page: RecordPageRequest): Promise<RecordPage>
  /** Writes the row after a change, with `version` one higher, if the record is still the one it was decided on. */
  updateRecord(record: StoredRecord): Promise<boolean>
  /** False when there is no such record. */
  deleteRecord(scope: Scope, kind: string, key: string): Promise<boolean>
  /**
   * Takes the record that has been due longest, but none of the projects `except`; it is due again in `lease_ms` unless its holder
   * writes another `due_at`.
   */
  claimRecord(lease_ms: number, except?: readonly string[]): Promise<StoredRecord | undefined>
  /** When the next record that is of no project `except` is due, in milliseconds, or null; in the past when one is due already. */
  nextRecordDue(except?: readonly string[]): Promise<number | null>

  /** Leases that ran out; `lost_boots` adds those of earlier processes when this one has the database to itself. */
  lostLeases(limit: number, lost_boots: boolean): Promise<Delivery[]>
  /** Releases held deliveries that wait for nobody in a chunk of tasks; returns where to go on, or null at the end. */
  releaseStuck(after: string, limit: number): Promise<string | null>
  /** Re-derives the due times of a chunk of destinations; returns where to go on, or null at the end. */
  sweepDestinations(after: string, limit: number): Promise<string | null>
  /** Deletes a chunk of settled tasks past their project's retention, with all that belongs to them, and what has expired. */
  prune(after: string, limit: number): Promise<{ pruned: number; next: string | null }>

  /** A page of the destinations of a project's mode, by id. */
  listDestinations(scope: Scope, page: PageRequest): Promise<Page<DestinationReport>>
  findDestination(scope: Scope, id: string): Promise<DestinationReport | undefined>
  /** Stops claims at a destination until it is resumed, and what is queued for it in this process. */
  pauseDestination(id: string, audit?: Audit | null): Promise<void>
  /** Makes what waits at a paused destination due again; false when it is not paused. */
  resumeDestination(id: string, audit?: Audit | null): Promise<boolean>
  /** Opens a destination's breaker until its next probe, or closes it. */
  setBreaker(input: SetBreaker): Promise<void>
  /** Writes counts of attempts and health; pauses what has failed for too long, resumes what succeeded since. */
  recordRates(input: Rates): Promise<RatesResult>
  /** Destinations that paused by themselves and of which the operator has not been told. */
  unreportedPauses(limit: number): Promise<DestinationReport[]>
  /** The operator was told of this pause. */
  markReported(id: string): Promise<void>
  /** How many deliveries are pending, counted up to `limit`. */
  countWaiting(limit: number): Promise<number>

  /** Inserts a project with its keys and secrets, or nothing; false when its idempotency key is taken. Rejects a host twice. */
  createProject(input: {
    project: Project
    keys: Key[]
    secrets: Secret[]
    idempotency?: Idempotency | null
    audit?: Audit | null
  }): Promise<boolean>
  updateProject(
    project_id: string,
    settings: Partial<ProjectSettings>,
    audit?: Audit | null,
  ): Promise<Project | undefined>
  findProject(id: string): Promise<Project | undefined>
  listProjects(page: PageRequest): Promise<Page<Project>>
  /** All hosts that projects have. */
  listHosts(): Promise<Host[]>
  /** False when the idempotency key is taken. */
  createKey(key: Key, idempotency?: Idempotency | null, audit?: Audit | null): Promise<boolean>
  /** False when the project has no such key. The audit is told what the key was. */
  revokeKey(project_id: string, key_id: string, audit?: Audit | null): Promise<boolean>
  listKeys(project_id: string, page: PageRequest): Promise<Page<Key>>
  /** Writes when keys were last used; the latest time that anybody writes holds. */
  recordKeyUses(uses: KeyUse[]): Promise<void>
  findKey(hash: string): Promise<Key | undefined>
  /** A project's secrets, opened: the current ones, then those that expire, newest first. */
  secrets(project_id: string): Promise<Secret[]>
  /** Puts a secret in the place of the current one, which holds on for its grace; `too_many` when too many would hold. */
  rotateSecret(input: RotateSecret): Promise<RotateResult>
  findIdempotency(scope: Scope, key: string): Promise<Idempotency | undefined>
  /** Seals a few of the texts anew that another key has sealed. Call it until none remain; it is safe to break off. */
  reseal(audit?: Audit | null): Promise<Resealed>

  /** Writes down an act that no other verb carries. */
  recordAudit(audit: Audit): Promise<void>
  /** A page of acts, newest first. */
  listAudits(filter: AuditFilter, page: PageRequest): Promise<Page<Audit>>
}
