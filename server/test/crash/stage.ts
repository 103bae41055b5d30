// What a crash test stands on: one data folder over the lives of many server processes, one project in it, the receiver and
// the clients' log.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { databaseUrl } from '../support/database.ts'
import { openApi, type Api } from './api.ts'
import { check, type Figures } from './check.ts'
import { gather, untilSettled, type Ending } from './evidence.ts'
import type { Journal } from './journal.ts'
import { createProject } from './project.ts'
import { createRandom } from './random.ts'
import { startReceiver, type Receiver } from './receiver.ts'
import { spawnServer, stopInOrder, type ServerProcess } from './server-process.ts'

export type Stage = {
  journal: Journal
  receiver: Receiver
  /** Starts the next server process; it need not have begun to listen. */
  boot(): Promise<{ number: number; server: ServerProcess }>
  /** Opens connections to a listening server with the project's key. */
  connect(base_url: string): Api
  /** Starts a last server, waits until all is delivered, stops it in order and judges. */
  judge(ending: Ending): Promise<{ faults: string[]; figures: Figures }>
}

const SHOWN_FAULTS = 20
const SETTINGS = {
  // Waits of five seconds, so that what failed once is soon tried again, in a window that outlasts the queue: a server that is
  // killed every second falls behind by most of a minute.
  retry: { retries: 50, window_s: 300 },
  // Less than the load brings, so that deliveries queue up in memory and in the database.
  limits: { in_flight: 8 },
  // On PostgreSQL a killed process keeps its leases until this and 12 seconds are over.
  timeout_ms: 3000,
}

/** The seed of this run: CRASH_SEED, else a new one; told in the test's output. */
export function chooseSeed(t: TestContext): number {
  const given = process.env['CRASH_SEED']
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
  assert.ok(Number.isSafeInteger(seed), 'CRASH_SEED must be a whole number')
  t.diagnostic(`CRASH_SEED=${seed}`)
  return seed
}

/** Sets the stage; all that runs or lies around is gone when the test ends. */
export async function setStage(
  t: TestContext,
  seed: number,
  env: Record<string, string> = {},
): Promise<Stage> {
  const data = await mkdtemp(join(tmpdir(), 'ringback-crash-'))
  const receiver = await startReceiver({ random: createRandom(seed, 0) })
  const journal: Journal = { stories: [], unsure: [] }
  let server: ServerProcess | undefined
  t.after(async () => {
    await server?.[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
    await rm(data, { recursive: true, force: true })
  })

  async function boot() {
    const number = await receiver.nextBoot()
    const url = await databaseUrl(data)
    server = spawnServer(data, { ...env, ...(url === null ? {} : { RINGBACK_DATABASE_URL: url }) })
    return { number, server }
  }

  async function makeProject(): Promise<string> {
    const { server } = await boot()
    const { live_key, signing_secret } = await createProject(await server.ready, SETTINGS)
    receiver.trust(signing_secret)
    await stopInOrder(server)
    return live_key
  }

  const key = await makeProject()
  return {
    journal,
    receiver,
    boot,
    connect: (base_url) => openApi(base_url, key),
    async judge(ending) {
      const { server } = await boot()
      await using api = openApi(await server.ready, key)
      await untilSettled(api)
      const { receipts, faults } = receiver
      const logs = {
        receipts,
        faults,
        most_in_hand: receiver.mostInHand(),
        processes: 1,
        destinations: 1,
        incidents: [],
      }
      const evidence = await gather(api, journal, logs, ending)
      await stopInOrder(server)
      return check(evidence)
    },
  }
}

/** Fails with the first faults and the seed that may bring them back. */
export function assertFaultless(faults: readonly string[], seed: number): void {
  const shown = faults.slice(0, SHOWN_FAULTS).join('\n')
  assert.ok(faults.length === 0, `${faults.length} faults with CRASH_SEED=${seed}:\n${shown}`)
}
