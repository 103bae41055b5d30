// The run: one request after the other, now and then a few at once, each answer checked, and after each refusal the state.
import { setTimeout as delay } from 'node:timers/promises'
import { between, createRandom } from '../crash/random.ts'
import { createChecker, isRefused, parsed } from './check.ts'
import { createGenerator } from './generate.ts'
import { chance } from './odd.ts'
import { asCurl, bytesOf, type Request } from './request.ts'
import type { Route } from './routes.ts'
import type { Stage } from './stage.ts'
import { changedTables, isStill, type Sums } from './state.ts'
import { createWire, type Answer, type Wire } from './wire.ts'

export type Fault = { number: number; what: string; request: string; answer: string }

export type Result = {
  faults: Fault[]
  /** How often each status was answered; `late` and `none` are no answers. */
  statuses: Map<string, number>
  /** How often each route has done what it was asked for. */
  successes: Map<Route, number>
  /** How many refusals were seen to change nothing, and how many had to be made again when all was quiet. */
  refusals: { unchanged: number; again: number; unseen: number }
}

const BURST = 0.03
const BURST_MAX = 8
const FAULTS_MAX = 50
const QUIET_MS = 120
const QUIET_MAX_MS = 10_000
const TRIES = 3
const MORE_TRIES = 60
const SHOWN_ANSWER = 2000

/** Makes so many requests; `onProgress` hears how many are done. Ends early when there are faults enough. */
export async function run(
  stage: Stage,
  routes: readonly Route[],
  {
    seed,
    requests,
    onProgress,
  }: { seed: number; requests: number; onProgress: (done: number, result: Result) => void },
): Promise<Result> {
  const { pool, worlds, document, state, sink } = stage
  const generator = createGenerator({ seed, routes, worlds, pool, sink: (path) => sink.url(path), document })
  const checker = createChecker(document)
  const port = Number(new URL(stage.base_url).port)
  const wires = Array.from({ length: BURST_MAX }, () => createWire(port))
  const [wire] = wires as [Wire]
  const result: Result = {
    faults: [],
    statuses: new Map(),
    successes: new Map(),
    refusals: { unchanged: 0, again: 0, unseen: 0 },
  }
  let known: { moment: string; sums: Sums } | undefined

  const blame = (number: number, request: Request, answer: Answer | string, what: string) => {
    const shown =
      typeof answer === 'string' ? answer : `${answer.status} ${answer.text.slice(0, SHOWN_ANSWER)}`
    result.faults.push({
      number,
      what: `${request.style} ${request.route.name}: ${what}`,
      request: asCurl(request),
      answer: shown,
    })
  }

  const blameChange = (number: number, request: Request, answer: Answer, changed: readonly string[]) =>
    blame(number, request, answer, `it was refused, and changed ${changed.join(', ')}`)

  /** Makes a request and checks its answer; undefined when there was none. */
  async function ask(number: number, request: Request, by: Wire): Promise<Answer | undefined> {
    const isHead = request.method === 'HEAD'
    const { patience_ms } = request
    const answer = await by.exchange(bytesOf(request), { isHead, patience_ms })
    // What is left of it would be the beginning of the next one.
    if (request.style === 'broken') by.close()
    const word = answer === undefined ? 'none' : answer === 'late' ? 'late' : String(answer.status)
    result.statuses.set(word, (result.statuses.get(word) ?? 0) + 1)
    if (answer === undefined || answer === 'late') {
      if (request.style !== 'broken' && !/wait=/.test(request.target))
        blame(number, request, word, 'there was no answer')
      return undefined
    }
    for (const fault of checker.faultsOf(request, answer)) blame(number, request, answer, fault)
    if (!isRefused(answer, request) && request.isForRoute) {
      const { route, params, world } = request
      result.successes.set(route, (result.successes.get(route) ?? 0) + 1)
      pool.learn(world.pool, collectionOf(route), parsed(answer.text), params)
    }
    return answer
  }

  /** The state now, read only if anything was committed since it was read last. */
  async function look(): Promise<{ moment: string; sums: Sums }> {
    const moment = await state.moment()
    if (known?.moment === moment) return known
    // What is committed while the sums are read makes them be read again.
    return (known = { moment, sums: await state.sums() })
  }

  /** Waits until nothing is committed any more. */
  async function quiet() {
    for (const deadline = Date.now() + QUIET_MAX_MS; Date.now() < deadline;) {
      const before = await state.moment()
      await delay(QUIET_MS)
      if ((await state.moment()) === before) return true
    }
    return false
  }

  /**
   * Makes a refused request again when all is quiet, with new names, lest the first has taken them. What happened by itself at that
   * moment, such as the end of a task's time, does not happen each time.
   */
  async function askQuietly(number: number): Promise<void> {
    result.refusals.again++
    for (let tries = 1; ; tries++) {
      if (!(await quiet())) return void result.refusals.unseen++
      const before = await look()
      const request = generator.request(number, tries)
      const answer = await ask(number, request, wire)
      if (answer === undefined || !isRefused(answer, request)) return
      await quiet()
      const changed = changedTables(before.sums, (await look()).sums)
      if (changed.length === 0) return
      if (tries === TRIES) return blameChange(number, request, answer, changed)
    }
  }

  async function askAlone(number: number): Promise<void> {
    const request = generator.request(number)
    const before = await look()
    const answer = await ask(number, request, wire)
    // The server may still be at what its client did not wait for.
    if (answer === undefined) return void (await quiet())
    if (!isRefused(answer, request)) return
    const changed = changedTables(before.sums, (await look()).sums)
    if (changed.length === 0) result.refusals.unchanged++
    else if (changed.some(isStill)) blameChange(number, request, answer, changed)
    else await askQuietly(number)
  }

  for (let number = 0; number < requests && result.faults.length < FAULTS_MAX;) {
    const random = createRandom(seed, number, 1)
    const many = chance(random, BURST) ? Math.min(between(random, 2, BURST_MAX), requests - number) : 1
    if (many === 1) await askAlone(number)
    else
      await Promise.all(
        wires.slice(0, many).map((by, i) => ask(number + i, generator.request(number + i), by)),
      )
    number += many
    onProgress(number, result)
  }
  // Chance has left some out in a short run.
  const missed = routes.filter((route) => route.operation !== undefined && !result.successes.has(route))
  for (const route of missed) {
    for (let i = 0; i < MORE_TRIES && !result.successes.has(route); i++) {
      await ask(requests + i, generator.valid(requests + i, route), wire)
    }
  }
  for (const each of wires) each.close()
  return result
}

// Where what an answer calls `id` is not what the last list in the path has.
const collections: Readonly<Record<string, string>> = {
  'POST /v1/tasks/:id/resend': 'deliveries',
  'POST /v1/deliveries/replay': 'replays',
  'POST /v1/tasks/:id/attempts': 'attempts',
}

/** Of which kind a bare `id` in the answers of a route is. */
function collectionOf({ name, path, mount }: Route): string {
  const given = collections[name]
  if (given !== undefined) return given
  const last = path
    .split('/')
    .findLast((part) =>
      /^(tasks|task|deliveries|arrivals|tokens|keys|projects|replays|destinations|events|attempts|audits|secrets|apikeys|jobs|batches|files)$/.test(
        part,
      ),
    )
  if (mount === '/stardust') return 'taskId'
  if (mount === '/scale' && last === 'projects') return 'scale projects'
  return { keys: 'key_id', apikeys: 'keyId', jobs: 'job' }[last ?? ''] ?? last ?? ''
}
