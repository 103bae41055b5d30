// The client of the sdk against the API's own document: a method for every route and no other, and on a real server every
// answer, and every callback, is exactly what the document says, so that the types made from it can be believed.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createClient, verifyCallback } from '@ringback/sdk'
import { pino } from 'pino'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { Attempted } from '../../src/engine/report.ts'
import { databaseUrl } from '../support/database.ts'
import { startReceiver } from '../support/receiver.ts'
import { adminKey, startApi } from './start-api.ts'

type Schema = { $ref?: string; allOf?: Schema[]; required?: string[]; properties?: Record<string, Schema> }
type Content = { content?: Record<string, { schema: Schema }> }
type Operation = {
  operationId: string
  responses: Record<string, Content>
  requestBody?: Content & { required?: boolean }
}
type OpenApi = {
  paths: Record<string, Record<string, Operation>>
  webhooks: { callback: { post: Operation } }
  components: { schemas: Record<string, Schema> }
}

/** Calls every function in `methods`, with `id` wherever an argument may stand in the path. */
async function callAll(methods: object, id: string): Promise<void> {
  for (const method of Object.values(methods)) {
    if (typeof method === 'function') await (method as (...args: unknown[]) => Promise<unknown>)(id, id)
    else await callAll(method as object, id)
  }
}

/** Makes the check that a value has what a schema of the document asks for, and no member that it does not name. */
function checkOf(schema: Schema, { schemas }: OpenApi['components']): (value: unknown, what: string) => void {
  const named = (part: Schema) => (part.$ref === undefined ? part : schemas[part.$ref.split('/').at(-1)!]!)
  const joined = (parts: Schema[]) => ({
    type: 'object',
    required: parts.flatMap(({ required = [] }) => required),
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)) as Schema['properties'],
  })
  const closed = JSON.stringify(schema, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value
    const part = named(value)
    const whole = part.allOf === undefined ? part : joined(part.allOf.map(named))
    return whole.properties === undefined ? whole : { additionalProperties: false, ...whole }
  })
  const validator = Compile(JSON.parse(closed) as TSchema)
  return (value, what) => assert.deepEqual(validator.Errors(value), [], what)
}

/** A `fetch` that holds every answer against the document; `called` collects the operations. */
function createCheckedFetch({ paths, components }: OpenApi, called: Set<string>): typeof fetch {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      line: new RegExp(`^${method} ${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`, 'i'),
      ...operation,
    })),
  )
  return async (input, init) => {
    const request = new Request(input, init)
    const line = `${request.method} ${new URL(request.url).pathname}`
    const operation = operations.find((each) => each.line.test(line))
    assert.ok(operation, `${line} is not in the document`)
    called.add(operation.operationId)
    const response = await fetch(request)
    const documented = operation.responses[String(response.status)]
    const text = await response.clone().text()
    assert.ok(documented, `${line} answers ${response.status} ${text}`)
    const schema = documented.content?.['application/json']?.schema
    if (schema === undefined) assert.equal(text, '', line)
    else checkOf(schema, components)(JSON.parse(text), line)
    return response
  }
}

/** The whole program on a free port; `attempts` are those it has made. */
async function startServer(t: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'ringback-sdk-'))
  const { config } = readConfig({ port: '0', data, 'egress-allow': '127.0.0.0/8' }, {})
  const attempts: Attempted[] = []
  const changed = new EventEmitter()
  const app = await createApp({
    config: { ...config, admin_key: adminKey, database_url: await databaseUrl(data) },
    secret_key: new Uint8Array(32),
    public_url: 'http://127.0.0.1',
    log: pino({ level: 'silent' }),
    onAttempt(attempted) {
      attempts.push(attempted)
      changed.emit('attempt')
    },
  })
  const { port } = await app.start()
  t.after(async () => {
    await app.stop()
    await rm(data, { recursive: true, force: true })
  })
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    /** Resolves with the id of the delivery of a task's event once it was tried. */
    tried: async ({ id }: { id: string }, sequence = 1): Promise<string> => {
      for (;;) {
        const found = attempts.find(
          ({ delivery }) => delivery.task_id === id && delivery.sequence === sequence,
        )
        if (found !== undefined) return found.delivery.id
        await once(changed, 'attempt', { signal: AbortSignal.timeout(10_000) })
      }
    },
  }
}

