// Tenants side by side: with keys of another project, or of the other mode, every place of every route that takes an id answers to
// a tenant's own as to one that never was, tells nothing of him, and changes nothing that is his.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mode } from '../../src/domain/project.ts'
import { ALIVE, furnish, type Belongings } from './tenancy-belongings.ts'
import { placesOf, strangerOf, told, type Place } from './tenancy-routes.ts'
import { dialectNames, startTenancy, type Caller, type Tenancy, type Tenant } from './tenancy-world.ts'

/** The other callers, from the point of view of a tenant's mode. */
type Others = { victim: Belongings; callers: readonly Caller[]; own: (caller: Caller) => Belongings }

/** Fails if an answer tells anything of what a tenant has, but for what the request has named itself. */
function assertTellsNothing(text: string, { mark, ids }: Belongings, asked: Asked, where: string): void {
  const said = text.replaceAll(asked.id, '')
  assert.ok(!said.includes(mark), `${where} tells of the mark: ${text}`)
  for (const [kind, each] of Object.entries(ids)) {
    // Short numbers and the project that both modes have are no secret.
    if (kind === 'project') continue
    for (const id of each)
      if (id.length > 6 && !asked.request.includes(id))
        assert.ok(!said.includes(id), `${where} tells of ${kind} ${id}`)
  }
}

type Asked = { id: string; request: string }

async function walk(places: Place[], { victim, callers, own }: Others): Promise<number> {
  let asked = 0
  for (const place of places) {
    const ids = place.kind === 'mark' ? [victim.mark] : (victim.ids[place.kind] ?? [])
    const route = `${place.method} ${place.dialect} ${place.path}`
    let isReached = false
    for (const caller of callers) {
      // Both modes are of one project.
      if (place.kind === 'project' && caller.project_id === victim.tenant.project_id) continue
      const named = { ids: { ...victim.ids, 'own task': own(caller).ids['task'] ?? [] } }
      const ask = async (id: string) => {
        const { path, json } = place.request(id, named)
        asked++
        return caller.call(place.method, path, { json })
      }
      for (const id of ids) {
        const stranger = strangerOf(id)
        const [nobodys, his] = [await ask(stranger), await ask(id)]
        const where = `${route} by ${caller.name} for ${id}`
        // A conflict is with what he has made himself, maybe by his other key.
        if (nobodys.status === place.missing) isReached = true
        else if (place.kind !== 'cursor')
          assert.ok(
            [400, 401, 402, 403, 409].includes(nobodys.status),
            `${where}: ${nobodys.status} ${nobodys.text}`,
          )
        if (place.kind !== 'cursor') assert.equal(told(his, id), told(nobodys, stranger), where)
        else {
          assert.ok([200, 400, 401].includes(his.status), `${where}: ${his.text}`)
          isReached ||= his.status !== 401
        }
        assertTellsNothing(his.text, victim, { id, request: JSON.stringify(place.request(id, named)) }, where)
      }
    }
    const isElsewhere = place.dialect !== victim.tenant.dialect
    assert.ok(isReached || isElsewhere || ids.length === 0, `${route}: nobody came as far as to its ids`)
  }
  return asked
}

/** Fails unless what others are told not to be there is there for whom it belongs to. */
async function assertFound(places: Place[], victim: Belongings): Promise<void> {
  for (const place of places) {
    if (place.method !== 'GET' || place.missing !== 404) continue
    for (const id of victim.ids[place.kind] ?? []) {
      const { tenant, mode } = victim
      const { path } = place.request(id, victim)
      const statuses = []
      for (const caller of [tenant.customer[mode], tenant.operator[mode]])
        statuses.push((await caller.call('GET', path)).status)
      assert.ok(
        statuses.some((status) => status < 300 || status === 409),
        `${path}: ${statuses.join()}`,
      )
    }
  }
}

async function twoTenants(world: Tenancy, dialect: (typeof dialectNames)[number]) {
  const [victim, attacker] = [
    await world.createTenant(dialect, 'Victim & Sons'),
    await world.createTenant(dialect, 'Attacker'),
  ]
  const live = await furnish(world, victim, 'live', ALIVE)
  const other = await furnish(world, victim, 'test', 'vic-tested')
  const own = await furnish(world, attacker, 'live', 'attacker-1')
  const ownTest = await furnish(world, attacker, 'test', 'attacker-2')
  return { victim, attacker, live, other, own, ownTest }
}

const bothRoles = ({ customer, operator }: Tenant, mode: Mode): Caller[] => [customer[mode], operator[mode]]

for (const dialect of dialectNames) {
  test(`no route of ${dialect} or the native API crosses a project or a mode`, async (t) => {
    const world = await startTenancy(t)
    const { victim, attacker, live, other, own, ownTest } = await twoTenants(world, dialect)
    const places = (await placesOf(world)).filter((place) => ['native', dialect].includes(place.dialect))
    const kinds = new Set(places.map(({ kind }) => kind))
    for (const kind of kinds)
      assert.ok(
        kind === 'mark' || live.ids[kind]?.length || isUnknownTo(dialect, kind),
        `the victim has no ${kind}`,
      )
    await assertFound(places, live)
    const owns: Record<string, Belongings> = {
      [`${victim.project_id} live`]: live,
      [`${victim.project_id} test`]: other,
      [`${attacker.project_id} live`]: own,
      [`${attacker.project_id} test`]: ownTest,
    }
    const ofCaller = (caller: Caller) => owns[`${caller.project_id} ${caller.mode}`]!
    const foreign = [...bothRoles(attacker, 'live'), ...bothRoles(attacker, 'test')]
    for (const [of, callers] of [
      [live, [...foreign, ...bothRoles(victim, 'test')]],
      [other, [...foreign, ...bothRoles(victim, 'live')]],
    ] as const) {
      const before = await world.rowsOf(victim, of.mode)
      assert.ok(before['tasks']?.length)
      const asked = await walk(places, { victim: of, callers, own: ofCaller })
      assert.ok(asked > 100)
      assert.deepEqual(await world.rowsOf(victim, of.mode), before)
    }
  })
}

/** Whether tenants of this dialect never have such a thing. */
const isUnknownTo = (dialect: string, kind: string): boolean =>
  kind === 'unique_id' && ['superai', 'asyncqueue'].includes(dialect)
