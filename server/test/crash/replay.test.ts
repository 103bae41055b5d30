// SIGKILL amid a replay, twice: what failed at a receiver that was deployed wrongly is sent again once it is mended, every
// event by exactly one new delivery, while callbacks to somebody else go on. CRASH_TASKS=100000 is the long form.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { databaseUrl } from '../support/database.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { openApi, type Answer, type Api, type DeliveryView } from './api.ts'
import { untilSettled } from './evidence.ts'
import { percentile, startProbes } from './probes.ts'
import { adminKey, spawnServer, stopInOrder } from './server-process.ts'

const TASKS = Number(process.env['CRASH_TASKS'] ?? 3000)
// Every so many tasks have a second event, which must come after the first.
const EDITED_EVERY = 10
const EVENTS = TASKS + Math.ceil(TASKS / EDITED_EVERY)
// The server dies when so much of the replay is done; the rest is enough for the kill not to come too late.
const KILLED_AT = [0.2, 0.4]
const CLIENTS = 32
const LOOK_EVERY_MS = 10

const SETTINGS = {
  // What fails is given up at once; and what a kill tears is found again soon, also by another process.
  retry: { retries: 0, window_s: 3600 },
  timeout_ms: 2000,
}

/** An event that arrived, and how often. */
type Heard = { task_id: string; sequence: number; resend: boolean; times: number }

/** A receiver that knows no path, until `mend`; it keeps what it takes after that, by event, in the order of arrival. */
async function startBroken(t: TestContext) {
  const heard = new Map<string, Heard>()
  let mended = false
  const receiver = await using(
    t,
    startReceiver(({ headers }, response, body) => {
      response.statusCode = mended ? 200 : 404
      response.end()
      if (!mended) return
      const { id, task_id, sequence } = JSON.parse(body) as { id: string; task_id: string; sequence: number }
      const known = heard.get(id)
      if (known !== undefined) known.times++
      else heard.set(id, { task_id, sequence, resend: headers['ringback-resend'] === '1', times: 1 })
    }),
  )
  return { url: receiver.url, heard, mend: () => void (mended = true) }
}

/** Posts what has to be answered. */
async function post(api: Api, path: string, json: object): Promise<Answer> {
  const answer = await api.send('POST', path, json)
  assert.ok(answer !== undefined, `${path} was not answered`)
  return answer
}

/** Gives the way to start the next server process on one data folder with one project. */
async function startServers(t: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'ringback-replay-'))
  const url = await databaseUrl(data)
  let server: ReturnType<typeof spawnServer> | undefined
  let key = adminKey
  t.after(async () => {
    await server?.[Symbol.asyncDispose]()
    await rm(data, { recursive: true, force: true })
  })
  return async () => {
    server = spawnServer(data, url === null ? {} : { RINGBACK_DATABASE_URL: url })
    const base_url = await server.ready
    if (key === adminKey) {
      await using admin = openApi(base_url, key)
      const { body } = await post(admin, '/v1/admin/projects', { name: 'replay' })
      key = (body as { credentials: { live_key: string } }).credentials.live_key
    }
    return { server, api: openApi(base_url, key) }
  }
}

/** Makes all events, and waits until their deliveries have failed. */
async function failAll(api: Api, callback_url: string): Promise<void> {
  const numbers = Array.from({ length: TASKS }).keys()
  const client = async () => {
    for (const number of numbers) {
      const { id } = (await post(api, '/v1/tasks', { callback_url })).body as { id: string }
      await post(api, `/v1/tasks/${id}/complete`, { response: { number } })
      if (number % EDITED_EVERY === 0) await post(api, `/v1/tasks/${id}/edit`, { response: 'edited' })
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  await untilSettled(api)
}

type ReplayView = { state: string; count: number; replayed: number; skipped: number }

/** Resolves when so much of the replay is done. */
async function until(api: Api, id: string, reached: (replay: ReplayView) => boolean): Promise<ReplayView> {
  for (;;) {
    const replay = await api.get<ReplayView>(`/v1/replays/${id}`)
    if (reached(replay)) return replay
    await delay(LOOK_EVERY_MS)
  }
}

test(`a replay of ${EVENTS} events that is killed ${KILLED_AT.length} times sends each by one new delivery`, async (t) => {
  const broken = await startBroken(t)
  const probes = await startProbes()
  t.after(() => probes.receiver[Symbol.asyncDispose]())
  const boot = await startServers(t)
  let { server, api } = await boot()
  t.after(() => api[Symbol.asyncDispose]())
  assert.equal((await api.send('PATCH', '/v1/project', SETTINGS))?.status, 200)
  await failAll(api, broken.url)

  const quiet = probes.run(api)
  await delay(1000 + TASKS / 20)
  const alone = quiet.stop()

  broken.mend()
  const started = performance.now()
  const { status, body } = await post(api, '/v1/deliveries/replay', { destination: broken.url })
  const { id, ...replay } = body as { id: string }
  assert.deepEqual([status, replay], [202, { state: 'running', count: EVENTS }])
  let running = probes.run(api)
  const beside: number[] = []
  for (const share of KILLED_AT) {
    const { state } = await until(api, id, ({ replayed }) => replayed >= share * EVENTS)
    assert.equal(state, 'running', 'the kill came too late')
    beside.push(...running.stop())
    await server.end('SIGKILL')
    await api[Symbol.asyncDispose]()
    ;({ server, api } = await boot())
    running = probes.run(api)
  }
  const done = await until(api, id, ({ state }) => state === 'done')
  const made_s = (performance.now() - started) / 1000
  assert.deepEqual([done.count, done.replayed, done.skipped], [EVENTS, EVENTS, 0])
  await untilSettled(api)
  const sent_s = (performance.now() - started) / 1000
  beside.push(...running.stop())

  const deliveries = await api.list<DeliveryView>(`/v1/deliveries?destination=${broken.url}`)
  const byEvent = Map.groupBy(deliveries, ({ event_id }) => event_id)
  assert.equal(byEvent.size, EVENTS)
  for (const [event_id, [fresh, old, ...others]] of byEvent) {
    const shown = [fresh?.state, fresh?.resend, old?.state, old?.resend, others.length]
    assert.deepEqual(shown, ['delivered', true, 'failed', false, 0], event_id)
  }
  assert.equal(broken.heard.size, EVENTS)
  const last = new Map<string, number>()
  for (const { task_id, sequence, resend } of broken.heard.values()) {
    assert.ok(resend && sequence === (last.get(task_id) ?? 0) + 1, `${task_id} heard event ${sequence}`)
    last.set(task_id, sequence)
  }
  await untilSettled(api)
  assert.deepEqual(probes.missing(), [])
  await stopInOrder(server)

  const twice = [...broken.heard.values()].reduce((sum, { times }) => sum + times - 1, 0)
  const figures = (delays: number[]) => ({
    probes: delays.length,
    p50_ms: percentile(delays, 0.5),
    p99_ms: percentile(delays, 0.99),
  })
  t.diagnostic(
    JSON.stringify({
      events: EVENTS,
      made_s: Math.round(made_s),
      sent_s: Math.round(sent_s),
      arrived_twice: twice,
      others_alone: figures(alone),
      others_beside: figures(beside),
    }),
  )
})
