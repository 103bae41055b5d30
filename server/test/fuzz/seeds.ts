// What customers of the dialects send: a valid example of each route's body and query, as data. A route without a line here is
// tried with whatever comes to mind, and shows up in the report as one that never succeeded.
import type { Printable } from '../../src/domain/json.ts'
import { between } from '../crash/random.ts'
import { oneOf } from './odd.ts'
import { idOf, type Source } from './values.ts'

export type Seed = {
  body?: Printable | Buffer
  query?: string
  /** Of the path, where they are not ids of things that exist. */
  params?: Record<string, string>
  headers?: [name: string, value: string][]
  /** With whose key instead of the customer's. */
  as?: 'operator' | 'nobody'
}

/** The app of all jobs. */
export const APP = '9a3c2f44-58c1-4c1e-bb0d-7d1a6a0e4f21'
/** The number of all Stardust tasks' project. */
export const PROJECT = 3184

const BOUNDARY = 'a-boundary'
const upload = Buffer.from(
  `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\nhello\r\n--${BOUNDARY}--\r\n`,
)
const project = { app: APP }
const metadata: Seed = { body: { a: 1, b: { c: 'd' } } }
const tags: Seed = { body: ['red', 'green'] }

const taskOf = ({ random, sink, unique }: Source): [type: string, body: Record<string, Printable>] => {
  const common = {
    callback_url: sink('/ok'),
    unique_id: `u${unique}`,
    instruction: 'Look',
    attachment: sink('/ok'),
    metadata: { a: 1 },
  }
  return oneOf<[type: string, body: Record<string, Printable>]>(random, [
    ['categorization', { ...common, categories: ['a', 'b'] }],
    ['annotation', { ...common, objects_to_annotate: ['box'] }],
    ['textcollection', { ...common, fields: [{ field_id: 'one' }], tags: ['red'] }],
    ['namedentityrecognition', { ...common, text: 'x', labels: ['a'], priority: 3 }],
    ['lidarannotation', common],
  ])
}

const pollConfig = (sink: Source['sink']) => ({
  urlTemplate: sink('/ok?of={startResult.body.id}'),
  statusPath: 'status',
  doneValues: ['COMPLETED'],
  failValues: ['FAILED'],
  interval: 1,
})

