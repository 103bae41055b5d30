// What of memory the server takes: doing nothing, doing all it can, with very many deliveries waiting, and whether it rises while
// it works. `npm run soak` looks at more than memory, and at receivers that fail.
import { setTimeout as sleep } from 'node:timers/promises'
import { createProject, SETTLE_MS } from './api.ts'
import { answer500, startBroken } from './broken-receivers.ts'
import { check } from './faults.ts'
import { median, milliseconds, rise } from './figures.ts'
import { addWaiting, afterHours, checkCopy, OPENS_BREAKER, waitingModel } from './models.ts'
import { startReceivers, type Receivers } from './receivers-process.ts'
import { figuresLine, resultOf, type Figures, type Result } from './results.ts'
import { collectable } from './server-process.ts'
import { onEmptyDatabase, type Nodes, type Setup } from './setups.ts'
import { createLedger, runLoad } from './soak-load.ts'
import { countText, type Stage } from './stage.ts'

// What a start needs and gives back is no rest.
const REST_MS = 3000
const BUSY_SAMPLE_MS = 250
/** Looks at the memory over the whole time, each right after a garbage collection: garbage hides what stays. */
const LOOKS = 40
/** Before the first look, as a share of the time: caches are still filling. */
const WARM_UP = 0.2

/** The resident memory of the servers at rest, saturated, and with deliveries waiting: at rest, and over minutes of half load. */
export async function memory(stage: Stage): Promise<Result[]> {
  const receivers = await startReceivers()
  try {
    const results: Result[] = []
    for (const setup of stage.setups) results.push(...(await ofSetup(stage, setup, receivers)))
    return results
  } finally {
    await receivers.stop()
  }
}

async function ofSetup(stage: Stage, setup: Setup, receivers: Receivers): Promise<Result[]> {
  const { rounds: count, waiting, minutes } = stage.sizes
  const rest: Figures[] = []
  const saturated: (Figures & { per_s: number })[] = []
  for (let i = 1; i <= count; i++) {
    const round = await restAndWork(stage, setup, receivers)
    rest.push(round.rest)
    saturated.push(round.saturated)
    stage.say(
      `${setup.name}, round ${i}: at rest ${figuresLine(round.rest)}; saturated ${figuresLine(round.saturated)}`,
    )
  }
  const half = Math.max(1, Math.round(median(saturated.map(({ per_s }) => per_s)) / 2))
  const { idle, loaded } = await withWaiting(stage, setup, receivers, half)
  const beside = `with ${countText(waiting)} waiting`
  const subject = { group: 'memory', database: setup.name }
  return [
    resultOf({ ...subject, scenario: 'at rest' }, rest),
    resultOf({ ...subject, scenario: 'saturated, the most' }, saturated),
    resultOf({ ...subject, scenario: `${beside}, at rest` }, idle),
    resultOf({ ...subject, scenario: `${beside}, half load for ${minutes} min` }, [loaded]),
  ]
}

function restAndWork({ sizes }: Stage, setup: Setup, receivers: Receivers) {
  return onEmptyDatabase(setup, async ({ start }) => {
    const nodes = await start()
    const key = await createProject(nodes, receivers.urls.healthy)
    await sleep(REST_MS)
    const rest = { resident_mib: await nodes.residentMib() }
    const looks: number[] = []
    const started = milliseconds()
    const working = work(nodes, key, receivers, { count: sizes.tasks, rate: Infinity })
    await until(working, BUSY_SAMPLE_MS, async () => {
      looks.push(await nodes.residentMib())
    })
    const per_s = (sizes.tasks / (milliseconds() - started)) * 1000
    looks.push(await nodes.residentMib())
    await nodes.stop()
    return { rest, saturated: { per_s, resident_mib: Math.max(...looks) } }
  })
}

/** Deliveries wait at a receiver that answers 500, first with nothing else to do, then with an even load beside them. */
async function withWaiting(
  stage: Stage,
  setup: Setup,
  receivers: Receivers,
  rate: number,
): Promise<{ idle: Figures[]; loaded: Figures }> {
  const { sizes, say } = stage
  await using broken = await startBroken(answer500)
  return onEmptyDatabase(setup, async ({ start, database }) => {
    const first = await start()
    const key = await createProject(first, broken.url)
    const model = await waitingModel(first, key, broken.url, OPENS_BREAKER)
    await first.stop()
    const copied = await addWaiting(database, model, sizes.waiting, afterHours())
    const idle: Figures[] = []
    for (let i = 1; i <= sizes.rounds; i++) {
      const nodes = await start()
      await sleep(REST_MS)
      idle.push({ resident_mib: await nodes.residentMib() })
      if (i === 1) await checkCopy(nodes, key, copied, 'pending')
      await nodes.stop()
    }
    say(`${setup.name}, with ${countText(sizes.waiting)} waiting: ${idle.map(figuresLine).join('; ')}`)
    const nodes = await start(collectable)
    const loaded = await overMinutes(stage, setup, receivers, { nodes, key, rate })
    await nodes.stop()
    return { idle, loaded }
  })
}

/** What stays in use over minutes of an even load, and by how much it rises. */
async function overMinutes(
  { sizes, say }: Stage,
  setup: Setup,
  receivers: Receivers,
  { nodes, key, rate }: { nodes: Nodes; key: string; rate: number },
): Promise<Figures> {
  const seconds = sizes.minutes * 60
  const looks: number[] = []
  const count = Math.ceil(rate * seconds * (1 + WARM_UP))
  const started = milliseconds()
  const working = work(nodes, key, receivers, { count, rate })
  const warm = sleep(seconds * WARM_UP * 1000)
  await Promise.race([warm, working])
  await until(working, (seconds * 1000) / LOOKS, async () => {
    await nodes.collect()
    looks.push(await nodes.residentMib())
    say(
      `${setup.name}, half load (${rate}/s), ${looks.length} of ${LOOKS}: ${Math.round(looks.at(-1) ?? 0)} MiB`,
    )
  })
  check(looks.length > 2, 'memory was looked at too seldom to say whether it rises')
  const per_s = (count / (milliseconds() - started)) * 1000
  return { per_s, resident_mib: looks.at(-1) ?? 0, rise_mib: rise(looks) }
}

/** Creates and resolves tasks and waits for their callbacks. */
async function work(
  { ports }: Nodes,
  key: string,
  receivers: Receivers,
  { count, rate }: { count: number; rate: number },
): Promise<void> {
  const ledger = createLedger(count, () => 'healthy')
  receivers.listen(ledger.accepted)
  await runLoad({ ports, key, ledger, rate, urlOf: () => receivers.urls.healthy })
  await ledger.complete(SETTLE_MS)
  const { lost, doubled } = ledger.faults()
  check(lost === 0 && doubled === 0, `${lost} callbacks were lost, ${doubled} came twice`)
}

/** Looks every so many milliseconds while something goes on. */
async function until(work: Promise<void>, every_ms: number, look: () => Promise<void>): Promise<void> {
  const ended = work.then(() => true)
  while (!(await Promise.race([ended, sleep(every_ms, false)]))) await look()
}
