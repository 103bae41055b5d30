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
import { onEmptyDatabases, type Ground, type Nodes, type Setup } from './setups.ts'
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
const LISTS = 100
const LEAST_LISTS = 3
const LONGEST_LISTS_MS = 10_000
const BYTES = 1024

/** What there is already when it is measured, and how it comes to be: `fill` leaves servers with it that are ready. */
type State = { size: string; fill: (stage: Stage, ground: Ground) => Promise<Side> }
type Side = { nodes: Nodes; key: string }

/** Resolutions and lists beside what there is already, and deliveries to very many receivers or to one. */
export async function growth(stage: Stage): Promise<Result[]> {
  await using broken = await startBroken(answer500)
  const { settled, waiting } = stage.sizes
  const states: State[] = [
    { size: 'nothing', fill: withNothing },
    ...settled.map((count) => ({ size: `${countText(count)} settled`, fill: withSettled(count) })),
    { size: `${countText(waiting)} waiting`, fill: withWaiting(waiting, broken.url) },
  ]
  const results: Result[] = []
  for (const setup of stage.setups)
    results.push(...(await beside(stage, setup, states)), ...(await drains(stage, setup)))
  return results
}

/** All states stand side by side, each on servers of its own, and are measured in turns; ratios are to the first in the same round. */
function beside(stage: Stage, setup: Setup, states: readonly State[]): Promise<Result[]> {
  const { sizes, sink, say } = stage
  return onEmptyDatabases(setup, states.length, async (grounds) => {
    const sides: (Side & { size: string })[] = []
    for (const [i, { size, fill }] of states.entries()) {
      const started = milliseconds()
      sides.push({ size, ...(await fill(stage, grounds[i] as Ground)) })
      say(`${setup.name}, filled with ${size} in ${Math.round((milliseconds() - started) / 1000)} s`)
    }
    for (const side of sides) await resolve(stage, side, WARM_UP)
    const found = sides.map(({ size }) => ({ size, rounds: [] as Round[] }))
    for (let i = 1; i <= sizes.rounds; i++) {
      const limit = await raw(sink, { count: sizes.tasks, size: BYTES, connections: sizes.connections })
      let empty: number | undefined
      for (const [at, side] of sides.entries()) {
        const round = await measure(stage, side)
        const { per_s } = round.resolve
        empty ??= per_s
        Object.assign(round.resolve, { ratio_to_raw: per_s / limit.per_s, ratio_to_empty: per_s / empty })
        found[at]?.rounds.push(round)
        for (const name of scenarios)
          say(`${setup.name}, with ${side.size}, round ${i}: ${name} ${figuresLine(round[name])}`)
      }
    }
    for (const { nodes } of sides) await nodes.stop()
    return found.flatMap(({ size, rounds }) =>
      scenarios.map((scenario) =>
        resultOf(
          { group: 'growth', scenario, database: setup.name, size },
          rounds.map((round) => round[scenario]),
        ),
      ),
    )
  })
}

async function measure(stage: Stage, side: Side): Promise<Round> {
  const round = { resolve: await resolve(stage, side, stage.sizes.tasks) } as Round
  for (const name of listNames) round[name] = await list(side, lists[name])
  return round
}

async function withNothing({ sink }: Stage, { start }: Ground): Promise<Side> {
  const nodes = await start()
  return { nodes, key: await createProject(nodes, sink.url) }
}

const withSettled =
  (count: number): State['fill'] =>
  async ({ sink }, { database, start }) => {
    const first = await start()
    const key = await createProject(first, sink.url)
    const model = await settledModel(first, key, sink)
    await first.stop()
    const copied = await addSettled(database, model, count)
    const nodes = await start()
    await checkCopy(nodes, key, copied, 'delivered')
    await checkResend(nodes, key, copied, sink)
    return { nodes, key }
  }

const withWaiting =
  (count: number, dead: string): State['fill'] =>
  async ({ sink }, { database, start }) => {
    const first = await start()
    const key = await createProject(first, sink.url)
    const model = await waitingModel(first, key, dead, OPENS_BREAKER)
    await first.stop()
    const copied = await addWaiting(database, model, count, afterHours())
    const nodes = await start()
    await checkCopy(nodes, key, copied, 'pending')
    return { nodes, key }
  }

async function resolve({ sink, sizes: { connections } }: Stage, { nodes, key }: Side, count: number) {
  const { tasks } = await createTasks(nodes, key, { count, connections })
  await sink.expect(count)
  const answers = await resolveTasks(nodes, tasks, { size: BYTES, connections })
  const arrivals = await sink.collect(SETTLE_MS)
  checkArrivals(arrivals, new Set(tasks.map(({ id }) => id)))
  return resolveFigures(tasks, answers, arrivals)
}

/** One page after the other, over a connection each: what a person waits for. */
async function list({ nodes, key }: Side, path: string): Promise<Figures> {
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
