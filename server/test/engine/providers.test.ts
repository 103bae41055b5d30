// Each provider that we know, played by a real server at its own paths: all that can go well or wrong between a request and the
// response, by poll, by callback, and by both at once.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import type { Task } from '../../src/domain/task.ts'
import { fillTemplates } from '../../src/domain/template.ts'
import { providers, type Provider } from '../../src/providers/index.ts'
import { reached, startProvider, type Asked, type Reply } from '../support/calls.ts'
import { startPlatform } from '../support/platform.ts'

type Platform = Awaited<ReturnType<typeof startPlatform>>
type Stage = Awaited<ReturnType<typeof setStage>>

/** An object with a value at a dotted path. */
const at = (path: string, value: unknown): unknown =>
  path === '' ? value : path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value)

// Of the clock: providers are polled every few seconds.
// So long that a lease outlasts what a slow machine makes of such steps.
const TIMEOUT_S = 300
const STEP_MS = 200
const RUNNING = 'still going'
const RESULT = { url: 'https://files.test/made', seconds: 5.0 }

/** A provider at a server of ours: its template leads there, its paths and words are its own. */
function playing({ poll, resolve }: Provider, url: string, job: string) {
  const started = {
    id: job,
    dubbing_id: job,
    status_url: `${url}/queue/${job}/status`,
    response_url: `${url}/queue/${job}`,
  }
  const here = (template: string) => template.replace(/^https:\/\/[^/]+/, url)
  const pathOf = (template: string) =>
    new URL(fillTemplates([here(template)], JSON.stringify(started))[0] ?? '').pathname
  const has_result = poll.result_url_template !== null
  const result = poll.result_path === '' ? {} : (at(poll.result_path, RESULT) as object)
  const saying = (status: string, more: object = {}) => ({
    ...(at(poll.status_path, status) as object),
    ...more,
  })
  return {
    started,
    status_path: pathOf(poll.url_template),
    result_path: poll.result_url_template === null ? null : pathOf(poll.result_url_template),
    url_template: here(poll.url_template),
    running: { status: 200, body: saying(RUNNING) },
    done: {
      status: 200,
      body: has_result ? saying(poll.done_values[0]!) : saying(poll.done_values[0]!, result),
    },
    failed: {
      status: 200,
      body: saying(
        poll.fail_values.at(-1)!,
        poll.error_path === null ? {} : (at(poll.error_path, 'no GPU') as object),
      ),
    },
    error:
      poll.error_path === null ? `The provider reported the status "${poll.fail_values.at(-1)!}".` : 'no GPU',
    /** What becomes the response of a task that was polled to its end. */
    response: has_result || poll.result_path !== '' ? RESULT : saying(poll.done_values[0]!),
    /** What the meaning of a callback is told by, where that is not known of the provider. */
    meaning:
      resolve === null
        ? {
            status_path: poll.status_path,
            done_values: poll.done_values,
            fail_values: poll.fail_values,
            ignore_values: [RUNNING],
          }
        : resolve,
  }
}

async function setStage(t: TestContext, platform: Platform, provider: Provider, job: string) {
  const server = await startProvider(t, {})
  const played = playing(provider, server.url, job)
  server.script['/start'] = [{ status: 200, body: played.started }]
  if (played.result_path !== null) server.script[played.result_path] = [{ status: 200, body: RESULT }]
  return {
    ...played,
    platform,
    server,
    status: (...replies: Reply[]) => void (server.script[played.status_path] = replies),
    start: (...replies: Reply[]) => void (server.script['/start'] = replies),
    /** A POST to the inbound URL that the provider was told. */
    callBack: ({ body }: Asked, payload: unknown) => {
      const { hook } = JSON.parse(body) as { hook: string }
      return platform.call('POST', new URL(hook).pathname, { key: null, json: payload })
    },
    async create(fields: { told: boolean; max_duration_s?: number; resolve?: unknown }): Promise<Task> {
      const { status, body, text } = await platform.call('POST', '/v1/tasks', {
        json: {
          callback_url: `${platform.receiver_url}/${job}`,
          request: {
            url: `${server.url}/start`,
            timeout_s: TIMEOUT_S,
            body: fields.told ? { hook: '{resolve_url}' } : {},
          },
          poll: {
            provider: provider.id,
            url_template: played.url_template,
            ...(fields.max_duration_s === undefined ? {} : { max_duration_s: fields.max_duration_s }),
          },
          ...(fields.resolve === undefined ? {} : { resolve: fields.resolve }),
        },
      })
      assert.equal(status, 201, text)
      const scope = { project_id: platform.project.id, mode: 'live' as const }
      return (await platform.store.findTask(scope, body.id))!
    },
    reach: (task: Task, ...statuses: Task['status'][]) =>
      platform.clock.advanceUntil(reached(platform, task, ...statuses), STEP_MS),
    requests: (count: number) => platform.clock.advanceUntil(server.requests(count), STEP_MS),
  }
}

const settled = ['completed', 'failed', 'expired', 'canceled'] as const
const answer = (response: ServerResponse, body: unknown) => response.end(JSON.stringify(body))
const verdicts = async ({ platform }: Stage, { id }: Task) =>
  (await platform.call('GET', `/v1/tasks/${id}/arrivals`)).body.data.map(({ verdict }) => verdict)

/** The task as it ended, which was told once. */
async function ended(stage: Stage, task: Task, status: Task['status']): Promise<Task> {
  const end = await stage.reach(task, ...settled)
  assert.equal(end.status, status, end.error ?? '')
  assert.equal(end.event_count, 1)
  return end
}

