// What goes wrong, in an order that the seed chooses: nodes are killed or frozen, the database is restarted, connections to it
// are broken.
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Incident } from '../crash/check-duplicates.ts'
import { between, type Random } from '../crash/random.ts'
import type { OwnPostgres } from '../support/postgres.ts'
import type { Cluster } from './cluster.ts'
import { freeze, kill, type Node } from './node.ts'

/** `fast` and `immediate` are the ways in which PostgreSQL is shut down, `terminate` breaks connections to it. */
export type Kind = 'kill' | 'freeze' | 'fast' | 'immediate' | 'terminate'

/** How often each kind happened. */
export type Counts = Record<Kind, number>

export type Scene = {
  cluster: Cluster
  postgres: OwnPostgres
  /** Of the nodes' database. */
  url: string
  random: Random
  /** Nodes that will run again. */
  frozen: Set<Promise<void>>
}

// One round, which takes most of a minute; then comes another, in another order.
const ROUND: Counts = { kill: 4, freeze: 3, fast: 1, immediate: 1, terminate: 2 }
const PAUSE_MS = [2000, 5000] as const
// With a time-out of a second a lease lasts 13.
const FROZEN_MS = 16_000
const MOST_FROZEN = 2
const LONGEST_AWAY_MS = 3000

/** By kind: does it, unless there is no node to do it to. */
const DISTURB: Record<Kind, (scene: Scene) => Promise<boolean>> = {
  async kill({ cluster, random }) {
    const node = anyOf(cluster.up(), random)
    if (node !== undefined) kill(node, cluster.incidents)
    return node !== undefined
  },
  async freeze({ cluster, random, frozen }) {
    const node = anyOf(cluster.up(), random)
    if (node === undefined || frozen.size >= MOST_FROZEN) return false
    const thawed = freeze(node, FROZEN_MS, cluster.incidents)
    frozen.add(thawed)
    void thawed.then(() => frozen.delete(thawed))
    return true
  },
  fast: (scene) => restart(scene, 'fast'),
  immediate: (scene) => restart(scene, 'immediate'),
  terminate: ({ cluster, url, random }) => away(cluster, () => terminate(url, random)),
}

/** Disturbs until this moment; resolves with all nodes awake and the database there. */
export async function disturb(scene: Scene, until_ms: number): Promise<Counts> {
  const counts: Counts = { kill: 0, freeze: 0, fast: 0, immediate: 0, terminate: 0 }
  let round: Kind[] = []
  for (;;) {
    await delay(between(scene.random, ...PAUSE_MS))
    if (Date.now() >= until_ms) break
    if (round.length === 0) round = shuffle(scene.random)
    const kind = round.pop()
    if (kind !== undefined && (await DISTURB[kind](scene))) counts[kind]++
  }
  await Promise.all(scene.frozen)
  return counts
}

const anyOf = (nodes: Node[], random: Random): Node | undefined => nodes[Math.floor(random() * nodes.length)]

/** The kinds of one round, in any order. */
function shuffle(random: Random): Kind[] {
  const kinds = Object.entries(ROUND).flatMap(([kind, times]) => Array<Kind>(times).fill(kind as Kind))
  return kinds
    .map((kind) => ({ kind, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ kind }) => kind)
}

/** A moment or a while in which no connection to the database can be relied on. */
async function away({ incidents }: Cluster, work: () => Promise<void>): Promise<boolean> {
  const incident: Incident = { kind: 'database', boot: null, from: Date.now(), until: Infinity }
  incidents.push(incident)
  await work()
  incident.until = Date.now()
  return true
}

const restart = ({ cluster, postgres, random }: Scene, shutdown: 'fast' | 'immediate') =>
  away(cluster, () => postgres.restart(shutdown, between(random, 0, LONGEST_AWAY_MS)))

/** Breaks a random share of the connections to the database. */
async function terminate(url: string, random: Random): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query<{ pid: number }>(
    'select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() order by pid',
  )
  const share = random()
  for (const { pid } of rows) {
    if (random() < share) await client.query('select pg_terminate_backend($1)', [pid])
  }
  await client.end()
}
