// What a tenant has: one of everything that its dialect knows, made over the wire by its own keys, every text of it with the
// tenant's mark. What is found of the mark elsewhere has crossed a border.
import assert from 'node:assert/strict'
import { categorization } from '../dialects/scale-platform.ts'
import { imageRecord, jsonLines } from '../dialects/stardust-writing.ts'
import type { Answer } from '../http/start-api.ts'
import type { Mode } from '../../src/domain/project.ts'
import type { Caller, Tenancy, Tenant } from './tenancy-world.ts'

/** The ids of what a tenant has in a mode, by what they name. */
export type Belongings = {
  tenant: Tenant
  mode: Mode
  mark: string
  ids: Record<string, string[]>
}

/** The mark of whom nobody has as many jobs as, where they are numbered from 1 on for everybody. */
export const ALIVE = 'vic-alive1'
const FEW = 3

/** A number that only this tenant has a project of, where projects are numbers. */
const numberOf = (mark: string): number => Number.parseInt(Buffer.from(mark).toString('hex').slice(-10), 16)

/** The UUID of an app that only this tenant uses, where any is one. */
const appOf = (mark: string): string =>
  `9a3c2f44-58c1-4c1e-bb0d-${Buffer.from(mark.padStart(6)).toString('hex').slice(-12)}`

async function ask(caller: Caller, method: string, path: string, json?: unknown): Promise<Answer['body']> {
  const { status, text, body } = await caller.call(method, path, { json })
  assert.ok(status < 300, `${caller.name}: ${method} ${path} ${status} ${text}`)
  return body
}

const listed = async (caller: Caller, path: string) => (await ask(caller, 'GET', path)).data

/** Lets the call of a task be made and answered, after which nothing moves the task by itself. */
async function letAnswer({ world, operator }: Furnishing, id: string): Promise<void> {
  const answered = async () => {
    while ((await ask(operator, 'GET', `/v1/tasks/${id}`))['status'] !== 'completed');
  }
  await world.clock.advanceUntil(answered())
}

/** Fills a tenant's mode. Marks have ten characters, of which the last six are the tenant's own. */
export async function furnish(world: Tenancy, tenant: Tenant, mode: Mode, mark: string): Promise<Belongings> {
  const ids: Belongings['ids'] = {}
  const add = (kind: string, ...more: unknown[]) =>
    void (ids[kind] = [...(ids[kind] ?? []), ...more.map((id) => String(id))])
  const customer = tenant.customer[mode]
  const operator = tenant.operator[mode]
  const furnishing: Furnishing = { world, customer, operator, mark, hook: `${world.origin}/${mark}`, add }
  await front[tenant.dialect](furnishing)
  await world.rowsOf(tenant, mode)

  const tasks = await listed(operator, '/v1/tasks?limit=100')
  const open = tasks.find(
    ({ status }) => status === 'waiting' || status === 'pending' || status === 'processing',
  )
  if (open !== undefined) {
    const { callback_id } = await ask(operator, 'POST', `/v1/tasks/${open.id}/await`)
    await world.request('POST', `/v1/callbacks/${callback_id}`, { raw: `{"broken ${mark}` })
    add('callback', callback_id)
    add('arrival', ...(await listed(operator, `/v1/tasks/${open.id}/arrivals`)).map(({ id }) => id))
  }
  add('token', (await ask(operator, 'POST', '/v1/tokens', { name: mark, value: `Bearer ${mark}` })).id)
  // A replay is of what was before it.
  world.clock.advance(1)
  for (const state of ['delivered', 'failed']) {
    const { id } = await ask(operator, 'POST', '/v1/deliveries/replay', { state })
    const done = async () => {
      while ((await ask(operator, 'GET', `/v1/replays/${id}`))['state'] !== 'done');
    }
    await world.clock.advanceUntil(done())
    add('replay', id)
  }
  // What calls out first has its callbacks only when that is done.
  const told = async () => {
    while ((await listed(operator, '/v1/deliveries?limit=1')).length === 0);
  }
  await world.clock.advanceUntil(told())
  await world.rowsOf(tenant, mode)

  const deliveries = await listed(operator, '/v1/deliveries?limit=100')
  // Numbers from 1 on everybody has.
  for (const { id, external_id } of tasks)
    add('task', id, ...(typeof external_id === 'string' && external_id.length > 6 ? [external_id] : []))
  add('delivery', ...deliveries.map(({ id }) => id))
  add('destination', ...(await listed(operator, '/v1/destinations')).map(({ id }) => id))
  for (const list of ['tasks', 'deliveries'])
    add('cursor', (await ask(operator, 'GET', `/v1/${list}?limit=1`)).next_cursor)
  add('unique_id', ...tasks.flatMap(({ unique_id }) => unique_id ?? []))
  add('project', tenant.project_id)
  return { tenant, mode, mark, ids }
}

