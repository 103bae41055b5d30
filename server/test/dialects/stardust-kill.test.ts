// A server that is killed amid an import, several times: the next one goes on, each line is one task, and each faulty line one
// error, although more was written than the cursor knew.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openStore } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { Project } from '../../src/domain/project.ts'
import { adminKey, spawnServer } from '../crash/server-process.ts'
import { databaseUrl, onPostgres } from '../support/database.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { startFiles, type Batch, type Envelope } from './stardust-customer.ts'
import { imageRecord, signed, type AccessKey } from './stardust-writing.ts'

const LINES = 3000
const PIECE = 50
// The server is killed when so many lines have come and half of them are tasks. On PostgreSQL each takes long.
const KILLS = onPostgres ? [1300] : [500, 1300, 2400]
const isDuplicate = (line: number) => line % 100 === 50

type List = { count: number; data: { id: string; status: number; metaData: { uniqueIdentifier: string } }[] }

/** Serves the first lines of the file in pieces, and then no end of it unless there are no more. */
async function serve(response: ServerResponse, lines: readonly string[], count: number): Promise<void> {
  response.on('error', () => {})
  for (let from = 0; from < count && !response.destroyed; from += PIECE) {
    const piece = lines.slice(from, Math.min(from + PIECE, count)).join('')
    if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')])
  }
  if (count === lines.length) response.end()
}

/** A database that is opened while no server has it. */
async function openBetween(data: string, env: Record<string, string>) {
  return openStore({ config: readConfig({ data }, env).config, secret_key: Buffer.alloc(32, 7) })
}

async function startWorld(t: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'ringback-import-'))
  t.after(() => rm(data, { recursive: true, force: true }))
  const url = await databaseUrl(data)
  const env: Record<string, string> = url === null ? {} : { RINGBACK_DATABASE_URL: url }
  let base_url = ''
  return {
    data,
    env,
    async boot() {
      const server = spawnServer(data, env)
      t.after(() => server[Symbol.asyncDispose]())
      base_url = await server.ready
      return server
    },
    async call<T>(path: string, headers: Record<string, string>, json: object): Promise<T> {
      const answer = await fetch(base_url + path, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(json),
      })
      assert.ok(answer.ok, `${path}: ${answer.status}`)
      return (await answer.json()) as T
    },
    /** What stands in the database of the batch: lines that its cursor knows, and tasks. The lease of the dead ends at once. */
    async endLease(project_id: string, batch_id: string) {
      const store = await openBetween(data, env)
      const scope = { project_id, mode: 'live' as const }
      const record = await store.findRecord(scope, 'import', batch_id)
      assert.ok(record !== undefined)
      const tasks = await store.countTasks(scope, {}, 10_000)
      await store.updateRecord({ ...record, due_at: store.now(), version: record.version + 1 })
      await store.close()
      return { known: (JSON.parse(record.body) as { line_count: number }).line_count, tasks }
    },
  }
}

test('an import goes on after each kill of the server, and each of its lines is one task', async (t) => {
  const told = new Set<string>()
  const receiver = await using(
    t,
    startReceiver((_request, response, body) => {
      told.add((JSON.parse(body) as { taskId: string }).taskId)
      response.end()
    }),
  )
  const lines = Array.from({ length: LINES }, (_, line) => {
    const record = isDuplicate(line) ? imageRecord('row-0', receiver.url) : imageRecord(`row-${line}`)
    return `${JSON.stringify(record)}\n`
  })
  let servable = KILLS[0]!
  const files = await startFiles(t)
  const resourceUrl = files.put('/in.jsonl', (_, response) => void serve(response, lines, servable))

  const world = await startWorld(t)
  let server = await world.boot()
  const { project, credentials } = await world.call<{
    project: Project
    credentials: Record<string, string>
  }>('/v1/admin/projects', { authorization: `Bearer ${adminKey}` }, { name: 'cars', dialect: 'stardust' })
  const key: AccessKey = { id: credentials['access_key_id']!, secret: credentials['access_key_secret']! }
  const post = async <T>(path: string, json: object): Promise<T> => {
    const headers = signed(key, Date.now())
    return (await world.call<Envelope<T>>(`/stardust/rosetta-open${path}`, headers, json)).data
  }
  const list = (json: object = {}) => post<List>('/project/tasks', { projectId: 3184, limit: 100, ...json })
  const { batchId } = await post<{ batchId: string }>('/task/send', { projectId: 3184, resourceUrl })

  let [mostKnown, mostUnknown] = [0, 0]
  for (const [i, count] of KILLS.entries()) {
    while ((await list()).count < count / 2);
    await server.end('SIGKILL')
    const { known, tasks } = await world.endLease(project.id, batchId)
    mostKnown = Math.max(mostKnown, known)
    mostUnknown = Math.max(mostUnknown, tasks - known)
    servable = KILLS[i + 1] ?? LINES
    server = await world.boot()
  }
  assert.ok(mostKnown > 0, 'no server was killed after it had saved its cursor')
  assert.ok(mostUnknown > 0, 'no server was killed ahead of its cursor')

  let batch: Batch
  do batch = await post<Batch>('/task/send/status', { batchId })
  while (batch.status !== 3)
  const duplicates = LINES / 100
  assert.deepEqual(
    [batch.taskCount, batch.importFailCount],
    [LINES, duplicates],
    JSON.stringify(batch.errors[0]),
  )
  for (const { error } of batch.errors) assert.match(error, /^Duplicate uniqueIdentifier row-0: /)

  const rows: List['data'] = []
  for (let offset = 1; rows.length < LINES; offset++) {
    const { data } = await list({ offset })
    if (data.length === 0) break
    rows.push(...data)
  }
  const names = rows.map(({ metaData }) => metaData.uniqueIdentifier).toReversed()
  assert.deepEqual(
    names,
    Array.from({ length: LINES }, (_, line) => (isDuplicate(line) ? 'row-0' : `row-${line}`)),
  )
  const errored = rows.filter(({ status }) => status === 6)
  assert.equal(errored.length, duplicates)
  while (told.size < duplicates) await new Promise(setImmediate)
  assert.deepEqual([...told].toSorted(), errored.map(({ id }) => id).toSorted())
  await server.end('SIGKILL')

  const store = await openBetween(world.data, world.env)
  for (const { id } of errored) {
    const task = await store.findTask({ project_id: project.id, mode: 'live' }, id)
    const { rows: events } = await store.listEvents(task!.id, { limit: 10, after: null })
    assert.deepEqual(
      events.map(({ type }) => type),
      ['task.errored'],
    )
  }
  await store.close()
})
