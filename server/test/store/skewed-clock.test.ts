// Two nodes on one PostgreSQL whose own clocks are four minutes apart: every deadline must be that of the database.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createClient } from '@ringback/sdk'
import pg from 'pg'
import { adminKey, spawnServer } from '../crash/server-process.ts'
import { startPostgres } from '../support/postgres.ts'
import { startReceiver } from '../support/receiver.ts'

const WAIT_MS = 5000
const SKEW_MS = 120_000
const TIMEOUT_MS = 30_000
// What a slow machine may take between two looks; far less than the clocks are apart.
const LEEWAY_MS = 20_000

const near = (time_ms: number, expected_ms: number) => Math.abs(time_ms - expected_ms) < LEEWAY_MS

test('nodes whose clocks are two minutes fast and slow keep leases, plans, expiry and signatures by the clock of the database', async (t) => {
  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  const url = await postgres.createDatabase()
  const data = await mkdtemp(join(tmpdir(), 'ringback-skewed-'))
  t.after(() => rm(data, { recursive: true, force: true }))
  const nodeWith = (skew_ms: number) =>
    spawnServer(data, {
      RINGBACK_DATABASE_URL: url,
      NODE_OPTIONS: `--import=data:text/javascript,const{now}=Date;Date.now=()=>now()+(${skew_ms})`,
    })
  await using fast = nodeWith(SKEW_MS)
  await using slow = nodeWith(-SKEW_MS)

  const requests: { path: string; signed_at: number; came_at: number }[] = []
  const hanging: ServerResponse[] = []
  let hang = () => {}
  await using receiver = await startReceiver((request, response) => {
    const path = request.url ?? ''
    const signed_at = 1000 * Number(request.headers['webhook-timestamp'])
    requests.push({ path, signed_at, came_at: Date.now() })
    const first = requests.filter((earlier) => earlier.path === path).length === 1
    if (path.startsWith('/hang')) {
      hanging.push(response)
      hang()
    } else response.writeHead(path === '/fails-once' && first ? 500 : 200).end()
  })
  const baseUrls = await Promise.all([fast.ready, slow.ready])
  const { credentials } = await createClient({ baseUrl: baseUrls[0], key: adminKey }).admin.createProject({
    name: 'skewed',
  })
  const key = credentials.live_key
  const [onFast, onSlow] = baseUrls.map((baseUrl) => createClient({ baseUrl, key }))
  assert.ok(onFast && onSlow)

  // Each node holds a lease, which the other would take if it were over by its own clock.
  const bothHang = new Promise<void>((resolve) => {
    hang = () => hanging.length === 2 && resolve()
  })
  for (const [i, { tasks }] of [onFast, onSlow].entries()) {
    const { id } = await tasks.create({ callback_url: `${receiver.url}/hang/${i}` })
    await tasks.complete(id, { response: 1 })
  }
  await bothHang
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ left_ms: number }>(
    `select lease_until - extract(epoch from clock_timestamp())::float8 * 1000 as left_ms from deliveries where state = 'sending'`,
  )
  await client.end()
  assert.equal(rows.length, 2)
  for (const { left_ms } of rows)
    assert.ok(near(left_ms, TIMEOUT_MS + 12_000), `a lease has ${left_ms} ms left`)

  // A deadline that one node sets is met, and not too early, whichever node looks.
  for (const [one, other] of [
    [onFast, onSlow],
    [onSlow, onFast],
  ] as const) {
    const { id, created_at } = await one.tasks.create({ expires_in_s: 2 })
    assert.ok(near(Date.parse(created_at), Date.now()), `created at ${created_at}`)
    const task = await other.tasks.get(id, { wait: 30 })
    assert.equal(task.status, 'expired')
    const lived_ms = Date.parse(task.completed_at ?? '') - Date.parse(created_at)
    assert.ok(lived_ms >= 2000 && near(lived_ms, 2000), `it expired after ${lived_ms} ms`)
  }

  // A retry comes when the plan says, and the plan is in the time of the database.
  const failed = await onFast.tasks.create({ callback_url: `${receiver.url}/fails-once` })
  await onFast.tasks.complete(failed.id, { response: 1 })
  while ((await onSlow.tasks.get(failed.id)).callback_succeeded !== true);
  const [first, second] = requests.filter(({ path }) => path === '/fails-once')
  assert.ok(first && second)
  assert.ok(near(second.came_at - first.came_at, WAIT_MS), 'the retry came at another time than planned')

  for (const response of hanging) response.end()
  for (const { path, signed_at, came_at } of requests)
    assert.ok(near(signed_at, came_at), `${path} was signed`)
  assert.deepEqual(
    requests
      .map(({ path }) => path)
      .filter((path) => path.startsWith('/hang'))
      .toSorted(),
    ['/hang/0', '/hang/1'],
  )
  for (const node of [fast, slow]) assert.deepEqual(await node.end('SIGTERM'), { status: 0, signal: null })
})
