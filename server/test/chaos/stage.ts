// What the chaos takes place on: a PostgreSQL of its own, the nodes, the receivers, and one project that all share.
import { createProject } from '../crash/project.ts'
import { createRandom } from '../crash/random.ts'
import { startReceiver, type Receiver } from '../crash/receiver.ts'
import { startOwnPostgres, type OwnPostgres } from '../support/postgres.ts'
import { startCluster, type Cluster } from './cluster.ts'

export type Stage = {
  postgres: OwnPostgres
  /** Of the nodes' database. */
  url: string
  cluster: Cluster
  receivers: Receiver[]
  /** Of the project. */
  key: string
} & AsyncDisposable

const RECEIVERS = 3
const SLOWEST_MS = 200
const SETTINGS = {
  timeout_ms: 1000,
  // Waits of about two seconds, so that what failed is soon tried again.
  retry: { retries: 50, window_s: 120 },
  // Little, so that deliveries queue up in memory, and when nodes are missing in the database.
  limits: { in_flight: 2 },
}

/** Starts everything; disposing ends it, killing what still runs. */
export async function setStage(seed: number, folder: string): Promise<Stage> {
  await using started = new AsyncDisposableStack()
  const postgres = await startOwnPostgres({ fsync: true })
  started.defer(() => postgres.stop())
  const url = await postgres.createDatabase()
  const cluster = started.use(startCluster(folder, url))
  const receivers: Receiver[] = []
  for (let i = 0; i < RECEIVERS; i++) {
    const receiver = await startReceiver({
      random: createRandom(seed, 0, i),
      slowest_ms: SLOWEST_MS,
      senderOf: (socket) => cluster.senderOf(socket),
    })
    receivers.push(started.use(receiver))
  }
  const [node] = await cluster.allUp()
  const { live_key, signing_secret } = await createProject(node?.base_url ?? '', SETTINGS)
  cluster.useKey(live_key)
  for (const receiver of receivers) receiver.trust(signing_secret)
  const all = started.move()
  return { postgres, url, cluster, receivers, key: live_key, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
