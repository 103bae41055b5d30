// The first group: how much goes through the server, beside a bare loop over undici, and how long it takes at half of that.
// Rounds are interleaved, since the machine's own speed drifts; each scenario gets an empty database.
import { join } from 'node:path'
import { Agent, request } from 'undici'
import {
  checkArrivals,
  checkSucceeded,
  createProject,
  createTasks,
  lastOf,
  payload,
  rate,
  resolveFigures,
  resolveTasks,
  SETTLE_MS,
} from './api.ts'
import { check } from './faults.ts'
import { milliseconds } from './figures.ts'
import { figuresLine, resultOf, type Figures, type Result } from './results.ts'
import { cpuProfile } from './server-process.ts'
import { onEmptyDatabase, type Setup } from './setups.ts'
import type { Sink } from './sink-process.ts'
import { bytesText, type Stage } from './stage.ts'

/** Figures of what is done as fast as possible. */
export type Throughput = Figures & { per_s: number }

type Settings = { size: number; connections: number; profile?: string | undefined }

// What is compiled for the first time is nobody's cost.
export const WARM_UP = 5000

const names = ['create', 'resolve', 'half load', 'drain'] as const
type Measured = { raw: Throughput; scenarios: Record<(typeof names)[number], Throughput> }

/** Raw, create, resolve, half load and drain, at each size and on each setup. */
export async function load(stage: Stage): Promise<Result[]> {
  const { sizes, setups, say } = stage
  const results: Result[] = []
  for (const size of sizes.sizes) {
    const rounds: Measured[][] = []
    for (let i = 1; i <= sizes.rounds; i++) {
      const round: Measured[] = []
      for (const setup of setups) {
        const measured = await measure(stage, setup, size)
        round.push(measured)
        for (const [name, figures] of Object.entries({ raw: measured.raw, ...measured.scenarios }))
          say(`${bytesText(size)}, round ${i}, ${setup.name}: ${name} ${figuresLine(figures)}`)
      }
      rounds.push(round)
    }
    results.push(...resultsOf(setups, size, rounds))
  }
  return results
}

async function measure({ sink, sizes, profile }: Stage, setup: Setup, size: number): Promise<Measured> {
  const { tasks, due, connections } = sizes
  const settings = {
    size,
    connections,
    profile: profile && join(profile, slug(`${setup.name} ${bytesText(size)}`)),
  }
  return {
    raw: await raw(sink, { ...settings, count: tasks }),
    scenarios: {
      create: await create(setup, { ...settings, count: tasks }),
      ...(await resolve(sink, setup, { ...settings, count: tasks })),
      drain: await drain(sink, setup, { ...settings, count: due }),
    },
  }
}

/** A name as part of a path. */
const slug = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')

function resultsOf(setups: readonly Setup[], size: number, rounds: Measured[][]): Result[] {
  const subject = { group: 'load', size: bytesText(size) }
  const raws = rounds.flat().map((measured) => measured.raw)
  return [
    resultOf({ ...subject, scenario: 'raw', database: '' }, raws),
    ...setups.flatMap(({ name: database }, at) =>
      names.map((scenario) =>
        resultOf(
          { ...subject, scenario, database },
          rounds.map((round) => compared(round, at, scenario)),
        ),
      ),
    ),
  ]
}

/** A scenario's figures beside the raw right before it, and beside SQLite, which comes first, in the same round. */
function compared(round: readonly Measured[], at: number, name: (typeof names)[number]): Figures {
  const measured = round[at] as Measured
  const first = round[0] as Measured
  const figures = measured.scenarios[name]
  // What is held at half of a rate is not compared by its rate.
  if (name === 'half load') return figures
  return {
    ...figures,
    ratio_to_raw: figures.per_s / measured.raw.per_s,
    ...(at === 0 ? {} : { ratio_to_sqlite: figures.per_s / first.scenarios[name].per_s }),
  }
}

/** The limit to close in on: a loop over undici's `request`, which does nothing else. Its connections are open and warm. */
export async function raw(
  sink: Sink,
  { count, size, connections }: Settings & { count: number },
): Promise<Throughput> {
  const dispatcher = new Agent({ connections })
  await rawLoop(sink, dispatcher, { count: WARM_UP, size, connections })
  const figures = await rawLoop(sink, dispatcher, { count, size, connections })
  await dispatcher.close()
  return figures
}

async function rawLoop(
  sink: Sink,
  dispatcher: Agent,
  { count, size, connections }: Settings & { count: number },
): Promise<Throughput> {
  await sink.expect(count)
  const text = payload(size)
  let next = 0
  async function lane(): Promise<void> {
    for (let i = next++; i < count; i = next++) {
      const answer = await request(sink.url, {
        dispatcher,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'webhook-id': String(i) },
        body: `{"task_id":"${i}","response":${text}}`,
      })
      await answer.body.dump()
    }
  }
  const started = milliseconds()
  await Promise.all(Array.from({ length: connections }, lane))
  const ended = milliseconds()
  checkArrivals(await sink.collect(0), new Set(Array.from({ length: count }, (_, i) => String(i))))
  return { per_s: rate(count, started, ended) }
}