async function completedByPoll(stage: Stage, task: Task): Promise<void> {
  const { response } = await ended(stage, task, 'completed')
  assert.deepEqual(JSON.parse(response ?? ''), stage.response)
}

const scenarios: Record<string, (stage: Stage) => Promise<void>> = {
  async 'that succeeds is polled to its result'(stage) {
    stage.status(stage.running, stage.done)
    await completedByPoll(stage, await stage.create({ told: false }))
    assert.equal(stage.server.count(stage.status_path), 2)
  },
  async 'that fails, fails the task with its words'(stage) {
    stage.status(stage.running, stage.failed)
    const { error } = await ended(stage, await stage.create({ told: false }), 'failed')
    assert.equal((JSON.parse(error ?? '{}') as { message: string }).message, stage.error)
  },
  async 'that is slow is waited for'(stage) {
    const { promise, resolve } = Promise.withResolvers<ServerResponse>()
    stage.start((response) => resolve(response))
    stage.status(...Array.from({ length: 5 }, () => stage.running), stage.done)
    const task = await stage.create({ told: false })
    const held = await stage.platform.clock.advanceUntil(promise)
    assert.equal((await stage.reach(task, 'processing')).status, 'processing')
    answer(held, stage.started)
    await completedByPoll(stage, task)
    assert.equal(stage.server.count(stage.status_path), 6)
  },
  async 'whose callback is lost is polled all the same'(stage) {
    stage.status(stage.running, stage.done)
    const task = await stage.create({ told: true })
    await completedByPoll(stage, task)
    assert.deepEqual(await verdicts(stage, task), [])
  },
  async 'that calls back before its own answer resolves the task'(stage) {
    const called = Promise.withResolvers<{ status: number }>()
    stage.status(stage.running)
    stage.start((response, asked) => {
      const held = untilHeld(stage)
      stage.callBack(asked, RESULT).then(called.resolve, called.reject)
      void held.then(() => answer(response, stage.started))
    })
    const task = await stage.create({ told: true })
    assert.equal((await stage.platform.clock.advanceUntil(called.promise)).status, 200)
    const { response } = await ended(stage, task, 'completed')
    assert.deepEqual(JSON.parse(response ?? ''), RESULT)
    assert.deepEqual(await verdicts(stage, task), ['resolved'])
  },
  async 'that calls back twice resolves the task once'(stage) {
    stage.status(stage.running)
    const task = await stage.create({ told: true })
    await stage.reach(task, 'polling')
    const [asked] = stage.server.asked as [Asked]
    const answers = [await stage.callBack(asked, RESULT), await stage.callBack(asked, { late: true })]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 404],
    )
    await ended(stage, task, 'completed')
    assert.deepEqual(await verdicts(stage, task), ['resolved', 'repeated'])
    const polls = stage.server.count(stage.status_path)
    stage.platform.clock.advance(60_000)
    assert.equal(stage.server.count(stage.status_path), polls)
  },
  async 'that reports progress is heard, and ends the task by its last word'(stage) {
    stage.status(stage.running)
    const { status_path, ignore_values, done_values } = stage.meaning
    const task = await stage.create({ told: true, resolve: stage.meaning })
    await stage.reach(task, 'polling')
    const [asked] = stage.server.asked as [Asked]
    const say = (status: string) =>
      stage.callBack(asked, { ...(at(status_path, status) as object), payload: RESULT })
    for (const { status } of [await say(ignore_values[0]!), await say(ignore_values[0]!)])
      assert.equal(status, 200)
    assert.equal((await say('never heard of')).status, 422)
    assert.equal((await say(done_values[0]!)).status, 200)
    const { response } = await ended(stage, task, 'completed')
    assert.deepEqual((JSON.parse(response ?? '') as { payload: unknown }).payload, RESULT)
    assert.deepEqual(await verdicts(stage, task), ['progress', 'progress', 'invalid', 'resolved'])
  },
  async 'that reports its failure by callback fails the task, if it was asked to'(stage) {
    stage.status(stage.running)
    const { status_path, fail_values } = stage.meaning
    const task = await stage.create({ told: true, resolve: stage.meaning })
    await stage.reach(task, 'polling')
    const [asked] = stage.server.asked as [Asked]
    assert.equal((await stage.callBack(asked, at(status_path, fail_values[0]!))).status, 200)
    await ended(stage, task, 'failed')
  },
  async 'that has troubles of its own is asked again'(stage) {
    stage.start({ status: 503 }, { status: 500 }, { status: 200, body: stage.started })
    stage.status({ status: 500 }, { status: 502 }, stage.running, { status: 429 }, stage.done)
    await completedByPoll(stage, await stage.create({ told: false }))
    assert.deepEqual([stage.server.count('/start'), stage.server.count(stage.status_path)], [3, 5])
  },
  async 'that never ends has its time, and the task expires'(stage) {
    stage.status(stage.running)
    const task = await stage.create({ told: true, max_duration_s: 25 })
    const { created_at, completed_at } = await ended(stage, task, 'expired')
    assert.ok(completed_at! - created_at >= 25_000)
    const [asked] = stage.server.asked as [Asked]
    assert.equal((await stage.callBack(asked, RESULT)).status, 404)
  },
}

/** Resolves when the next request to an inbound URL waits for the answer to its task's own request. */
async function untilHeld({ platform }: Stage): Promise<void> {
  const before = platform.lookups()
  while (platform.lookups() === before) await new Promise(setImmediate)
}

for (const provider of providers) {
  test(provider.name, async (t) => {
    const platform = await startPlatform(t, 'native')
    let job = 0
    for (const [name, play] of Object.entries(scenarios)) {
      await t.test(`one ${name}`, async (t) => play(await setStage(t, platform, provider, `job-${++job}`)))
    }
  })
}