/** By the name of the route. */
export const seeds: Readonly<Record<string, (source: Source) => Seed>> = {
  'GET /docs/static/*': () => ({ params: { '*': 'index.html' } }),

  'POST /asyncqueue/v1/tasks': ({ random, sink }) => ({
    body: {
      targetUrl: sink(oneOf(random, ['/ok', '/ok', '/fail'])),
      method: 'POST',
      headers: { 'x-demo': '1' },
      body: '{"a":"{asyncqueue_callback_url}"}',
      onCompleteUrl: sink('/ok'),
      priority: between(random, 1, 10),
      maxWaitTime: 3600,
      ...oneOf(random, [
        { waitForSignal: true },
        {},
        { delayUntil: new Date(Date.now() + 600_000).toISOString() },
        { pollConfig: pollConfig(sink) },
        { provider: 'fal', pollConfig: { urlTemplate: sink('/ok') } },
        { resolve: 'replicate', maxRetries: 1 },
      ]),
    },
  }),
  'GET /asyncqueue/v1/tasks': () => ({ query: 'limit=5&offset=0' }),
  'GET /asyncqueue/v1/tasks/:id': () => ({ query: 'wait=0' }),
  'POST /asyncqueue/v1/tokens': ({ unique }) => ({ body: { name: `n${unique}`, value: 'Bearer abc' } }),
  'POST /asyncqueue/v1/signals/:token': () => ({
    body: { status: 'completed', result: { a: 1 } },
    as: 'nobody',
  }),
  'GET /asyncqueue/v1/providers': () => ({ as: 'nobody' }),
  'POST /asyncqueue/v1/callbacks/:id': () => ({ body: { a: 1 }, as: 'nobody' }),
  'POST /asyncqueue/teams/:teamId/apikeys': ({ unique }) => ({
    body: { name: `n${unique}` },
    as: 'operator',
  }),
  'POST /asyncqueue/apikeys/:keyId/revoke': () => ({ as: 'operator' }),

  ...Object.fromEntries(
    ['POST /scale/v1/task/:type', 'POST /scale/v1/task/:type/'].map((name) => [
      name,
      (source: Source) => {
        const [type, body] = taskOf(source)
        return { params: { type }, body }
      },
    ]),
  ),
  'GET /scale/v1/tasks': () => ({ query: 'limit=5&status=pending' }),
  'POST /scale/v1/task/:id/audit': () => ({ body: { accepted: true, comments: 'Good' } }),
  'GET /scale/v1/audits': (source) => ({ query: `task_id=${idOf(source, 'task')}` }),
  'POST /scale/v1/task/:id/setMetadata': () => metadata,
  'POST /scale/v1/task/:id/unique_id': ({ unique }) => ({ body: { unique_id: `v${unique}` } }),
  'POST /scale/v1/task/:id/tags': () => tags,
  'PUT /scale/v1/task/:id/tags': () => tags,
  'DELETE /scale/v1/task/:id/tags': () => tags,
  'POST /scale/v1/batches': (source) => ({
    body: {
      name: `b${source.unique}`,
      project: idOf(source, 'scale projects'),
      callback: source.sink('/ok'),
      metadata: { a: 1 },
    },
  }),
  'POST /scale/v1/batches/:name/setMetadata': () => metadata,
  'POST /scale/v1/batches/:name/prioritize': () => ({ body: { priority: 3 } }),
  'POST /scale/v1/projects': ({ unique }) => ({
    body: { name: `p${unique}`, type: 'categorization', params: { instruction: 'x' } },
  }),
  'POST /scale/v1/projects/:name/setParams': () => ({ body: { patch: true, instruction: 'y' } }),
  'POST /scale/v1/files/import': ({ sink }) => ({ body: { file_url: sink('/ok') } }),
  'POST /scale/v1/files/upload': () => ({
    body: upload,
    headers: [['content-type', `multipart/form-data; boundary=${BOUNDARY}`]],
  }),

  'POST /stardust/rosetta-open/task/send': ({ sink, unique }) => ({
    body: { projectId: PROJECT, resourceUrl: sink(`/records?${unique}`) },
  }),
  'POST /stardust/rosetta-open/task/send/status': (source) => ({
    body: { batchId: idOf(source, 'batchId') },
  }),
  'POST /stardust/rosetta-open/task/get': (source) => ({
    body: { projectId: PROJECT, taskId: idOf(source, 'taskId') },
  }),
  'POST /stardust/rosetta-open/project/tasks': () => ({ body: { projectId: PROJECT, limit: 20, offset: 1 } }),
  'POST /stardust/rosetta-open/tasks/export': () => ({ body: { projectId: PROJECT } }),
  'POST /stardust/rosetta-open/project/create': ({ unique }) => ({
    body: { name: `p${unique}`, dataType: 2, deadline: '2030-01-01', operators: [{ a: 1 }] },
  }),
  'GET /stardust/rosetta-open/project/get': (source) => ({ query: `projectId=${idOf(source, 'projectId')}` }),

  'POST /superai/v1/apps/:app/jobs': ({ random, sink, unique }) => ({
    params: project,
    body: {
      ...oneOf(random, [
        { inputs: [{ n: 1 }] },
        { inputs: [{ n: 1 }, { n: 2 }], pending: true },
        { inputsFileUrl: sink(`/inputs?${unique}`) },
      ]),
      callbackUrl: sink('/hook/'),
      tags: ['red'],
      metadata: { a: 1 },
    },
  }),
  'GET /superai/v1/apps/:app/jobs': () => ({
    params: project,
    query: 'size=5&statusIn=IN_PROGRESS&statusIn=COMPLETED',
  }),
  'PUT /superai/v1/apps/:app/jobs/tags': (source) => ({
    params: project,
    query: `idSearch=${idOf(source, 'job')}`,
    body: { tags: ['blue'] },
  }),
  'DELETE /superai/v1/apps/:app/jobs/tags': (source) => ({
    params: project,
    query: `idSearch=${idOf(source, 'job')}`,
    body: { tags: ['blue'] },
  }),
  'GET /superai/v1/apps/:app/batches': () => ({ params: project, query: 'page=0&size=5' }),
  'GET /superai/v1/apps/:app/batches/:batch': () => ({ params: project }),
  'POST /superai/v1/apps/:app/job_responses': () => ({ params: project, query: 'statusIn=COMPLETED' }),
  'GET /superai/v1/operations/:app/:operation': () => ({ params: project }),
  'POST /superai/v1/operations/:app/:operation/download-url': () => ({
    params: project,
    query: 'secondsTtl=60',
  }),
  'PATCH /superai/v1/jobs/:job/review': ({ random }) => ({
    body: oneOf(random, [{ correct: true }, { correct: false }, { response: { a: 1 } }]),
  }),
  'GET /superai/v1/downloads/:token': () => ({ as: 'nobody' }),
}
