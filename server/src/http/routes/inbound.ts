// The inbound URL (native contract §3): whoever knows the callback id resolves the task, once. The order of checks is
// part of the contract: rate, id, expiry and state, then the body and what it means, so that a bad body never burns an id.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Counter } from 'prom-client'
import { isoTime, isoTimeOrNull } from '../../domain/time.ts'
import type { Dialect } from '../../dialects/dialect.ts'
import { planOf } from '../../domain/call.ts'
import { compact, print, verbatim } from '../../domain/json.ts'
import { reported } from '../../domain/reported.ts'
import { isOverdue, isResolvable, type Task } from '../../domain/task.ts'
import type { Arrival, ArrivalVerdict } from '../../store/store.ts'
import { callbackHash } from '../callback-id.ts'
import type { Deps } from '../deps.ts'
import { logBug, readOn, setProblemHead, toAppError } from '../errors.ts'
import { cleanText, jsonTextOf, ledgerHeaders } from '../inbound-request.ts'
import { readBody } from '../body.ts'
import { LARGE_BYTES, ownTurn } from '../../own-turn.ts'
import { json, route } from '../route.ts'
import { Json } from '../schemas/fields.ts'

type Inbound = FastifyRequest<{ Params: { id: string } }>

// One look-up a second is enough to tell the operator that the limit hits live ids.
const WARN_EVERY_MS = 1000
// How long a callback may be ahead of the answer to the request that asked for it (native contract §3).
const ANSWER_WAIT_MS = 10_000

const GONE = 'Invalid or expired callback ID'
const LIMITED = 'Rate limit exceeded'

const failure = (reply: FastifyReply, status: number, error: string) => json(reply, status, print({ error }))

/** Why a task cannot be resolved with this id now, as the ledger's verdict; undefined when it can. */
function obstacle(task: Task, hash: string, now: number): ArrivalVerdict | undefined {
  if (task.callback_hash !== hash) return 'late'
  if (task.callback_used === 1) return task.status === 'expired' ? 'late' : 'repeated'
  if (isOverdue(task, now)) return 'late'
  if (isResolvable(task.status)) return undefined
  return task.status === 'pending' || task.status === 'processing' ? 'early' : 'conflicting'
}

/** Makes the inbound route. */
export function inboundRoutes(deps: Deps) {
  const { store, registry, log } = deps
  const limited = new Counter({
    name: 'ringback_inbound_limited_total',
    help: 'Requests to inbound URLs that were refused by the rate limit',
    registers: [registry],
  })
  let nextWarningAt = 0

  async function warnIfLive(hash: string | undefined, address: string, now: number): Promise<void> {
    if (hash === undefined || now < nextWarningAt) return
    nextWarningAt = now + WARN_EVERY_MS
    const task = await store.findTaskByCallback(hash)
    if (task === undefined || obstacle(task, hash, now) !== undefined) return
    log.warn({ address, task_id: task.id, setting: 'RINGBACK_INBOUND_RATE' }, 'inbound.limited')
  }

  return {
    resolve: route({
      id: 'resolveCallback',
      summary: 'Resolve a task through its one-time inbound URL, with any JSON value',
      tag: 'Inbound',
      keyless: true,
      // For the document only: the handler reads the body itself.
      body: Json,
      answers: { 200: 'ResolvedTask' },
      refusal: 'InboundRefusal',
      async handler(request, reply) {
        const hash = callbackHash(request.params.id)
        const now = store.now()
        const wait_ms = deps.limitInbound(request.ip, now)
        if (wait_ms > 0) {
          limited.inc()
          await warnIfLive(hash, request.ip, now)
          reply.header('retry-after', Math.ceil(wait_ms / 1000))
          return failure(reply, 429, LIMITED)
        }
        const task = hash === undefined ? undefined : await store.findTaskByCallback(hash)
        if (hash === undefined || task === undefined) return failure(reply, 404, GONE)
        return resolve(deps, { request, reply, task, hash })
      },
    }),
  }
}

type Attempt = { request: Inbound; reply: FastifyReply; task: Task; hash: string }

