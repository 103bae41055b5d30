// Three nodes on one database, each started again whenever it is gone, as a supervisor would do it, and the log of what was
// done to them. A node that ends without having been killed is a fault, unless it could not start for want of the database.
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Incident } from '../crash/check-duplicates.ts'
import type { Random } from '../crash/random.ts'
import { stopInOrder } from '../crash/server-process.ts'
import { bootNode, connect, type Node } from './node.ts'
import { ownerOf } from './socket-owner.ts'

/** How many nodes there are. */
export const NODES = 3

export type Cluster = {
  incidents: Incident[]
  faults: string[]
  /** How often a node could not start. */
  failedStarts(): number
  /** Resolves when every node listens; rejects when that takes minutes. */
  allUp(): Promise<Node[]>
  /** With this key clients call from now on. */
  useKey(key: string): void
  /** Any node that a client would ask: one that listens, and answered lately. */
  pick(random: Random): Node | undefined
  /** Nodes that run as they should. */
  up(): Node[]
  /** The number of the process that opened this connection, 0 when it is gone. */
  senderOf(socket: Socket): number
  /** Stops all nodes by SIGTERM; rejects unless each says that all went well. */
  stop(): Promise<void>
} & AsyncDisposable

const AGAIN_MS = 200
const LOOK_MS = 20
const ALL_UP_MS = 180_000

/** Starts the cluster; what its processes warn of is written to files in `folder`. */
export function startCluster(folder: string, url: string): Cluster {
  const incidents: Incident[] = []
  const faults: string[] = []
  const nodes: Node[] = []
  let key = ''
  let numbers = 0
  let failed_starts = 0
  let stopping = false

  /** Lives through one process; false when it is none that was killed. */
  async function live(node: Node): Promise<boolean> {
    const base_url = await node.server.ready.catch(() => null)
    if (base_url !== null) {
      node.base_url = base_url
      connect(node, key)
      if (node.state === 'starting') node.state = 'up'
    }
    const { status, signal } = await node.server.exited
    await node.api?.[Symbol.asyncDispose]()
    node.api = null
    if (node.state === 'killed') return true
    if (stopping) return false
    if (base_url === null && status !== null) failed_starts++
    else faults.push(`node ${node.number} ended by itself (${status ?? signal}):\n${node.server.tail()}`)
    return false
  }

  async function keepUp(slot: number): Promise<void> {
    for (;;) {
      const node = (nodes[slot] = bootNode(++numbers, folder, url))
      const killed = await live(node)
      if (stopping) return
      if (!killed) await delay(AGAIN_MS)
    }
  }

  const keepers = Array.from({ length: NODES }, (_, slot) => keepUp(slot))
  const endAll = async (end: (node: Node) => Promise<void>) => {
    stopping = true
    await Promise.all(nodes.map(end))
    await Promise.all(keepers)
  }
  return {
    incidents,
    faults,
    failedStarts: () => failed_starts,
    async allUp() {
      for (const deadline = Date.now() + ALL_UP_MS; ; await delay(LOOK_MS)) {
        const missing = nodes.filter(({ state, api }) => state !== 'up' || api === null)
        if (missing.length === 0) return nodes
        if (Date.now() > deadline) {
          const states = missing.map(({ number, state, server }) => `${number} ${state}: ${server.tail()}`)
          throw new Error(`Nodes do not come up:\n${states.join('\n')}`)
        }
      }
    },
    useKey(given) {
      key = given
      for (const node of nodes) connect(node, key)
    },
    pick(random) {
      const listening = nodes.filter(({ api }) => api !== null)
      const answering = listening.filter(({ shunned_until }) => shunned_until < Date.now())
      const choice = answering.length > 0 ? answering : listening
      return choice[Math.floor(random() * choice.length)]
    },
    up: () => nodes.filter(({ state }) => state === 'up'),
    senderOf(socket) {
      const pids = nodes.map(({ server }) => server.pid)
      const pid = ownerOf(socket, pids)
      return nodes.find(({ server }) => server.pid === pid)?.number ?? 0
    },
    stop: () => endAll(({ server }) => stopInOrder(server)),
    [Symbol.asyncDispose]: () => endAll(async ({ server }) => server[Symbol.asyncDispose]()),
  }
}
