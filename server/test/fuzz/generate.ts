// Makes requests: a valid one for a route, and from it the others.
import { print, type Printable } from '../../src/domain/json.ts'
import { transitions } from '../../src/domain/task.ts'
import { createRandom, between, type Random } from '../crash/random.ts'
import { chance, oneOf } from './odd.ts'
import { breakRequest, mutate, randomize } from './mutate.ts'
import type { Pool } from './pool.ts'
import type { Request, Style, World } from './request.ts'
import type { Document, Operation, Route } from './routes.ts'
import { seeds } from './seeds.ts'
import { idOf, validValue, type Source } from './values.ts'

export type Worlds = Readonly<Record<string, World>>

export type Generator = {
  /** The request of this number; made `again`, it has other names where they must be new. */
  request(number: number, again?: number): Request
  /** A valid request of this number, for this route. */
  valid(number: number, route: Route): Request
}

const STYLES: readonly Style[] = [
  ...Array<Style>(9).fill('valid'),
  ...Array<Style>(8).fill('mutated'),
  'random',
  'broken',
  'broken',
]
const PATIENCE_MS = 20_000
// Who waits is not worth waiting for.
const WAIT_MS = 1500
const IDEMPOTENCY_KEYS = 30

// In which states something has to be.
const wantedStates: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(Object.entries(transitions).map(([verb, { from }]) => [`${verb}Task`, from])),
  'POST /scale/v1/task/:id/audit': ['completed'],
  'POST /scale/v1/task/:id/send_callback': ['completed'],
  'GET /superai/v1/jobs/:job/response': ['COMPLETED', 'completed'],
  'PATCH /superai/v1/jobs/:job/review': ['COMPLETED', 'completed'],
  'POST /stardust/rosetta-open/task/:taskId/callback': ['completed', '9'],
  cancelDelivery: ['pending', 'held', 'sending'],
  applyArrival: ['early', 'late'],
}

// Done to the project of all others, these would end the run, or slow it down.
const SPARED = new Set(['updateProject', 'rotateSecret'])

/** Whose key an operation is tried with. */
function worldOf(random: Random, worlds: Worlds, { security, operationId }: Operation): string {
  const scopes = security.flatMap((needed) => Object.entries(needed))
  if (scopes.some(([name]) => name === 'admin_key')) return 'admin'
  if (SPARED.has(operationId)) return 'spare'
  if (scopes.some(([, names]) => names.includes('operator'))) return 'native operator'
  const others = Object.keys(worlds).filter((name) => name.endsWith(' operator'))
  return chance(random, 0.5) ? 'native' : oneOf(random, ['native test', ...others])
}

/** A value as a query has it. */
const queryText = (value: Printable): string => (typeof value === 'string' ? value : print(value))

/** Of which kind the things are that a parameter of a path names. */
export function kindOf(path: string, parameter: string): string {
  const before = path.split('/')[path.split('/').indexOf(`:${parameter}`) - 1] ?? ''
  const kind = ['id', 'name', 'token'].includes(parameter) ? before : parameter
  return kind === 'projects' && path.startsWith('/scale') ? 'scale projects' : kind
}

