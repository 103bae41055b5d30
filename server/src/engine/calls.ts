// One call's turn, as a pipeline: its task says that it began, it is sent, what the answer means is decided and written with the
// task's next status, or not at all. No connection to the database is held while the other side has the word.
import { attemptsId, planOf, reportOf, type CallRequest } from '../domain/call.ts'
import {
  afterCall,
  type CallAnswer,
  type CallContext,
  type CallMove,
  type CallRules,
} from '../domain/call-step.ts'
import type { Attempt } from '../domain/delivery.ts'
import { unanswered, type Outcome } from '../domain/outcome.ts'
import type { Project, Secret } from '../domain/project.ts'
import { print } from '../domain/json.ts'
import { isOpen, type CallVerb, type Task, type VerbInput } from '../domain/task.ts'
import type { CallWrite, ReadyCall, SettleCall } from '../store/call-verbs.ts'
import type { Destination, Store } from '../store/store.ts'
import { LARGE_BYTES, ownTurn } from '../own-turn.ts'
import { answerOf } from './call-answer.ts'
import type { CallSender } from './call-sender.ts'
import type { Clock } from './clock.ts'
import { ATTEMPT_MARGIN_MS, SHORT_LEASE_WAIT_MS, toAttempt } from './deliver.ts'
import type { Attempts } from './dispatcher.ts'
import type { AnswerRoom, Intake } from './intake.ts'
import type { Log } from './log.ts'
import { createPersist } from './persist.ts'
import type { Report } from './report.ts'
import type { Terms, TermsCache } from './terms.ts'

/** What the engine is told of calls by those who know dialects. */
export type CallWiring = {
  /** The rules of a project's dialect; undefined when its tasks have no calls. */
  rulesOf: (project: Project) => CallRules | undefined
  /** Makes the request of an attempt, or says why none can be made. */
  render: (
    context: CallContext,
    terms: { project: Project; secrets: readonly Secret[]; attempt: number; now: number },
  ) => Promise<{ request: CallRequest } | { fault: string }>
  /** Applies a verb to a task, with the end of the call that brings it about. */
  move: (
    task: Task,
    verb: 'complete' | 'fail' | CallVerb,
    input: VerbInput,
    call?: CallWrite,
  ) => Promise<{ kind: 'done' | 'refused' | 'lost'; task: Task }>
  /** Where a URL leads; undefined for one that cannot be called. */
  destinationOf: (call: ReadyCall, url: string) => Destination | undefined
  /** So much of an answer is read, in bytes. */
  answer_bytes: number
}

export type Calls = Attempts<ReadyCall> & {
  /** Writes an attempt whose end nobody saw; false when somebody else was first. */
  writeUnseen(ready: ReadyCall): Promise<boolean>
  /** From now on a write that fails is not repeated. */
  hurry(): void
}

type Context = CallContext & { call: ReadyCall }

/** What a call is made with; `answered` is told when its slot is free. */
type Turn = {
  project: Project
  secrets: readonly Secret[]
  rules: CallRules
  room: AnswerRoom
  answered: () => void
}

type Begun = { kind: 'now'; context: Context } | { kind: 'later'; due_at: number } | { kind: 'never' }

const never: Begun = { kind: 'never' }

const LOGGED_CHARS = 16 * 1024

