// The load: clients that create tasks, resolve them and work on them further, with pauses, so that it is the disturbances
// that matter. A client without an answer asks another node, as one behind a load balancer does; every try is in its log.
import { setTimeout as delay } from 'node:timers/promises'
import { act, newTask } from '../crash/load.ts'
import { meaningOf, type Journal, type Story, type Verb } from '../crash/journal.ts'
import { between, createRandom, type Random } from '../crash/random.ts'
import type { Cluster } from './cluster.ts'
import { shun, type Node } from './node.ts'

const CLIENTS = 24
const LONGEST_PAUSE_MS = 800
// Out of 100 tasks: so many are resolved and worked on this way; the rest stays open.
const PLAN: [share: number, steps: Verb[][]][] = [
  [25, [['complete']]],
  [25, [['inbound']]],
  [6, [['cancel']]],
  [20, [['complete'], ['edit'], ['audit']]],
  [8, [['inbound'], ['fix'], ['edit'], ['audit'], ['edit']]],
  // Two resolvers at the same moment, on any nodes: one may win.
  [10, [['complete', 'inbound'], ['edit']]],
]
const TRIES = 20
const LONGEST_WAIT_MS = 500

export type ClientsOptions = {
  cluster: Cluster
  journal: Journal
  seed: number
  callback_urls: readonly string[]
  /** When it says so, each client ends its task and no more begin. */
  signal: AbortSignal
}

/** Runs the clients; resolves when the last one has ended. */
export async function runClients(options: ClientsOptions): Promise<void> {
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => runClient(options, number)))
}

async function runClient(options: ClientsOptions, number: number): Promise<void> {
  const random = createRandom(options.seed, 10, number)
  for (let n = 0; !options.signal.aborted; n++) {
    await playTask(options, random, `client${number}-${n}`)
    await delay(between(random, 0, LONGEST_PAUSE_MS))
  }
}

async function playTask(
  { cluster, journal, callback_urls }: ClientsOptions,
  random: Random,
  unique_id: string,
): Promise<void> {
  const callback_url = callback_urls[Math.floor(random() * callback_urls.length)] ?? ''
  const sent = newTask(random, unique_id, callback_url)
  const story: Story = { boot: 0, sent, status: null, task: null, deeds: [] }
  journal.stories.push(story)
  await insist(cluster, random, async ({ number, api }) => {
    story.boot ||= number
    const answer = await api?.send('POST', '/v1/tasks', sent, { 'idempotency-key': unique_id })
    if (answer?.status === 201) story.task = answer.body as Story['task']
    return (story.status = answer?.status ?? null)
  })
  if (story.task === null) return
  for (const verbs of planOf(random)) {
    const statuses = await Promise.all(
      verbs.map((verb) =>
        insist(cluster, random, async ({ api }) => (api === null ? null : act(api, story, verb))),
      ),
    )
    // Refused, an earlier try without an answer has done it, or the other resolver.
    if (!statuses.some((status) => ['done', 'refused'].includes(meaningOf(status)))) return
  }
}

function planOf(random: Random): Verb[][] {
  let drawn = random() * 100
  for (const [share, steps] of PLAN) {
    drawn -= share
    if (drawn < 0) return steps
  }
  return []
}

/** Asks node after node until one gives an answer that is no 503; gives its status, or null when patience is over. */
async function insist(
  cluster: Cluster,
  random: Random,
  ask: (node: Node) => Promise<number | null>,
): Promise<number | null> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const node = cluster.pick(random)
    const status = node === undefined ? null : await ask(node)
    const meaning = meaningOf(status)
    if (meaning !== 'unknown' && meaning !== 'turned_away') return status
    if (meaning === 'unknown' && node !== undefined) shun(node)
    await delay(between(random, 20, LONGEST_WAIT_MS))
  }
  return null
}
