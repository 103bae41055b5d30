// A server that is killed while something is called for its tasks: in the middle of a target call, in a delay, while it waits for a
// callback, between two polls, in a poll, and in the callback to the customer. The next process goes on with each of them.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { databaseUrl } from '../support/database.ts'
import { startProvider, type Provider, type Reply } from '../support/calls.ts'
import { openApi, type Api, type EventView, type TaskView } from './api.ts'
import { untilSettled } from './evidence.ts'
import { createProject } from './project.ts'
import { spawnServer, stopInOrder } from './server-process.ts'

type Created = TaskView & { callback_id: string }

const TIMEOUT_S = 2
const hold: Reply = () => {}
const done = { status: 200, body: { status: 'done', output: 'made' } }
const started = { status: 200, body: { id: 'j' } }

const poll = (provider: Provider, name: string, interval_s: number) => ({
  url_template: `${provider.url}/${name}/{startResult.body.id}`,
  status_path: 'status',
  done_values: ['done'],
  fail_values: ['failed'],
  interval_s,
  result_path: 'output',
})

/** Where each task is when the server is killed, and what its provider and its customer are asked then. */
const phases = {
  call: {
    script: { '/call': [hold, { status: 200, body: 'made' }] },
    asked: ['/call'],
    most: { '/call': 2 },
  },
  delay: { script: { '/delay': [{ status: 200, body: 'made' }] }, asked: [], most: { '/delay': 1 } },
  wait: { script: { '/wait': [started] }, asked: ['/wait'], most: { '/wait': 1 } },
  pause: {
    script: { '/pause': [started], '/pause/j': [{ status: 200, body: { status: 'running' } }, done] },
    asked: ['/pause', '/pause/j'],
    most: { '/pause': 1, '/pause/j': 2 },
  },
  poll: {
    script: { '/poll': [started], '/poll/j': [hold, done] },
    asked: ['/poll', '/poll/j'],
    most: { '/poll': 1, '/poll/j': 2 },
  },
  webhook: {
    script: { '/webhook': [{ status: 200, body: 'made' }], '/hook/webhook': [hold, { status: 200 }] },
    asked: ['/webhook', '/hook/webhook'],
    most: { '/webhook': 1, '/hook/webhook': 2 },
  },
} satisfies Record<string, { script: Record<string, Reply[]>; asked: string[]; most: Record<string, number> }>

type Phase = keyof typeof phases
const names = Object.keys(phases) as Phase[]

async function create(api: Api, provider: Provider, name: Phase, not_before: string): Promise<Created> {
  const answer = await api.send('POST', '/v1/tasks', {
    type: name,
    callback_url: `${provider.url}/hook/${name}`,
    request: {
      url: `${provider.url}/${name}`,
      timeout_s: TIMEOUT_S,
      ...(name === 'wait' ? { body: { hook: '{resolve_url}' } } : {}),
    },
    ...(name === 'pause' ? { poll: poll(provider, 'pause', 2) } : {}),
    ...(name === 'poll' ? { poll: poll(provider, 'poll', 1) } : {}),
    ...(name === 'delay' ? { not_before } : {}),
  })
  assert.equal(answer?.status, 201, JSON.stringify(answer?.body))
  return answer.body as Created
}

/** Resolves when each task is where it is to be killed. */
async function inPlace(provider: Provider): Promise<void> {
  const wanted = names.flatMap((name) => phases[name].asked)
  for (let count = 1; !wanted.every((path) => provider.count(path) > 0); count = provider.asked.length + 1)
    await provider.requests(count)
}

/** The task once it is settled. */
async function settledTask(api: Api, { id }: Created): Promise<TaskView> {
  for (;;) {
    const task = await api.get<TaskView>(`/v1/tasks/${id}?wait=30`)
    if (['completed', 'failed', 'expired', 'canceled'].includes(task.status)) return task
  }
}

async function startStage(t: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'ringback-calls-'))
  t.after(() => rm(data, { recursive: true, force: true }))
  const script = Object.assign({}, ...names.map((name) => copied(phases[name].script))) as Record<
    string,
    Reply[]
  >
  for (const name of names) script[`/hook/${name}`] ??= [{ status: 200 }]
  const provider = await startProvider(t, script)
  return {
    provider,
    boot: async () => {
      const url = await databaseUrl(data)
      const server = spawnServer(data, url === null ? {} : { RINGBACK_DATABASE_URL: url })
      t.after(() => server[Symbol.asyncDispose]())
      return { server, base_url: await server.ready }
    },
  }
}

/** The replies of a script are used up. */
const copied = (script: Record<string, Reply[]>) =>
  Object.fromEntries(Object.entries(script).map(([path, replies]) => [path, [...replies]]))

test('a kill in any phase of a call costs one more request at most, and each task settles once', async (t) => {
  const { provider, boot } = await startStage(t)
  const first = await boot()
  const { live_key } = await createProject(first.base_url, { timeout_ms: TIMEOUT_S * 1000 })
  const not_before = new Date(Date.now() + 3000).toISOString()
  const api = openApi(first.base_url, live_key)
  const tasks = new Map<Phase, Created>()
  for (const name of names) tasks.set(name, await create(api, provider, name, not_before))
  await inPlace(provider)
  await first.server.end('SIGKILL')
  await api[Symbol.asyncDispose]()
  assert.equal(provider.count('/delay'), 0)

  const second = await boot()
  await using again = openApi(second.base_url, live_key)
  const answered = await again.send('POST', `/v1/callbacks/${tasks.get('wait')?.callback_id}`, 'made')
  assert.equal(answered?.status, 200)
  for (const task of tasks.values()) await settledTask(again, task)
  await untilSettled(again)
  for (const [name, task] of tasks) {
    const { status, response, callback_succeeded } = await settledTask(again, task)
    assert.deepEqual([name, status, response, callback_succeeded], [name, 'completed', 'made', true])
    const events = await again.list<EventView>(`/v1/tasks/${task.id}/events`)
    assert.deepEqual([name, ...events.map(({ type }) => type)], [name, 'task.completed'])
    for (const [path, most] of Object.entries(phases[name].most))
      assert.ok(provider.count(path) <= most, `${path} was asked ${provider.count(path)} times`)
    const webhooks = provider.asked.filter(({ path }) => path === `/hook/${name}`)
    assert.equal(new Set(webhooks.map(({ headers }) => headers['webhook-id'])).size, 1)
    assert.equal(webhooks.length, name === 'webhook' ? 2 : 1)
  }
  await stopInOrder(second.server)
})