async function resolve(deps: Deps, attempt: Attempt): Promise<string> {
  const { request, reply, task: found, hash } = attempt
  const { store, dialects, directory, verbs, config, newId } = deps
  const project = await directory.project(found.project_id)
  if (project === undefined) throw new Error(`Task ${found.id} belongs to no project`)
  const dialect = dialects.get(project.dialect)
  // What is read already is not lost when the sender does not wait for the answer.
  const bytes = await readBody(request.raw, config.body_limit)
  if (bytes === undefined) readOn(request, reply)
  else if (bytes.length > LARGE_BYTES) await ownTurn()
  const task = await whenAnswered(deps, attempt)
  const verdict = obstacle(task, hash, store.now())
  const arrival: Arrival = {
    id: newId(),
    task_id: task.id,
    received_at: store.now(),
    remote_address: request.ip,
    headers: ledgerHeaders(request.raw.rawHeaders),
    body: bytes === undefined ? null : cleanText(bytes),
    verdict: verdict ?? 'resolved',
  }
  const refuse = async (why: ArrivalVerdict, at: Task): Promise<string> => {
    await record(deps, { ...arrival, verdict: why })
    if (why === 'late' || why === 'repeated') return failure(reply, 404, GONE)
    return failure(
      reply,
      409,
      `Task is not in waiting/polling state (current: ${dialect.statusWord(at, store.now())})`,
    )
  }
  if (verdict !== undefined) return refuse(verdict, task)

  const text = bytes === undefined ? undefined : jsonTextOf(bytes)
  if (text === undefined) {
    await record(deps, { ...arrival, verdict: 'invalid' })
    if (bytes !== undefined) return failure(reply, 400, 'Invalid JSON body')
    return failure(reply, 413, `Body is longer than ${config.body_limit} bytes`)
  }
  const body = compact(text)
  const report = reported(planOf(task)?.resolve ?? null, body)
  if (report.kind === 'unclear') {
    await record(deps, { ...arrival, verdict: 'invalid' })
    return failure(reply, 422, report.reason)
  }
  if (report.kind === 'progress') {
    await record(deps, { ...arrival, verdict: 'progress' })
    return json(reply, 200, printResolved(task, null, dialect))
  }
  const [verb, input] =
    report.kind === 'done'
      ? (['complete', { response: body }] as const)
      : (['fail', { error: print({ message: report.message, details: verbatim(body) }) }] as const)
  const applied = await verbs.tryApply(
    task,
    verb,
    { ...input, by_callback: true },
    { arrival, stillValid: (at) => obstacle(at, hash, store.now()) === undefined },
  )
  if (applied.kind === 'refused') {
    return refuse(obstacle(applied.task, hash, store.now()) ?? 'conflicting', applied.task)
  }
  return json(reply, 200, printResolved(applied.task, verb === 'complete' ? body : null, dialect))
}

/**
 * The task once its own request is no longer under way, or as it is after ten seconds: a provider may call back before its answer
 * to the request is read. What somebody else works on is not waited for, nor is what no wait would let pass.
 */
async function whenAnswered({ store, untilMoved }: Deps, { reply, task, hash }: Attempt): Promise<Task> {
  if (task.call_plan === null || obstacle(task, hash, store.now()) !== 'early') return task
  return untilMoved(task, { wait_ms: ANSWER_WAIT_MS, whileIn: ['processing'], reply })
}

/**
 * The short view of a task that AsyncQueue's customers know: constants but for the body, which is null where it did not complete
 * the task.
 */
const printResolved = (task: Task, body: string | null, dialect: Dialect): string =>
  print({
    task: {
      id: dialect.publicId(task),
      status: dialect.statusWord(task, task.updated_at),
      result: body === null ? null : { statusCode: 200, headers: {}, body, duration: 0 },
      createdAt: isoTime(task.created_at),
      completedAt: isoTimeOrNull(task.completed_at),
    },
  })

/** Writes a refused request to the ledger. The answer does not depend on it, so trouble here is only logged. */
async function record({ store, log }: Deps, arrival: Arrival): Promise<void> {
  try {
    await store.recordArrival(arrival)
  } catch (error) {
    log.error({ err: error, task_id: arrival.task_id, verdict: arrival.verdict }, 'arrival.lost')
  }
}

/** Whether a URL is that of the inbound route, whatever is wrong with its id. */
export const isInbound = (url: string): boolean => /^(\/asyncqueue)?\/v1\/callbacks\//.test(url)

/** Answers an id that is not even valid percent-encoding as any other unknown one. */
export const answerUnknownId = (reply: FastifyReply): void => void reply.send(failure(reply, 404, GONE))

/** Makes the error handler of the inbound route: its callers know `{"error"}` only. */
export function createInboundErrorHandler({ log, config }: Pick<Deps, 'log' | 'config'>) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const known = toAppError(error, config.body_limit)
    if (known.code === 'internal_error') logBug(log, error, request)
    setProblemHead(reply, known)
      .type('application/json; charset=utf-8')
      .send(print({ error: known.message }))
  }
}
