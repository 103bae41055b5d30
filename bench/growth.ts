// What grows with what is there already: resolutions and lists beside settled and waiting ones, and deliveries due at very many
// receivers or at one. What is compared with stands in the same run, and again at its end.
import {
  ask,
  checkArrivals,
  createProject,
  createTasks,
  resolveFigures,
  resolveTasks,
  SETTLE_MS,
  waitsOf,
} from './api.ts'
import { answer500, startBroken } from './broken-receivers.ts'
import { milliseconds } from './figures.ts'
import { drain, raw } from './load.ts'
import {
  addSettled,
  addWaiting,
  afterHours,
  checkCopy,
  checkResend,
  OPENS_BREAKER,
  settledModel,
  waitingModel,
} from './models.ts'
import { figuresLine, resultOf, type Figures, type Result } from './results.ts'
import { onEmptyDatabase, type Nodes, type Setup } from './setups.ts'
import { countText, type Stage } from './stage.ts'

const lists = {
  'list tasks': '/v1/tasks?limit=100',
  'list completed tasks': '/v1/tasks?status=completed&limit=100',
  'list deliveries': '/v1/deliveries?limit=100',
  // Of which there are none, so that every delivery may have to be looked at.
  'list failed deliveries': '/v1/deliveries?state=failed&limit=100',
}
const LISTS = 100
const LEAST_LISTS = 3
const LONGEST_LISTS_MS = 10_000
const WARM_UP = 2000
const BYTES = 1024

/** Servers with something in their database; `size` says what. */
type Grown = { nodes: Nodes; key: string; size: string }

/** Resolutions and lists beside what there is already, and deliveries to very many receivers or to one. */
export async function growth(stage: Stage): Promise<Result[]> {
  const results: Result[] = []
  for (const setup of stage.setups) {
    const beside = [
      ...(await besideSettled(stage, setup, stage.sizes.settled)),
      ...(await besideWaiting(stage, setup)),
      ...(await besideSettled(stage, setup, [], 'nothing, again')),
    ]
    results.push(...compared(beside), ...(await drains(stage, setup)))
  }
  return results
}

/** First on an empty database, and then with ever more settled tasks in it. */
function besideSettled(
  stage: Stage,
  setup: Setup,
  steps: readonly number[],
  empty = 'nothing',
): Promise<Result[]> {
  return onEmptyDatabase(setup, async ({ database, start }) => {
    const first = await start()
    const key = await createProject(first, stage.sink.url)
    const model = await settledModel(first, key, stage.sink)
    const results = await measure(stage, setup, { nodes: first, key, size: empty })
    await first.stop()
    let there = 0
    for (const count of steps) {
      const copied = await timed(stage, `${countText(count)} settled tasks`, () =>
        addSettled(database, model, there, count),
      )
      there = count
      const nodes = await start()
      await checkCopy(nodes, key, copied, 'delivered')
      await checkResend(nodes, key, copied, stage.sink)
      results.push(...(await measure(stage, setup, { nodes, key, size: `${countText(count)} settled` })))
      await nodes.stop()
    }
    return results
  })
}

async function besideWaiting(stage: Stage, setup: Setup): Promise<Result[]> {
  await using broken = await startBroken(answer500)
  return onEmptyDatabase(setup, async ({ database, start }) => {
    const first = await start()
    const key = await createProject(first, stage.sink.url)
    const model = await waitingModel(first, key, broken.url, OPENS_BREAKER)
    await first.stop()
    const { waiting } = stage.sizes
    const copied = await timed(stage, `${countText(waiting)} waiting deliveries`, () =>
      addWaiting(database, model, waiting, afterHours()),
    )
    const nodes = await start()
    await checkCopy(nodes, key, copied, 'pending')
    const results = await measure(stage, setup, { nodes, key, size: `${countText(waiting)} waiting` })
    await nodes.stop()
    return results
  })
}

async function timed<T>({ say }: Stage, what: string, fill: () => Promise<T>): Promise<T> {
  const started = milliseconds()
  const result = await fill()
  say(`filled up to ${what} in ${Math.round((milliseconds() - started) / 1000)} s`)
  return result
}

