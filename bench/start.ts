// From the start of the process to the first delivery, with very many waiting: all at a dead receiver beside one that is healthy,
// or all due at the healthy one.
import { setTimeout as sleep } from 'node:timers/promises'
import { checkArrivals, createProject, SETTLE_MS } from './api.ts'
import { answer500, startBroken } from './broken-receivers.ts'
import { check } from './faults.ts'
import { refusal } from './load.ts'
import { addWaiting, afterHours, OPENS_BREAKER, waitingModel } from './models.ts'
import { figuresLine, resultOf, type Figures, type Result } from './results.ts'
import { onEmptyDatabase, type Ground, type Setup } from './setups.ts'
import type { Sink } from './sink-process.ts'
import { countText, type Stage } from './stage.ts'

// The time of an answer's Retry-After has whole seconds.
const PUT_OFF_MS = 3000

/** How long a start takes until the first callback is at its receiver. */
export async function start(stage: Stage): Promise<Result[]> {
  await using broken = await startBroken(answer500)
  const { sink, sizes, say } = stage
  const waiting = countText(sizes.waiting)
  const scenarios: [string, (setup: Setup) => Promise<Figures[]>][] = [
    ['with nothing else waiting', (setup) => besideDead(stage, setup, broken.url, 0)],
    [
      `beside a dead receiver with ${waiting} waiting`,
      (setup) => besideDead(stage, setup, broken.url, sizes.waiting),
    ],
    [`with ${waiting} due`, (setup) => withAllDue(stage, setup, sink)],
  ]
  const results: Result[] = []
  for (const { name: database, ...setup } of stage.setups) {
    for (const [scenario, measure] of scenarios) {
      const rounds = await measure({ name: database, ...setup })
      say(`${database}, start ${scenario}: ${rounds.map(figuresLine).join('; ')}`)
      results.push(resultOf({ group: 'start', scenario, database }, rounds))
    }
  }
  return results
}

/** One delivery to the sink is due at the start; the others wait for somebody who is not there. */
function besideDead({ sink, sizes }: Stage, setup: Setup, dead: string, count: number): Promise<Figures[]> {
  return onEmptyDatabase(setup, async (ground) => {
    const first = await ground.start()
    const key = await createProject(first, sink.url)
    const model = count === 0 ? '' : await waitingModel(first, key, dead, OPENS_BREAKER)
    await first.stop()
    if (count > 0) await addWaiting(ground.database, model, count, afterHours())
    const rounds: Figures[] = []
    for (let i = 1; i <= sizes.rounds; i++) {
      const expected = await putOff(ground, key, sink)
      await sink.expect(1)
      const nodes = await ground.start()
      const arrivals = await sink.collect(SETTLE_MS)
      await nodes.stop()
      checkArrivals(arrivals, new Set([expected]))
      rounds.push({ first_ms: (arrivals[0]?.at ?? 0) - nodes.started_at })
    }
    return rounds
  })
}

/** Has one callback refused by the sink, stops, and resolves when it is due. */
async function putOff({ start: startNodes }: Ground, key: string, sink: Sink): Promise<string> {
  const nodes = await startNodes()
  const due_at = Date.now() + PUT_OFF_MS
  await sink.expect(1, refusal(due_at))
  const id = await waitingModel(nodes, key, sink.url, 1)
  check(Date.now() < due_at - 1000, 'the first attempt took so long that the second would be due')
  await nodes.stop()
  await sleep(due_at - Date.now() + 1000)
  return id
}

/** All are due at the sink. The server is stopped after the first; what came until then must have come once. */
function withAllDue({ sizes }: Stage, setup: Setup, sink: Sink): Promise<Figures[]> {
  return onEmptyDatabase(setup, async ({ start: startNodes, database }) => {
    const first = await startNodes()
    const key = await createProject(first, sink.url)
    await sink.expect(1, refusal(Date.now() + 3_600_000))
    const model = await waitingModel(first, key, sink.url, 1)
    await first.stop()
    const now = Date.now()
    await addWaiting(database, model, sizes.waiting, { from: now - 3_600_000, to: now })
    const rounds: Figures[] = []
    for (let i = 1; i <= sizes.rounds; i++) {
      await sink.expect(1)
      const nodes = await startNodes()
      const [arrival] = await sink.collect(SETTLE_MS)
      check(arrival !== undefined, 'nothing was delivered after the start')
      await nodes.stop()
      const arrivals = await sink.collect(0)
      const different = new Set(arrivals.map(({ webhook_id }) => webhook_id)).size
      check(different === arrivals.length, `${arrivals.length - different} callbacks came twice`)
      rounds.push({ first_ms: arrival.at - nodes.started_at })
    }
    return rounds
  })
}