type Furnishing = {
  world: Tenancy
  customer: Caller
  operator: Caller
  mark: string
  hook: string
  add: (kind: string, ...ids: unknown[]) => void
}

/** Verbs that bring a new native task into each state. */
const lives: Record<string, [verb: string, json?: unknown][]> = {
  waiting: [],
  processing: [['start']],
  completed: [
    ['complete', { response: 1 }],
    ['edit', { response: 2 }],
    ['audit', { verdict: 'approved' }],
  ],
  failed: [['fail', { error: { message: 'no' } }]],
  canceled: [['cancel']],
  expired: [['expire']],
  suspended: [['suspend']],
  pending: [['cancel'], ['restart']],
}

const front: Record<Tenant['dialect'], (furnishing: Furnishing) => Promise<void>> = {
  async native(furnishing) {
    const { customer, mark, hook } = furnishing
    for (const [state, verbs] of Object.entries(lives)) {
      const { status, body, text } = await customer.call('POST', '/v1/tasks', {
        headers: { 'idempotency-key': `${mark}-${state}` },
        json: {
          type: mark,
          params: { mark },
          metadata: { mark },
          unique_id: `${mark}-${state}`,
          callback_url: `${hook}/${{ failed: 'gone', canceled: 'failing' }[state] ?? 'good'}`,
        },
      })
      assert.equal(status, 201, text)
      for (const [verb, json] of verbs) await ask(customer, 'POST', `/v1/tasks/${body.id}/${verb}`, json)
    }
    const request = { url: `${hook}/target`, body: { mark } }
    const { id } = await ask(customer, 'POST', '/v1/tasks', { type: mark, request, callback_url: hook })
    await letAnswer(furnishing, id)
  },

  async scale({ customer, operator, mark, hook, add }) {
    const v1 = '/scale/v1'
    await ask(customer, 'POST', `${v1}/projects`, { name: mark, type: 'categorization' })
    await ask(customer, 'POST', `${v1}/batches`, { name: mark, project: mark, callback: hook })
    const tasks: Answer['body'][] = []
    for (const state of ['open', 'done', 'canceled']) {
      const json = {
        ...categorization,
        attachment: mark,
        callback_url: `${hook}/${state === 'done' ? 'good' : 'gone'}`,
        project: mark,
        batch: mark,
        tags: [mark],
        metadata: { mark },
        unique_id: `${mark}-${state}`,
      }
      tasks.push(await ask(customer, 'POST', `${v1}/task/categorization`, json))
    }
    if (customer.mode === 'live') {
      const [, done, canceled] = tasks.map(({ task_id }) => String(task_id))
      await ask(operator, 'POST', `/v1/tasks/${done}/complete`, { response: { mark } })
      await ask(customer, 'POST', `${v1}/task/${canceled}/cancel`)
    }
    add('scale task', ...tasks.map(({ task_id }) => task_id))
    const form = [
      '--x',
      `content-disposition: form-data; name="file"; filename="${mark}.txt"`,
      'content-type: text/plain',
      '',
      mark,
      '--x--',
      '',
    ]
    const uploaded = await customer.call('POST', `${v1}/files/upload`, {
      raw: form.join('\r\n'),
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    })
    assert.equal(uploaded.status, 200, uploaded.text)
    add('scale name', mark)
    add('scale file', uploaded.body.id)
  },

  async stardust({ world, customer, operator, mark, hook, add }) {
    const root = '/stardust/rosetta-open'
    const projectId = numberOf(mark)
    const resourceUrl = world.files.put(
      `/${mark}.jsonl`,
      jsonLines(['open', 'done'].map((state) => imageRecord(`${mark}-${state}`, `${hook}/${state}`))),
    )
    const post = async (path: string, json?: unknown) =>
      (await ask(customer, 'POST', root + path, json))['data'] as unknown as Record<string, unknown>
    const { batchId } = await post('/task/send', { projectId, resourceUrl })
    while ((await post('/task/send/status', { batchId }))['status'] !== 3)
      await new Promise((resolve) => setImmediate(resolve))
    const project = { name: mark, dataType: 2, deadline: '2030-06-01', operators: [{ mark }] }
    add('stardust project', projectId, (await post('/project/create', project))['projectId'])
    add('stardust batch', batchId)
    const tasks = (await listed(operator, '/v1/tasks')).map(({ external_id }) => String(external_id))
    add('stardust task', ...tasks)
    await ask(operator, 'POST', `/v1/tasks/${tasks[0]}/complete`, { response: { annotations: [mark] } })
  },

  async superai({ customer, operator, mark, hook, add }) {
    const app = appOf(mark)
    const v1 = '/superai/v1'
    const count = mark === ALIVE ? FEW + 2 : FEW
    const { batch_id } = await ask(customer, 'POST', `${v1}/apps/${app}/jobs`, {
      inputs: Array.from({ length: count }, () => ({ mark })),
      metadata: { mark },
      tags: [mark],
      callbackUrl: `${hook}/`,
    })
    const jobs = await listed(operator, '/v1/tasks')
    await ask(operator, 'POST', `/v1/tasks/${jobs[1]?.id}/complete`, { response: { mark } })
    for (let i = 1; i <= count; i++) {
      const { operationId } = await ask(customer, 'POST', `${v1}/apps/${app}/job_responses`)
      const link = await ask(customer, 'POST', `${v1}/operations/${app}/${String(operationId)}/download-url`)
      if (i > FEW) add('superai operation', operationId)
      add('superai download', String(link['downloadUrl']).split('/').at(-1))
    }
    add('superai app', app)
    add('superai batch', batch_id)
    add('superai job', ...jobs.flatMap(({ id, external_id: n }) => (Number(n) > FEW ? [id, n] : [id])))
  },

  async asyncqueue(furnishing) {
    const { world, customer, operator, mark, hook, add } = furnishing
    const v1 = '/asyncqueue/v1'
    const create = (json: object) =>
      ask(customer, 'POST', `${v1}/tasks`, {
        targetUrl: `${hook}/target`,
        body: mark,
        onCompleteUrl: hook,
        ...json,
      })
    const { task } = await create({})
    await letAnswer(furnishing, (task as { id: string }).id)
    await create({ delayUntil: new Date(world.clock.now() + 86_400_000).toISOString() })
    const waiting = await create({ waitForSignal: true, maxWaitTime: 604_800 })
    add('asyncqueue signal', waiting['signalToken'])
    const { token } = await ask(customer, 'POST', `${v1}/tokens`, { name: mark, value: mark })
    add('asyncqueue token', (token as { id: string }).id)
    const made = await ask(operator, 'POST', `/asyncqueue/teams/${customer.project_id}/apikeys`, {
      name: mark,
    })
    add('asyncqueue key', (made['apiKey'] as { id: string }).id)
  },
}
