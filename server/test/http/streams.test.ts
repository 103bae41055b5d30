// Lists of the platforms that are sent while they are read: how many a project may leave unread, and what becomes of them when they fail.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Task } from '../../src/domain/task.ts'
import { newTask } from '../support/store.ts'
import { signed } from '../dialects/stardust-writing.ts'
import { startApi } from './start-api.ts'

const app = '9a3c2f44-58c1-4c1e-bb0d-7d1a6a0e4f21'
// Four MiB are counted of each, and 64 of a project may be unread.
const AT_ONCE = 16

/** An API whose lists have a task twice, a large one; the second is not there until the test says so, or fails. */
async function start(t: TestContext, dialect: string) {
  let task: Task | undefined
  const second = Promise.withResolvers<void>()
  const allWait = Promise.withResolvers<void>()
  let waiting = 0
  const api = await startApi(
    t,
    {},
    {
      dialect,
      wrapStore: (store) => ({
        ...store,
        createTask(input) {
          task = input.task
          return store.createTask(input)
        },
        async findTasks(_scope, _filter, { goes_on = false }) {
          if (goes_on) {
            if (++waiting === AT_ONCE) allWait.resolve()
            await second.promise
          }
          const response = JSON.stringify({ annotations: ['x'.repeat(1_500_000)] })
          return {
            rows: [{ ...(task ?? newTask(api.project)), params: response, response }],
            has_more: !goes_on,
          }
        },
      }),
    },
  )
  return { ...api, second, allWait: allWait.promise }
}

const messageOf = (text: string) => (JSON.parse(text) as { message: string }).message

test('a project has so many unread exports at a time, where they are asked for by POST, too', async (t) => {
  const { call, credentials, clock, second, allWait } = await start(t, 'stardust')
  const { access_key_id: id = '', access_key_secret: secret = '' } = credentials as Record<string, string>
  const headers = signed({ id, secret }, clock.time)
  const exported = () =>
    call('POST', '/stardust/rosetta-open/tasks/export', { key: null, headers, json: { projectId: 1 } })
  const begun = Array.from({ length: AT_ONCE }, exported)
  await allWait
  const refused = await exported()
  assert.equal(refused.status, 503)
  assert.match(messageOf(refused.text), /wait to be read by you/)
  second.resolve()
  for (const { status, text } of await Promise.all(begun)) {
    const { data } = JSON.parse(text) as { data: { annotationResultList: unknown[] } }
    assert.deepEqual([status, data.annotationResultList.length], [200, 2])
  }
})

/** One with super.AI's dialect and a job. */
async function startSuperai(t: TestContext) {
  const api = await start(t, 'superai')
  const headers = { 'api-key': api.credentials.live_key }
  const ask = async (path: string, json?: unknown) =>
    (await api.call('POST', `/superai/v1${path}`, { key: null, headers, json })).text
  await ask(`/apps/${app}/jobs`, { inputs: [{}] })
  return { ...api, ask, headers }
}

test('and where they are fetched by a link without a key; what is said instead is no file', async (t) => {
  const { ask, port, second, allWait } = await startSuperai(t)
  const { operationId } = JSON.parse(await ask(`/apps/${app}/job_responses`)) as { operationId: number }
  const { downloadUrl } = JSON.parse(await ask(`/operations/${app}/${operationId}/download-url`)) as {
    downloadUrl: string
  }
  const download = () => fetch(downloadUrl.replace('https://ring.test', `http://127.0.0.1:${port}`))
  const begun = Array.from({ length: AT_ONCE }, download)
  await allWait
  const refused = await download()
  assert.deepEqual(
    [refused.status, refused.headers.get('retry-after'), refused.headers.get('content-disposition')],
    [503, '1', null],
  )
  assert.match(messageOf(await refused.text()), /wait to be read by you/)
  second.resolve()
  for (const answer of await Promise.all(begun)) {
    assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="jobs-1.zip"')
    assert.ok((await answer.arrayBuffer()).byteLength > 0)
  }
})

test('a list that fails when it has begun is broken off, and logged', async (t) => {
  const { port, headers, second, log } = await startSuperai(t)
  const answer = await fetch(`http://127.0.0.1:${port}/superai/v1/apps/${app}/jobs`, { headers })
  assert.equal(answer.status, 200)
  second.reject(new Error('no database'))
  await assert.rejects(answer.text())
  const line = log.lines.find(({ message }) => message === 'request.failed')
  assert.equal(line?.['route'], '/superai/v1/apps/:app/jobs')
  assert.match(String(line['err']), /no database/)
})
