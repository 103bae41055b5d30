// What tenants have in common without knowing of each other: the same names, keys of idempotency, receivers and numbers. Each has
// his own, and nothing that one does with it is felt by another, nor by his own other mode.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminKey } from '../http/start-api.ts'
import { furnish } from './tenancy-belongings.ts'
import { dialectNames, startTenancy, type Caller, type Tenancy, type Tenant } from './tenancy-world.ts'

// So many failures in a row (docs/operating.md).
const OPENS_BREAKER = 10

/** Two projects of a dialect, and who calls for them: another project, the first, and the first's other mode. */
async function startTwo(world: Tenancy, dialect: Tenant['dialect'] = 'native') {
  const [one, other] = [await world.createTenant(dialect, 'one'), await world.createTenant(dialect, 'other')]
  return { one, other, callers: [one.customer.live, one.customer.test, other.customer.live] }
}

const create = async (caller: Caller, json: object = {}) => {
  const { status, body, text } = await caller.call('POST', '/v1/tasks', { json })
  assert.equal(status, 201, text)
  return body
}

const complete = (caller: Caller, id: string) =>
  caller.call('POST', `/v1/tasks/${id}/complete`, { json: { response: 1 } })

test('one idempotency key with one body makes an object for each project and mode', async (t) => {
  const world = await startTenancy(t)
  const { callers } = await startTwo(world)
  const requests: [path: string, json: object][] = [
    ['/v1/tasks', { type: 'same' }],
    ['/v1/tokens', { name: 'same', value: 'same' }],
    ['/v1/deliveries/replay', {}],
  ]
  for (const [i, [path, json]] of requests.entries()) {
    const headers = { 'idempotency-key': `same-${i}` }
    const first = []
    for (const caller of callers) {
      const { status, headers: answered, body } = await caller.call('POST', path, { json, headers })
      assert.ok(status < 300)
      assert.equal(answered.get('idempotent-replayed'), null, `${caller.name}: ${path}`)
      first.push(body.id)
    }
    assert.equal(new Set(first).size, 3)
    for (const [j, caller] of callers.entries()) {
      const { headers: answered, body } = await caller.call('POST', path, { json, headers })
      assert.deepEqual([answered.get('idempotent-replayed'), body.id], ['true', first[j]])
    }
  }
})

test('one unique_id and one idempotency key of Scale’s customers are free for each project and mode', async (t) => {
  const world = await startTenancy(t)
  const { callers } = await startTwo(world, 'scale')
  const json = {
    instruction: 'Ripe?',
    attachment_type: 'text',
    attachment: 'pear',
    categories: ['a', 'b'],
    callback_url: `${world.origin}/scale`,
    unique_id: 'same',
  }
  const init = { json, headers: { 'idempotency-key': 'same' } }
  for (const caller of callers)
    assert.equal((await caller.call('POST', '/scale/v1/task/categorization', init)).status, 200, caller.name)
  for (const caller of callers)
    assert.equal((await caller.call('POST', '/scale/v1/task/categorization', init)).status, 409, caller.name)
})

test('a unique_id that another project or mode has is free, and its task is not named', async (t) => {
  const world = await startTenancy(t)
  const { callers } = await startTwo(world)
  const ids = new Map<Caller, string>()
  for (const caller of callers) ids.set(caller, (await create(caller, { unique_id: 'same' })).id)
  for (const caller of callers) {
    const { status, body } = await caller.call('POST', '/v1/tasks', { json: { unique_id: 'same' } })
    assert.deepEqual([status, body['task_id']], [409, ids.get(caller)])
    const { data } = (await caller.call('GET', '/v1/tasks?unique_id=same')).body
    assert.deepEqual(
      data.map(({ id }) => id),
      [ids.get(caller)],
    )
  }
})

test('a receiver that several have is a destination of each: what is paused for one goes on for the others', async (t) => {
  const world = await startTenancy(t)
  const { callers } = await startTwo(world)
  const callback_url = `${world.origin}/shared`
  const destinations = new Map<Caller, string>()
  for (const caller of callers) {
    await complete(caller, (await create(caller, { callback_url })).id)
    const { data } = (await caller.call('GET', '/v1/destinations')).body
    assert.equal(data.length, 1)
    destinations.set(caller, data[0]!.id)
  }
  assert.equal(new Set(destinations.values()).size, 3)
  await world.attempted(3)
  const [one, ...others] = callers as [Caller, Caller, Caller]
  assert.equal((await one.call('POST', `/v1/destinations/${destinations.get(one)}/pause`)).status, 200)
  for (const caller of callers) await complete(caller, (await create(caller, { callback_url })).id)
  await world.attempted(5)
  const states = async (caller: Caller) =>
    (await caller.call('GET', '/v1/deliveries')).body.data.map(({ state }) => state)
  for (const caller of others) {
    assert.deepEqual(await states(caller), ['delivered', 'delivered'])
    const [destination] = (await caller.call('GET', '/v1/destinations')).body.data
    assert.deepEqual([destination?.['state'], destination?.['breaker']], ['active', 'closed'])
  }
  assert.deepEqual(await states(one), ['pending', 'delivered'])
})

