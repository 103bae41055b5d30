// What it costs the others that many connections are held open on both sides: deliveries whose receivers drip their answers, and
// clients that send a byte a second. Resolve is measured alone and besieged in turns, each on an empty database, since the speed of a
// shared machine drifts.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { checkArrivals, createProject, createTasks, resolveFigures, resolveTasks, SETTLE_MS } from './api.ts'
import type { BesiegersMessage, BesiegersOrder, Held } from './besiegers.ts'
import { check } from './faults.ts'
import type { Throughput } from './load.ts'
import { figuresLine, resultOf, type Figures, type Result } from './results.ts'
import { onEmptyDatabase, type Nodes, type Setup } from './setups.ts'
import { countText, type Stage } from './stage.ts'

const BYTES = 1024
const HELD_MS = 60_000
const LOOK_MS = 100

/** A siege that is under way. */
type Siege = {
  /** How many connections of each kind have been held on average, since it was complete. */
  held(): number
  lift(): Promise<void>
}

/** Resolve alone, and beside as many dripping receivers and as many slow clients as the stage says. */
export async function siege(stage: Stage): Promise<Result[]> {
  const { setups, sizes, say } = stage
  const count = sizes.besiegers
  const scenario = `resolve beside ${countText(count)} dripping receivers and ${countText(count)} slow clients`
  const results: Result[] = []
  for (const setup of setups) {
    const rounds: Figures[] = []
    for (let i = 1; i <= sizes.rounds; i++) {
      const alone = await measure(stage, setup, 0)
      const figures = await measure(stage, setup, count)
      const round = {
        ...figures,
        alone_per_s: alone.per_s,
        alone_p50_ms: alone.p50_ms,
        alone_p99_ms: alone.p99_ms,
        ratio_to_alone: figures.per_s / alone.per_s,
      }
      rounds.push(round)
      say(`${setup.name}, ${scenario}, round ${i}: ${figuresLine(round)}`)
    }
    results.push(resultOf({ group: 'siege', scenario, database: setup.name }, rounds))
  }
  return results
}

/** Resolves tasks as fast as it goes, with so many besiegers of each kind. */
function measure(
  { sink, sizes: { tasks: count, connections } }: Stage,
  setup: Setup,
  besiegers: number,
): Promise<Throughput> {
  return onEmptyDatabase(setup, async ({ start }) => {
    const nodes = await start()
    const key = await createProject(nodes, sink.url)
    const { tasks } = await createTasks(nodes, key, { count, connections })
    const laid = besiegers === 0 ? undefined : await laySiege(nodes, key, besiegers)
    await sink.expect(tasks.length)
    const answers = await resolveTasks(nodes, tasks, { size: BYTES, connections })
    const arrivals = await sink.collect(SETTLE_MS)
    const held = laid?.held()
    await laid?.lift()
    checkArrivals(arrivals, new Set(tasks.map(({ id }) => id)))
    check(
      held === undefined || held >= besiegers / 2,
      `of ${besiegers} connections only ${held} were held on average`,
    )
    await nodes.stop()
    return { ...resolveFigures(tasks, answers, arrivals), ...(held === undefined ? {} : { held }) }
  })
}

/** Lays a siege to the servers; resolves when it is complete. */
async function laySiege(nodes: Nodes, key: string, count: number): Promise<Siege> {
  const child = fork(fileURLToPath(new URL('besiegers.ts', import.meta.url)), [String(count)])
  const { promise: listening, resolve } = Promise.withResolvers<string[]>()
  let held: Held = { dripping: 0, slow: 0 }
  let looks: number[] = []
  child.on('message', (message: BesiegersMessage) => {
    if (message.kind === 'listening') return resolve(message.urls)
    held = message
    looks.push((held.dripping + held.slow) / 2)
  })
  const urls = await listening

  /** Has so many more callbacks sent to the receivers that drip. */
  async function send(more: number): Promise<void> {
    const fields = (i: number) => ({ callback_url: urls[i % urls.length] })
    const { tasks } = await createTasks(nodes, key, { count: more, connections: 1, fields })
    await resolveTasks(nodes, tasks, { size: BYTES, connections: 1 })
  }

  const { tasks: never } = await createTasks(nodes, key, { count, connections: 1 })
  const callback_ids = never.map(({ callback_id }) => callback_id)
  for (const [i, port] of nodes.ports.entries()) {
    const own = callback_ids.filter((_, number) => number % nodes.ports.length === i)
    child.send({ port, callback_ids: own } satisfies BesiegersOrder)
  }
  await send(count)
  const deadline = Date.now() + HELD_MS
  while (held.dripping < count || held.slow < count) {
    check(Date.now() < deadline, `only ${held.dripping} and ${held.slow} of ${count} connections are held`)
    await sleep(LOOK_MS)
  }
  looks = [count]

  // Attempts are cut when their time is over, and the next is some seconds later: others take their places.
  const over = new AbortController()
  const renewed = (async () => {
    while (!over.signal.aborted) {
      const missing = count - held.dripping
      if (missing > 0) await send(missing)
      await sleep(LOOK_MS, undefined, { signal: over.signal }).catch(() => {})
    }
  })()
  return {
    held: () => looks.reduce((sum, look) => sum + look, 0) / looks.length,
    async lift() {
      over.abort()
      await renewed
      child.disconnect()
      await once(child, 'exit')
    },
  }
}