/** Creates tasks whose `params` have the size. */
function create(
  setup: Setup,
  { count, size, connections }: Settings & { count: number },
): Promise<Throughput> {
  return onEmptyDatabase(setup, async ({ start }) => {
    const nodes = await start()
    const key = await createProject(nodes, 'http://127.0.0.1:65535')
    const params = JSON.parse(payload(size)) as object
    const fields = () => ({ params })
    await createTasks(nodes, key, { count: WARM_UP, connections, fields })
    const { figures } = await createTasks(nodes, key, { count, connections, fields })
    await nodes.stop()
    return figures
  })
}

/**
 * Resolves tasks by their inbound URLs, as fast as it goes and then half as many at half that rate. A profile is of the
 * first alone, warm-up included.
 */
function resolve(
  sink: Sink,
  setup: Setup,
  { count, size, connections, profile }: Settings & { count: number },
): Promise<Record<'resolve' | 'half load', Throughput>> {
  return onEmptyDatabase(setup, async ({ start }) => {
    let nodes = await start()
    const key = await createProject(nodes, sink.url)
    const half = Math.ceil(count / 2)
    const { tasks } = await createTasks(nodes, key, { count: 2 * WARM_UP + count + half, connections })
    const restart = async (flags: readonly string[]) => {
      await nodes.stop()
      return start(flags)
    }
    let from = 0
    const measureNext = async (many: number, times?: number[]) => {
      const chosen = tasks.slice(from, (from += many))
      const timeOf = times && ((i: number) => times[i] ?? 0)
      await sink.expect(many)
      const answers = await resolveTasks(nodes, chosen, { size, connections, ...(timeOf && { timeOf }) })
      const arrivals = await sink.collect(SETTLE_MS)
      checkArrivals(arrivals, new Set(chosen.map(({ id }) => id)))
      return resolveFigures(chosen, answers, arrivals)
    }
    if (profile !== undefined) nodes = await restart(cpuProfile(join(profile, 'resolve')))
    await measureNext(WARM_UP)
    const saturated = await measureNext(count)
    if (profile !== undefined) nodes = await restart([])
    await measureNext(WARM_UP)
    const halved = await measureNext(half, arrivalTimes(half, saturated.per_s / 2))
    await checkSucceeded(nodes, key, tasks.length)
    await nodes.stop()
    return { resolve: saturated, 'half load': halved }
  })
}

/** Times in milliseconds at which independent senders would come, so many a second (a Poisson process). */
function arrivalTimes(count: number, per_s: number): number[] {
  let at = 0
  return Array.from({ length: count }, () => (at += (-Math.log(1 - Math.random()) / per_s) * 1000))
}

/**
 * A server that starts with many deliveries due: their first attempts were refused with a time to come again. `urlOf` is
 * where the callback of a task goes, the sink's own URL by default.
 */
export async function drain(
  sink: Sink,
  setup: Setup,
  {
    count,
    size,
    connections,
    profile,
    urlOf = () => sink.url,
  }: Settings & { count: number; urlOf?: (number: number) => string },
): Promise<Throughput> {
  return onEmptyDatabase(setup, async ({ start }) => {
    const before = await start()
    const key = await createProject(before, sink.url)
    const fields = (number: number) => ({ params: { number }, callback_url: urlOf(number) })
    const { tasks, figures } = await createTasks(before, key, { count, connections, fields })
    // Resolving takes up to four times as long as creating.
    const due_at = Date.now() + 10_000 + (5000 * count) / figures.per_s
    await sink.expect(tasks.length, refusal(due_at))
    await resolveTasks(before, tasks, { size, connections })
    await sink.collect(SETTLE_MS)
    await before.stop()
    check(Date.now() < due_at, 'filling took so long that the deliveries were due before the restart')

    await sink.expect(tasks.length)
    await new Promise((done) => setTimeout(done, due_at - Date.now() + 1000))
    const after = await start(cpuProfile(profile && join(profile, 'drain')))
    const arrivals = await sink.collect(SETTLE_MS)
    checkArrivals(arrivals, new Set(tasks.map(({ id }) => id)))
    await checkSucceeded(after, key, tasks.length)
    await after.stop()
    return { per_s: rate(arrivals.length, arrivals[0]?.at ?? 0, lastOf(arrivals)) }
  })
}

/**
 * An answer that puts a delivery off until a time. Not a 503: a few of those would open the destination's breaker, and the
 * others would not be tried at all.
 */
export const refusal = (until: number): string =>
  `HTTP/1.1 423 Locked\r\nretry-after: ${new Date(until).toUTCString()}\r\ncontent-length: 0\r\n\r\n`