/** Makes the pipeline. */
export function createCalls({
  store,
  sender,
  intake,
  wiring,
  terms: cache,
  clock,
  log,
  report,
}: {
  store: Pick<Store, 'settleCall'>
  sender: Pick<CallSender, 'send'>
  intake: Intake
  wiring: CallWiring
  terms: TermsCache
  clock: Clock
  log: Log
  report: Report
}): Calls {
  const { rulesOf, render, move, destinationOf, answer_bytes } = wiring
  const persist = createPersist({ clock, log })

  async function attempt(
    ready: ReadyCall,
    { project, secrets }: Terms,
    answered: (ready: ReadyCall, tried: boolean) => void,
  ): Promise<void> {
    const rules = rulesOf(project)
    const begun = rules === undefined ? never : await begin(ready)
    if (begun.kind !== 'now' || rules === undefined) {
      answered(ready, false)
      return begun.kind === 'later' ? release(ready, begun.due_at) : end(ready)
    }
    const room = intake.enter(ready)
    try {
      await make(begun.context, { project, secrets, rules, room, answered: () => answered(ready, true) })
    } finally {
      room.leave()
    }
  }

  /** Sends a call that has begun, and writes what came of it. */
  async function make(context: Context, { project, secrets, rules, room, answered }: Turn): Promise<void> {
    const { call: ready } = context
    const started_at = clock.now()
    const number = ready.attempt_count + 1
    const made = await render(context, { project, secrets, attempt: number, now: started_at })
    const outcome = 'fault' in made ? null : await sendOne(ready, made.request, room)
    answered()
    const now = clock.now()
    const answer: CallAnswer =
      'fault' in made || outcome === null
        ? { kind: 'unusable', error: 'fault' in made ? made.fault : 'The request could not be made.' }
        : answerOf(outcome, { most_bytes: answer_bytes, duration_ms: now - started_at })
    const logged = outcome === null ? null : attemptOf(ready, outcome, { started_at, now })
    // Reading it takes milliseconds, and twenty may have come at once.
    if (answer.kind === 'answered' && answer.body.length > LARGE_BYTES) await ownTurn()
    await settle(context, decide(context, answer, rules, now), outcome, logged)
  }

  /** What an answer means; one that nobody can make sense of must not be asked for again and again. */
  function decide(context: CallContext, answer: CallAnswer, rules: CallRules, now: number): CallMove {
    try {
      return afterCall(context, answer, rules, now)
    } catch (error) {
      log.error({ err: error, task_id: context.call.task_id }, 'call.undecided')
      const unusable = { kind: 'unusable', error: 'The answer could not be read.' } as const
      return afterCall(context, unusable, rules, now)
    }
  }

  async function sendOne(ready: ReadyCall, request: CallRequest, room: AnswerRoom): Promise<Outcome> {
    try {
      return await sender.send({ ...request, lane: ready.destination_id, room })
    } catch (error) {
      log.error({ err: error, task_id: ready.task_id }, 'call.unsendable')
      return unanswered('protocol', 'The request could not be made.')
    }
  }

  /** Whether a call may be made now, and if so what is known of it then. */
  async function begin(ready: ReadyCall): Promise<Begun> {
    const { task, step, timeout_ms } = ready
    const plan = planOf(task)
    const request = plan?.request
    if (!isOpen(task.status) || !plan || !request) return { kind: 'never' }
    const now = clock.now()
    if ((ready.lease_until ?? now) - now < timeout_ms + ATTEMPT_MARGIN_MS)
      return { kind: 'later', due_at: now + SHORT_LEASE_WAIT_MS }
    // Giving it back holds it until its task is resumed.
    if (task.status === 'suspended') return { kind: 'later', due_at: now }
    const report = reportOf(task)
    const context = { call: ready, plan, request, report }
    if (step !== 'request') return task.status === 'polling' ? { kind: 'now', context } : { kind: 'never' }
    const begun = { ...report, started_at: report.started_at ?? now, retry_count: ready.failure_count }
    const { kind, task: after } = await move(task, 'begin', { call_report: print(begun) })
    if (kind === 'done')
      return { kind: 'now', context: { ...context, call: { ...ready, task: after }, report: begun } }
    return isOpen(after.status) ? { kind: 'later', due_at: now + SHORT_LEASE_WAIT_MS } : { kind: 'never' }
  }

  async function settle(
    { call }: { call: ReadyCall },
    decided: CallMove,
    outcome: Outcome | null,
    attempt: Attempt | null,
  ): Promise<boolean> {
    const { task, call: change } = withDestination(call, decided)
    const { project_id, task_id, fence } = call
    const settled: SettleCall = { call: { project_id, task_id, fence }, ...change, attempt }
    const written = await persist.write(
      async () => {
        if (task === null) return store.settleCall(settled)
        const applied = await move(call.task, task.verb, task.input, { kind: 'settle', ...settled })
        return applied.kind === 'done'
      },
      { id: call.task_id, lease_until: call.lease_until ?? clock.now() },
    )
    if (written !== 'done') {
      log.info({ task_id: call.task_id, step: call.step, written }, 'call.outdated')
      // Its task was settled, or somebody took it over, while it was made; that it was made is still told.
      if (written === 'lost' && attempt !== null) await logOutdated(settled)
    }
    if (outcome !== null && attempt !== null)
      report.call({ call, outcome, attempt, next_due_at: written === 'done' ? change.change.due_at : null })
    return written === 'done'
  }

  async function logOutdated(settled: SettleCall): Promise<void> {
    try {
      await store.settleCall(settled)
    } catch (error) {
      log.warn({ err: error, task_id: settled.call.task_id }, 'call.unlogged')
    }
  }

  /** A URL that a provider made up may be none at all; then there is nothing more to call. */
  function withDestination(
    call: ReadyCall,
    { task, call: change }: CallMove,
  ): { task: CallMove['task']; call: { change: CallMove['call']; destination: Destination | null } } {
    if (change.url === call.url) return { task, call: { change, destination: null } }
    const destination = destinationOf(call, change.url)
    const resultGood = change.result_url === null || destinationOf(call, change.result_url) !== undefined
    if (destination !== undefined && resultGood) return { task, call: { change, destination } }
    const bad = destination === undefined ? change.url : change.result_url
    const message = `The answer leads to "${(bad ?? '').slice(0, 200)}", which is no http(s) URL.`
    const ended = { ...change, url: call.url, state: 'ended', due_at: null } as const
    return {
      task: { verb: 'fail', input: { error: print({ message }) } },
      call: { change: ended, destination: null },
    }
  }

  const unchanged = ({ step, url, result_url, failure_count, unknown_streak }: ReadyCall) => ({
    step,
    url,
    result_url,
    failure_count,
    unknown_streak,
  })

  async function release(ready: ReadyCall, due_at: number): Promise<void> {
    const change = { ...unchanged(ready), state: 'pending', due_at } as const
    await settle({ call: ready }, { task: null, call: change }, null, null)
  }

  async function end(ready: ReadyCall): Promise<void> {
    const change = { ...unchanged(ready), state: 'ended', due_at: null } as const
    await settle({ call: ready }, { task: null, call: change }, null, null)
  }

  return {
    attempt,
    release,
    async writeUnseen(ready) {
      const { project } = cache.get(ready.project_id) ?? (await cache.load(ready.project_id))
      const rules = rulesOf(project)
      const plan = planOf(ready.task)
      if (!plan?.request || rules === undefined) return false
      const now = clock.now()
      const outcome = unanswered('unknown', 'Nobody saw how this call ended; the other side may have got it.')
      const started_at = Math.min(now, (ready.lease_until ?? now) - ready.timeout_ms)
      const context = { call: ready, plan, request: plan.request, report: reportOf(ready.task) }
      const decided = afterCall(context, { kind: 'unknown' }, rules, now)
      // It died before its task said that it began: then it was not made, and there is nothing to say.
      const isBegun = ready.step !== 'request' || ready.task.status !== 'pending'
      if (!isBegun) return settle({ call: ready }, { ...decided, task: null }, null, null)
      return settle({ call: ready }, decided, outcome, attemptOf(ready, outcome, { started_at, now }))
    },
    hurry: () => persist.hurry(),
  }
}

/** The log entry of a call: of its answer only the begin is kept, since what matters of it is the task's response. */
function attemptOf(ready: ReadyCall, outcome: Outcome, times: { started_at: number; now: number }): Attempt {
  const { attempt_count, task_id, step } = ready
  const attempt = toAttempt({ id: attemptsId(task_id, step), attempt_count }, outcome, times)
  const body = attempt.response_body
  const isCut = body !== null && body.length > LOGGED_CHARS
  return isCut ? { ...attempt, response_body: body.slice(0, LOGGED_CHARS), truncated: 1 } : attempt
}