/** Makes a generator. The same seed gives the same requests, as far as the server has the same things. */
export function createGenerator({
  seed,
  routes,
  worlds,
  pool,
  sink,
  document,
}: {
  seed: number
  routes: readonly Route[]
  worlds: Worlds
  pool: Pool
  sink: (path: string) => string
  document: Document
}): Generator {
  const worldNamed = (name: string): World => {
    const world = worlds[name]
    if (world === undefined) throw new Error(`There is no world ${name}`)
    return world
  }

  function paramsOf(
    source: Source,
    { name: route, path, operation }: Route,
    given: Record<string, string> = {},
  ) {
    const names = Array.from(path.matchAll(/:(\w+)|\*/g), ([, name = '*']) => name)
    const params: Record<string, string> = {}
    // The last one leads to those before it.
    for (const name of names.toReversed()) {
      const wanted = wantedStates[operation?.operationId ?? route]
      const entry = pool.take(source.world, kindOf(path, name), source.random, wanted)
      params[name] ??= given[name] ?? entry?.id ?? idOf(source, '')
      Object.assign(params, { ...entry?.params, ...params })
    }
    return params
  }

  const target = ({ path }: Route, params: Record<string, string>, query: string) =>
    path.replaceAll(/:(\w+)|\*/g, (_, name = '*') => encodeURIComponent(params[name] ?? '')) +
    (query === '' ? '' : `?${query}`)

  /** What the document says of a route. */
  function documented(source: Source, route: Route, operation: Operation, world: World): Request {
    const { random } = source
    const query = (operation.parameters ?? [])
      .filter((parameter) => parameter.in === 'query' && chance(random, 0.2))
      .map(({ name, schema }) => `${name}=${encodeURIComponent(queryText(validValue(source, schema, name)))}`)
      .join('&')
    const schema = operation.requestBody?.content['application/json']?.schema
    const isAbsent = schema === undefined || (operation.requestBody?.required !== true && chance(random, 0.3))
    const isIdempotent = (operation.parameters ?? []).some((parameter) => parameter.in === 'header')
    const params = paramsOf(source, route)
    const key = isIdempotent && chance(random, 0.1) ? [`k${between(random, 1, IDEMPOTENCY_KEYS)}`] : []
    return {
      route,
      style: 'valid',
      world,
      method: route.method,
      target: target(route, params, query),
      params,
      headers: [
        ...(operation.security.length === 0 ? [] : world.headers()),
        ...(isAbsent ? [] : ([['content-type', 'application/json']] as Request['headers'])),
        ...key.map((value): [string, string] => ['idempotency-key', value]),
      ],
      body: isAbsent ? undefined : validValue(source, schema, ''),
      isForRoute: true,
      patience_ms: PATIENCE_MS,
    }
  }

  /** What a seed says of a route; without one, next to nothing. */
  function seeded(source: Source, route: Route, world: World): Request {
    const seed = Object.hasOwn(seeds, route.name) ? seeds[route.name]?.(source) : undefined
    const { body, query = '', headers = [], as } = seed ?? {}
    const params = paramsOf(source, route, seed?.params)
    const named = as === 'operator' ? worldNamed(`${world.name} operator`) : world
    const isTyped = headers.some(([name]) => name === 'content-type') || body === undefined
    return {
      route,
      style: 'valid',
      world: named,
      method: route.method,
      target: target(route, params, query),
      params,
      headers: [
        ...(as === 'nobody' ? [] : named.headers()),
        ...(isTyped ? [] : ([['content-type', 'application/json']] as Request['headers'])),
        ...headers,
      ],
      body,
      isForRoute: true,
      patience_ms: PATIENCE_MS,
    }
  }

  /** A valid request for a route. */
  function validRequest(random: Random, route: Route, unique: string): Request {
    const { operation, mount } = route
    const home = mount === '' ? 'native' : mount.slice(1)
    const world = worldNamed(operation === undefined ? home : worldOf(random, worlds, operation))
    const source: Source = { random, unique, pool, world: world.pool, sink, document }
    return operation === undefined
      ? seeded(source, route, world)
      : documented(source, route, operation, world)
  }

  return {
    valid: (number, route) => validRequest(createRandom(seed, number), route, `${seed}n${number}`),
    request(number, again = 0) {
      const random = createRandom(seed, number)
      // All in turn, so that a short run reaches everything, too.
      const route = routes[number % routes.length]
      if (route === undefined) throw new Error('There are no routes')
      const valid = validRequest(random, route, `${seed}n${number}${again === 0 ? '' : `again${again}`}`)
      const style = oneOf(random, STYLES) ?? 'valid'
      const request = styled(random, { ...valid, style }, worlds)
      return /[?&]wait=/.test(request.target) ? { ...request, patience_ms: WAIT_MS } : request
    },
  }
}

function styled(random: Random, request: Request, worlds: Worlds): Request {
  switch (request.style) {
    case 'valid':
      return request
    case 'mutated':
      return mutate(random, request, Object.values(worlds))
    case 'random':
      return randomize(random, request)
    case 'broken':
      return breakRequest(random, request)
  }
}
