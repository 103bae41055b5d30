// One process of the cluster and what can be done to it. A process that is killed is another one when it is back, with a
// number of its own, as the receiver and the checker tell them apart.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openApi, type Api } from '../crash/api.ts'
import type { Incident } from '../crash/check-duplicates.ts'
import { spawnServer, type ServerProcess } from '../crash/server-process.ts'

/** One process of a node; `api` is null before it listens, and when it is gone. */
export type Node = {
  number: number
  server: ServerProcess
  base_url: string
  api: Api | null
  state: 'starting' | 'up' | 'frozen' | 'killed'
  /** Clients that got no answer here try others until then, in milliseconds since the epoch. */
  shunned_until: number
}

// Shorter than the freeze of a node, longer than a commit may take on a busy machine.
const ANSWER_MS = 3000
const SHUN_MS = 1000

/** Starts a process on this database; what it warns of is written to a file in `folder`. */
export function bootNode(number: number, folder: string, url: string): Node {
  const log = join(folder, `node-${number}.log`)
  const server = spawnServer(folder, { RINGBACK_DATABASE_URL: url }, (line) => {
    if (!line.startsWith('{"level":30')) appendFileSync(log, `${line}\n`)
  })
  return { number, server, base_url: '', api: null, state: 'starting', shunned_until: 0 }
}

/** Opens connections for clients with this key. */
export function connect(node: Node, key: string): void {
  node.api = openApi(node.base_url, key, ANSWER_MS)
}

/** Notes that a node has not answered. */
export function shun(node: Node): void {
  node.shunned_until = Date.now() + SHUN_MS
}

/** Kills a node and writes that down. */
export function kill(node: Node, incidents: Incident[]): void {
  node.state = 'killed'
  const now = Date.now()
  incidents.push({ kind: 'kill', boot: node.number, from: now, until: now })
  void node.server.end('SIGKILL')
}

/** Freezes a node and writes that down; resolves when it runs again. */
export async function freeze(node: Node, for_ms: number, incidents: Incident[]): Promise<void> {
  node.state = 'frozen'
  const from = Date.now()
  const incident: Incident = { kind: 'freeze', boot: node.number, from, until: from + for_ms }
  incidents.push(incident)
  process.kill(node.server.pid, 'SIGSTOP')
  await delay(for_ms)
  incident.until = Date.now()
  node.state = 'up'
  process.kill(node.server.pid, 'SIGCONT')
}