test('the client has a method for every route of the document, and no other', async (t) => {
  const { call } = await startApi(t)
  const { body } = await call('GET', '/openapi.json', { key: null })
  const documented = Object.entries((body as unknown as OpenApi).paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, 'X')}`),
    )

  const called: string[] = []
  const client = createClient({
    baseUrl: 'http://ringback.test',
    key: 'rb_test_key',
    async fetch(input, init) {
      const { method, url } = new Request(input, init)
      called.push(`${method} ${new URL(url).pathname}`)
      return Response.json({})
    },
  })
  await callAll(client, 'X')
  assert.deepEqual(called.toSorted(), documented.toSorted())
})

test('the document asks for a body only where one has to be', async (t) => {
  const { call } = await startApi(t)
  const { paths } = (await call('GET', '/openapi.json', { key: null })).body as unknown as OpenApi
  const needing = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .filter(({ requestBody }) => requestBody?.required === true)
    .map(({ operationId }) => operationId)
  assert.deepEqual(needing.toSorted(), [
    'auditTask',
    'completeTask',
    'createProject',
    'createToken',
    'editTask',
    'failTask',
    'resolveCallback',
    'rotateSecret',
  ])
})

test('every answer and every callback is what the document says', async (t) => {
  const { baseUrl, tried } = await startServer(t)
  const document = (await (await fetch(`${baseUrl}/openapi.json`)).json()) as OpenApi
  const called = new Set<string>()
  const checkedFetch = createCheckedFetch(document, called)

  // Administration, then everything else with the key of the project that it made.
  const { admin } = createClient({ baseUrl, key: adminKey, fetch: checkedFetch })
  const { project, credentials } = await admin.createProject({ name: 'sdk' })
  const { id: keyId, key } = await admin.createKey(project.id, { mode: 'live' })
  await admin.listProjects()
  await admin.listKeys(project.id)
  await admin.resealSecrets()
  await admin.listAudits({ project: project.id, act: 'key.create' })
  const { tasks, deliveries, arrivals, inbound, ...client } = createClient({
    baseUrl,
    key,
    fetch: checkedFetch,
  })

  const { schema } = document.webhooks.callback.post.requestBody!.content!['application/json']!
  const checkCallback = checkOf(schema, document.components)
  const events: string[] = []
  const problems: unknown[] = []
  await using receiver = await startReceiver(({ headers }, response, body) => {
    try {
      const event = verifyCallback(headers, body, credentials.signing_secret)
      checkCallback(event, event.type)
      events.push(event.type)
      response.writeHead(event.task.metadata['refuse'] === true ? 500 : 200).end('heard')
    } catch (problem) {
      problems.push(problem)
      response.writeHead(410).end()
    }
  })
  const operator = createClient({ baseUrl, key: credentials.operator_key, fetch: checkedFetch })
  await operator.project.rotateSecret({ which: 'signing', grace_s: 600 })
  await operator.project.secrets()
  await client.project.get()
  await client.project.update({ default_callback_url: receiver.url, expires_in_s: 3600 })

  // One task through all that can happen to it.
  const task = await tasks.create({ params: { n: [1.5, null] }, metadata: { of: 'sdk' }, unique_id: 'one' })
  await tasks.start(task.id)
  await tasks.suspend(task.id, { reason: 'lunch' })
  await tasks.resume(task.id)
  const { callback_id } = await tasks.await(task.id, { expires_in_s: 60 })
  await inbound.resolve(callback_id, { label: 'cat' })
  await tasks.edit(task.id, { response: ['dog'] })
  await tasks.audit(task.id, { verdict: 'fixed', comments: 'a fox', response: 'fox' })
  await tasks.recall(task.id, { reason: 'again' })
  await tasks.fail(task.id, { error: { message: 'no', code: 'E1', details: { line: 7 } } })
  await tasks.restart(task.id)
  await tasks.complete(task.id, { response: null })
  const last = await tried(task, 7)
  await tasks.get(task.id, { wait: 1 })
  await tasks.list({ unique_id: 'one', callback_succeeded: true })
  await tasks.events(task.id)
  await tasks.deliveries(task.id)
  await tasks.arrivals(task.id)
  await tasks.resend(task.id)
  await deliveries.resend(last)
  await tasks.cancel((await tasks.create()).id, { reason: 'no need' })
  await tasks.expire((await tasks.create()).id)

  // A delivery that fails, and is given up.
  const refused = await tasks.create({ metadata: { refuse: true } })
  await tasks.fail(refused.id, { error: { message: 'no' }, during: 'setup' })
  const failing = await tried(refused)
  const { attempts, plan } = await deliveries.get(failing)
  assert.deepEqual([attempts.length, attempts[0]?.response_body, plan.length], [1, 'heard', 20])
  await deliveries.list({ task_id: refused.id, event: 'task.errored' })
  await deliveries.cancel(failing)
  assert.equal((await deliveries.replay({ state: 'canceled', dry_run: true })).count, 1)
  const replay = await deliveries.replay({ state: 'canceled', to: '2020-01-01T00:00:00Z' })
  assert.deepEqual(await client.replays.get(replay.id!).then(({ state, count }) => [state, count]), [
    'done',
    0,
  ])

  const [destination] = (await client.destinations.list()).data
  assert.ok(destination)
  const paused = await client.destinations.pause(destination.id)
  assert.deepEqual([paused.state, paused.pause_reason], ['paused', 'operator'])
  assert.equal((await client.destinations.resume(destination.id)).state, 'active')

  // A request that came too early, and is applied by hand.
  const early = await tasks.create()
  await tasks.start(early.id)
  await fetch(`${baseUrl}/v1/callbacks/${early.callback_id}`, { method: 'POST', body: '{"label":"cat"}' })
  const [arrival] = (await tasks.arrivals(early.id)).data
  assert.equal(arrival?.verdict, 'early')
  await arrivals.apply(arrival.id)
  await tried(early)

  // A task that something is called for, with a key out of the vault.
  await using provider = await startReceiver(({ headers }, response) => {
    response.writeHead(headers.authorization === 'Key k' ? 200 : 401).end('{"label":"fox"}')
  })
  const token = await client.tokens.create({ name: 'provider', value: 'Key k' })
  assert.equal((await client.tokens.list()).data[0]?.id, token.id)
  const asked = await tasks.create({
    request: { url: provider.url, headers: { authorization: token.id }, body: { image: 'fox.png' } },
    poll: {
      provider: 'replicate',
      url_template: `${provider.url}/{startResult.body.label}`,
      status_path: 'label',
      done_values: ['fox'],
      interval_s: 1,
      result_path: 'label',
    },
    resolve: { provider: 'replicate' },
    not_before: '2020-01-01T00:00:00Z',
  })
  await tried(asked)
  assert.equal((await tasks.get(asked.id)).response, 'fox')
  const made = (await tasks.attempts(asked.id)).data
  assert.deepEqual(
    made.map(({ step, number, status }) => [step, number, status]),
    [
      ['request', 1, 200],
      ['poll', 2, 200],
    ],
  )
  assert.ok((await client.tokens.revoke(token.id)).revoked_at >= token.created_at)

  await admin.revokeKey(project.id, keyId)
  const documented = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  assert.deepEqual([...called].toSorted(), documented.toSorted())
  assert.deepEqual(problems, [])
  assert.deepEqual(
    events.filter((type) => type.startsWith('task.audit') || type === 'task.errored'),
    ['task.audit.fixed', 'task.errored'],
  )
})
