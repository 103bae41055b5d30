// What grows with what is there already: resolutions and lists beside settled and waiting ones, and deliveries due at very many
// receivers or at one.
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
import { drain, raw, WARM_UP, type Throughput } from './load.ts'
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
const listNames = Object.keys(lists) as (keyof typeof lists)[]
const scenarios = ['resolve', ...listNames] as const
type Round = Record<(typeof listNames)[number], Figures> & { resolve: Throughput }
/** What was found with something there, and on an empty database in turns with that. */
type Pair = { size: string; rounds: Round[]; empty: Round[] }

const LISTS = 100
const LEAST_LISTS = 3
const LONGEST_LISTS_MS = 10_000
const BYTES = 1024

/** Servers with something in their database; `size` says what. */
type Grown = { nodes: Nodes; key: string; size: string }

/** Resolutions and lists beside what there is already, and deliveries to very many receivers or to one. */
export async function growth(stage: Stage): Promise<Result[]> {
  const results: Result[] = []
  for (const setup of stage.setups) {
    const pairs = [...(await besideSettled(stage, setup)), await besideWaiting(stage, setup)]
    const empty = { size: 'nothing', rounds: pairs.flatMap(({ empty: rounds }) => rounds) }
    for (const { size, rounds } of [empty, ...pairs])
      for (const scenario of scenarios)
        results.push(
          resultOf(
            { group: 'growth', scenario, database: setup.name, size },
            rounds.map((round) => round[scenario]),
          ),
        )
    results.push(...(await drains(stage, setup)))
  }
  return results
}

/** With ever more settled tasks in one database. */
function besideSettled(stage: Stage, setup: Setup): Promise<Pair[]> {
  return onEmptyDatabase(setup, async ({ database, start }) => {
    const first = await start()
    const key = await createProject(first, stage.sink.url)
    const model = await settledModel(first, key, stage.sink)
    await first.stop()
    const pairs: Pair[] = []
    let there = 0
    for (const count of stage.sizes.settled) {
      const copied = await timed(stage, `${countText(count)} settled tasks`, () =>
        addSettled(database, model, there, count),
      )
      there = count
      const nodes = await start()
      await checkCopy(nodes, key, copied, 'delivered')
      await checkResend(nodes, key, copied, stage.sink)
      pairs.push(await besideEmpty(stage, setup, { nodes, key, size: `${countText(count)} settled` }))
      await nodes.stop()
    }
    return pairs
  })
}

async function besideWaiting(stage: Stage, setup: Setup): Promise<Pair> {
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
    const pair = await besideEmpty(stage, setup, { nodes, key, size: `${countText(waiting)} waiting` })
    await nodes.stop()
    return pair
  })
}

async function timed<T>({ say }: Stage, what: string, fill: () => Promise<T>): Promise<T> {
  const started = milliseconds()
  const result = await fill()
  say(`filled up to ${what} in ${Math.round((milliseconds() - started) / 1000)} s`)
  return result
}

/** Measured in turns with servers on an empty database: all sizes at once would not fit into the machine's memory. */
function besideEmpty(stage: Stage, setup: Setup, grown: Grown): Promise<Pair> {
  const { sizes, sink, say } = stage
  return onEmptyDatabase(setup, async ({ start }) => {
    const nodes = await start()
    const nothing = { nodes, key: await createProject(nodes, sink.url), size: 'nothing' }
    for (const side of [nothing, grown]) await resolve(stage, side, WARM_UP)
    const pair: Pair = { size: grown.size, rounds: [], empty: [] }
    for (let i = 1; i <= sizes.rounds; i++) {
      const limit = await raw(sink, { count: sizes.tasks, size: BYTES, connections: sizes.connections })
      const empty = await measure(stage, nothing, limit)
      const round = await measure(stage, grown, limit)
      round.resolve.ratio_to_empty = round.resolve.per_s / empty.resolve.per_s
      pair.empty.push(empty)
      pair.rounds.push(round)
      for (const [size, found] of [
        ['nothing', empty],
        [grown.size, round],
      ] as const)
        for (const name of scenarios)
          say(`${setup.name}, with ${size}, round ${i}: ${name} ${figuresLine(found[name])}`)
    }
    await nodes.stop()
    return pair
  })
}

async function measure(stage: Stage, grown: Grown, limit: Throughput): Promise<Round> {
  const resolved = await resolve(stage, grown, stage.sizes.tasks)
  const round = { resolve: { ...resolved, ratio_to_raw: resolved.per_s / limit.per_s } } as Round
  for (const name of listNames) round[name] = await list(grown, lists[name])
  return round
}

async function resolve({ sink, sizes: { connections } }: Stage, { nodes, key }: Grown, count: number) {
  const { tasks } = await createTasks(nodes, key, { count, connections })
  await sink.expect(count)
  const answers = await resolveTasks(nodes, tasks, { size: BYTES, connections })
  const arrivals = await sink.collect(SETTLE_MS)
  checkArrivals(arrivals, new Set(tasks.map(({ id }) => id)))
  return resolveFigures(tasks, answers, arrivals)
}

/** One page after the other, over a connection each: what a person waits for. */
async function list({ nodes, key }: Grown, path: string): Promise<Figures> {
  const waits: number[] = []
  const until = milliseconds() + LONGEST_LISTS_MS
  while (waits.length < LEAST_LISTS || (waits.length < LISTS && milliseconds() < until)) {
    const started = milliseconds()
    await ask(nodes, key, 'GET', path)
    waits.push(milliseconds() - started)
  }
  return waitsOf(waits)
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
