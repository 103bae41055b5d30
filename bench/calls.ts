// `npm run bench:calls`: many tasks that wait for their time and many that are polled, at once in one process. Prints how late
// their calls came, what of memory that took, and how often the database was asked. Ends with status 1 when a call was lost or
// doubled.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createProject } from './api.ts'
import { check, runBench } from './faults.ts'
import { percentile } from './figures.ts'
import { sendAll } from './http-load.ts'
import { onEmptyDatabase, sqlite } from './setups.ts'

const HELP = `Usage: npm run bench:calls -- [options]

  --tasks N    tasks of each kind (10000)
  --seconds N  over which the delayed ones are spread, and for which the others are polled (60)
  --help`

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
})

const INTERVAL_S = 5
const CONNECTIONS = 64
const SAMPLE_MS = 5000
const SETTLE_MS = 30_000

type Sample = { resident_mib: number; claims: number; claimed: number }

/** A provider that takes jobs, is asked how they go, and notes how late it is called. */
async function startProvider(polls_end_at: () => number) {
  const late = { delayed: [] as number[], polled: [] as number[] }
  const seen = new Map<string, number>()
  const finished = new Set<string>()
  let doubled = 0
  const server = createServer((request, response) => {
    const [, kind = '', id = ''] = (request.url ?? '').split('/')
    const now = Date.now()
    request.resume()
    if (kind === 'delayed') {
      const [due = ''] = id.split('-')
      if (finished.has(id)) doubled++
      finished.add(id)
      late.delayed.push(now - Number(due))
      return answer(response, {})
    }
    if (kind === 'start') {
      seen.set(id, now)
      return answer(response, { id })
    }
    // The callbacks of the tasks come here, too.
    if (kind !== 'job') return answer(response, {})
    late.polled.push(now - (seen.get(id) ?? now) - INTERVAL_S * 1000)
    seen.set(id, now)
    const isDone = now >= polls_end_at()
    if (isDone) {
      if (finished.has(id)) doubled++
      finished.add(id)
    }
    answer(response, { status: isDone ? 'done' : 'running' })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    late,
    finished,
    doubled: () => doubled,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function answer(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

async function sample(port: number): Promise<Sample> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const value = (name: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(name))
        ?.split(' ')
        .at(-1) ?? 0,
    )
  return {
    resident_mib: value('process_resident_memory_bytes') / 1024 / 1024,
    claims: value('ringback_claims_total{what="calls"}'),
    claimed: value('ringback_claimed_total{what="calls"}'),
  }
}

const milliseconds = (found: readonly number[]) =>
  [0.5, 0.99, 1].map((p) => `${Math.round(percentile(found, p))} ms`).join(' / ')

async function main(): Promise<void> {
  const tasks = Number(values.tasks)
  const seconds = Number(values.seconds)
  // The tasks are made before the first of them is due.
  const begins_at = Date.now() + 5000 + 2 * tasks
  const ends_at = begins_at + seconds * 1000
  const provider = await startProvider(() => ends_at)
  await onEmptyDatabase(sqlite, async ({ start }) => {
    const nodes = await start()
    const [port = 0] = nodes.ports
    const key = await createProject(nodes, provider.url)
    const headers = { authorization: `Bearer ${key}` }
    const post = (fields: unknown) => ({
      method: 'POST',
      path: '/v1/tasks',
      headers,
      body: JSON.stringify(fields),
    })
    const delayed = Array.from({ length: tasks }, (_, i) => {
      const due = begins_at + Math.floor((i * seconds * 1000) / tasks)
      return post({
        request: { url: `${provider.url}/delayed/${due}-${i}` },
        not_before: new Date(due).toISOString(),
      })
    })
    const polled = Array.from({ length: tasks }, (_, i) =>
      post({
        request: { url: `${provider.url}/start/${i}` },
        poll: {
          url_template: `${provider.url}/job/{startResult.body.id}`,
          status_path: 'status',
          done_values: ['done'],
          fail_values: [],
          interval_s: INTERVAL_S,
          max_duration_s: 3600,
        },
      }),
    )
    const rest = await sample(port)
    const answers = await sendAll([port], [...delayed, ...polled], CONNECTIONS)
    const refused = answers.find(({ status }) => status !== 201)
    check(refused === undefined, `a task was refused: ${refused?.body}`)
    check(Date.now() < begins_at, 'the tasks were not made in time; take fewer')
    await sleep(begins_at - Date.now())
    provider.late.polled.length = 0
    const before = await sample(port)
    const samples = [before]
    while (Date.now() < ends_at) {
      await sleep(SAMPLE_MS)
      samples.push(await sample(port))
    }
    const polls = provider.late.polled.length
    const after = samples.at(-1) ?? before
    for (const until = Date.now() + SETTLE_MS; provider.finished.size < 2 * tasks && Date.now() < until;)
      await sleep(100)
    check(
      provider.finished.size === 2 * tasks,
      `${2 * tasks - provider.finished.size} tasks were not called to their end`,
    )
    check(provider.doubled() === 0, `${provider.doubled()} calls were made twice`)
    const claims = after.claims - before.claims
    const resident = samples.map(({ resident_mib }) => Math.round(resident_mib))
    console.log(
      `${tasks} delayed tasks over ${seconds} s, late (p50 / p99 / most): ${milliseconds(provider.late.delayed)}`,
    )
    console.log(
      `${tasks} tasks polled every ${INTERVAL_S} s, ${Math.round(polls / seconds)} polls/s, late: ${milliseconds(provider.late.polled)}`,
    )
    console.log(`${claims} claims, ${((after.claimed - before.claimed) / claims).toFixed(1)} calls each`)
    console.log(
      `resident: ${Math.round(rest.resident_mib)} MiB at rest, then every 5 s ${resident.join(' ')} MiB`,
    )
    await nodes.stop()
  })
  await provider.stop()
}

if (values.help) console.log(HELP)
else await runBench(main)