test('a breaker that one project’s failures open is closed for the others at the same origin', async (t) => {
  const world = await startTenancy(t)
  const { one, other } = await startTwo(world)
  const opened = async (caller: Caller) =>
    (await caller.call('GET', '/v1/destinations')).body.data.map(({ breaker }) => breaker)
  let attempts = 0
  for (; attempts < OPENS_BREAKER; attempts++) {
    const { id } = await create(one.customer.live, { callback_url: `${world.origin}/failing` })
    await complete(one.customer.live, id)
    await world.attempted(attempts + 1)
  }
  // It is written behind the attempt.
  while ((await opened(one.customer.live))[0] !== 'open');
  for (const caller of [one.customer.test, other.customer.live]) {
    const { id } = await create(caller, { callback_url: `${world.origin}/good` })
    await complete(caller, id)
    await world.attempted(++attempts)
    assert.deepEqual(await opened(caller), ['closed'])
    assert.equal((await caller.call('GET', `/v1/tasks/${id}`)).body['callback_succeeded'], true)
  }
})

test('waiting for a task of another project or mode is answered with 404 at once', async (t) => {
  const world = await startTenancy(t)
  const { one, other } = await startTwo(world)
  const { id } = await create(one.customer.live)
  const looked = world.lookups()
  for (const caller of [one.customer.test, other.customer.live, other.operator.live]) {
    assert.equal((await caller.call('GET', `/v1/tasks/${id}?wait=60`)).status, 404)
  }
  // Who waits looks a second time.
  assert.equal(world.lookups(), looked + 3)
})

test('a replay reaches nothing of another project or mode, whatever its filter names', async (t) => {
  const world = await startTenancy(t)
  const { callers } = await startTwo(world)
  const callback_url = `${world.origin}/gone`
  const [one, ...others] = callers as [Caller, Caller, Caller]
  for (const caller of callers) await complete(caller, (await create(caller, { callback_url })).id)
  await world.attempted(3)
  const destination = (await one.call('GET', '/v1/destinations')).body.data[0]?.id
  const before = await world.rowsOf(one, one.mode)
  // A replay is of what was before it.
  world.clock.advance(1)
  for (const caller of others) {
    for (const [json, count] of [
      [{ destination, dry_run: true }, 0],
      [{ destination }, 0],
      [{ dry_run: true }, 1],
      [{ destination: world.origin }, 1],
    ] as const) {
      const { body, text } = await caller.call('POST', '/v1/deliveries/replay', { json })
      assert.equal(body['count'], count, text)
    }
  }
  await world.clock.advanceUntil(world.attempted(5))
  assert.deepEqual(await world.rowsOf(one, one.mode), before)
})

test('a token of another project or mode is refused in a task’s headers as one that never was', async (t) => {
  const world = await startTenancy(t)
  const { one, other } = await startTwo(world)
  const made = await one.customer.live.call('POST', '/v1/tokens', { json: { name: 'p', value: 'v' } })
  const { id } = made.body
  const using = (caller: Caller, token: string) =>
    caller.call('POST', '/v1/tasks', {
      json: { request: { url: `${world.origin}/target`, headers: { authorization: token } } },
    })
  const nobodys = `tok_${'0'.repeat(32)}`
  for (const caller of [one.customer.test, other.customer.live, other.operator.live]) {
    const [his, unknown] = [await using(caller, id), await using(caller, nobodys)]
    assert.equal(his.status, 400)
    assert.equal(his.text.replaceAll(id, ''), unknown.text.replaceAll(nobodys, ''))
  }
  assert.equal((await using(one.customer.live, id)).status, 201)
})

test('a link to a file of super.AI opens nothing once its project or mode is changed', async (t) => {
  const world = await startTenancy(t)
  const { one, other } = await startTwo(world, 'superai')
  const { ids } = await furnish(world, one, 'live', 'vic-alive1')
  const [token = ''] = ids['superai download'] ?? []
  const [project_id, mode, secret] = token.split('.')
  assert.deepEqual([project_id, mode], [one.project_id, 'live'])
  const status = async (changed: string) =>
    (await world.request('GET', `/superai/v1/downloads/${changed}`)).status
  assert.equal(await status(token), 200)
  for (const changed of [`${other.project_id}.live.${secret}`, `${project_id}.test.${secret}`, `..${secret}`])
    assert.equal(await status(changed), 404)
})

test('an administrator’s request for a key of another project than its path names finds none', async (t) => {
  const world = await startTenancy(t)
  const { one, other } = await startTwo(world)
  const keysOf = async ({ project_id }: Tenant) =>
    (await world.call('GET', `/v1/admin/projects/${project_id}/keys`, { key: adminKey })).body.data
  const [key] = await keysOf(one)
  const path = `/v1/admin/projects/${other.project_id}/keys/${key?.id}`
  assert.equal((await world.call('DELETE', path, { key: adminKey })).status, 404)
  assert.equal((await keysOf(one)).length, 4)
})

test('no metric names a project, or anything that a project has chosen', async (t) => {
  const world = await startTenancy(t)
  const words: string[] = []
  for (const [i, dialect] of dialectNames.entries()) {
    const tenant = await world.createTenant(dialect, `Named & Sons ${i}`)
    const { ids, mark } = await furnish(world, tenant, 'live', `metric-${i}00`)
    words.push(mark, `Named & Sons ${i}`, world.origin, ...Object.values(tenant.credentials))
    words.push(...Object.values(ids).flatMap((each) => each.filter((id) => id.length > 6)))
  }
  const { status, text } = await world.call('GET', '/metrics')
  assert.equal(status, 200)
  assert.match(text, /ringback_attempts_total\{outcome="delivered"\}/)
  for (const word of words) assert.ok(!text.includes(word), word)
  const labels = new Set(Array.from(text.matchAll(/(\w+)="[^"]*"/g), ([, label]) => label))
  // Each of these has a few words of ours.
  assert.deepEqual(
    [...labels].filter((label) => !['le', 'outcome', 'state', 'step', 'what'].includes(label ?? '')),
    [],
  )
})