async function measure(stage: Stage, setup: Setup, { nodes, key, size }: Grown): Promise<Result[]> {
  const { sizes, sink, say } = stage
  const { tasks: count, connections } = sizes
  await resolve(stage, nodes, key, Math.min(count, WARM_UP))
  const rounds = new Map<string, Figures[]>()
  for (let i = 1; i <= sizes.rounds; i++) {
    const limit = await raw(sink, { count, size: BYTES, connections })
    const resolved = await resolve(stage, nodes, key, count)
    const round: [string, Figures][] = [
      ['resolve', { ...resolved, ratio_to_raw: resolved.per_s / limit.per_s }],
    ]
    for (const [name, path] of Object.entries(lists)) round.push([name, await list(nodes, key, path)])
    for (const [name, figures] of round) {
      rounds.set(name, [...(rounds.get(name) ?? []), figures])
      say(`${setup.name}, with ${size}, round ${i}: ${name} ${figuresLine(figures)}`)
    }
  }
  return Array.from(rounds, ([scenario, figures]) =>
    resultOf({ group: 'growth', scenario, database: setup.name, size }, figures),
  )
}

async function resolve({ sink, sizes: { connections } }: Stage, nodes: Nodes, key: string, count: number) {
  const { tasks } = await createTasks(nodes, key, { count, connections })
  await sink.expect(count)
  const answers = await resolveTasks(nodes, tasks, { size: BYTES, connections })
  const arrivals = await sink.collect(SETTLE_MS)
  checkArrivals(arrivals, new Set(tasks.map(({ id }) => id)))
  return resolveFigures(tasks, answers, arrivals)
}

/** One page after the other, over a connection each: what a person waits for. */
async function list(nodes: Nodes, key: string, path: string): Promise<Figures> {
  const waits: number[] = []
  const until = milliseconds() + LONGEST_LISTS_MS
  while (waits.length < LEAST_LISTS || (waits.length < LISTS && milliseconds() < until)) {
    const started = milliseconds()
    await ask(nodes, key, 'GET', path)
    waits.push(milliseconds() - started)
  }
  return waitsOf(waits)
}

/** Rates beside those of the empty database that the run began with. */
function compared(results: readonly Result[]): Result[] {
  // Of one scenario's results the first is the last to be set.
  const empty = new Map(results.toReversed().map(({ scenario, per_s }) => [scenario, per_s]))
  return results.map(({ rounds, group, scenario, database, size = '' }) => {
    const base = empty.get(scenario)
    return resultOf(
      { group, scenario, database, size },
      rounds.map((figures) =>
        figures.per_s === undefined || base === undefined
          ? figures
          : { ...figures, ratio_to_empty: figures.per_s / base },
      ),
    )
  })
}

async function drains({ sink, sizes, say }: Stage, setup: Setup): Promise<Result[]> {
  const { connections, destinations, backlog } = sizes
  const { port, pathname } = new URL(sink.url)
  const wide = {
    size: `${countText(destinations)} receivers, one delivery each`,
    count: destinations,
    // Names below localhost are loopback by definition (RFC 6761), and each is a receiver of its own.
    urlOf: (number: number) => `http://receiver-${number}.localhost:${port}${pathname}`,
  }
  const deep = {
    size: `one receiver, ${countText(backlog)} deliveries`,
    count: backlog,
    urlOf: () => sink.url,
  }
  const rounds = { wide: [] as Figures[], deep: [] as Figures[] }
  for (let i = 1; i <= sizes.rounds; i++) {
    for (const [name, { size, count, urlOf }] of Object.entries({ wide, deep }) as [
      'wide' | 'deep',
      typeof wide,
    ][]) {
      const limit = await raw(sink, { count: sizes.tasks, size: BYTES, connections })
      const drained = await drain(sink, setup, { count, size: BYTES, connections, urlOf })
      const figures = { ...drained, ratio_to_raw: drained.per_s / limit.per_s }
      rounds[name].push(figures)
      say(`${setup.name}, ${size}, round ${i}: drain ${figuresLine(figures)}`)
    }
  }
  const subject = { group: 'growth', scenario: 'drain', database: setup.name }
  return [
    resultOf({ ...subject, size: wide.size }, rounds.wide),
    resultOf({ ...subject, size: deep.size }, rounds.deep),
  ]
}
