// Where a request can name something: generated from the OpenAPI document for the native API, and from what each front has
// registered for the dialects. Whatever takes a name that these tables do not know fails the walk until somebody says what it is.
import assert from 'node:assert/strict'
import type { Answer } from '../http/start-api.ts'
import type { Tenancy } from './tenancy-world.ts'

/** Who has the text has the right, whatever his project: a callback id, a signal token, a link to a file. */
const CAPABILITY = 'capability'
const NO_ID = 'no id'

/** What the parameters of paths name, by the segment before them. */
const inPaths: Readonly<Record<string, string>> = {
  'native tasks/:id': 'task',
  'native deliveries/:id': 'delivery',
  'native replays/:id': 'replay',
  'native destinations/:id': 'destination',
  'native arrivals/:id': 'arrival',
  'native tokens/:id': 'token',
  'native callbacks/:id': CAPABILITY,
  'scale task/:type': NO_ID,
  'scale task/:id': 'scale task',
  'scale batches/:name': 'scale name',
  'scale projects/:name': 'scale name',
  'scale files/:id': 'scale file',
  'stardust task/:taskId': 'stardust task',
  'superai apps/:app': 'superai app',
  'superai jobs/:job': 'superai job',
  'superai batches/:batch': 'superai batch',
  'superai operations/:app': 'superai app',
  'superai :app/:operation': 'superai operation',
  'superai downloads/:token': CAPABILITY,
  'asyncqueue tasks/:id': 'task',
  'asyncqueue tokens/:id': 'asyncqueue token',
  'asyncqueue teams/:teamId': 'project',
  'asyncqueue apikeys/:keyId': 'asyncqueue key',
  'asyncqueue signals/:token': CAPABILITY,
}

/** What the native API's members of queries and bodies name. */
const inFields: Readonly<Record<string, string>> = {
  task_id: 'task',
  unique_id: 'unique_id',
  destination: 'destination',
  cursor: 'cursor',
  'request.headers': 'token',
}

/** Those that name nothing which is somebody's. */
const plainFields = new Set(
  (
    'limit wait status type audit_status callback_succeeded created_after created_before state event response ' +
    'from to dry_run params metadata callback_url expires_in_s resolve not_before error during reason verdict comments ' +
    'request.url request.method request.body request.timeout_s request.retries request.backoff ' +
    'name value which grace_s default_callback_url timeout_ms order retention_days retry.retries retry.window_s ' +
    'limits.in_flight limits.per_second'
  ).split(' '),
)
// What a poll asks for, and what a callback's body means, are paths and words.
const isPlain = (field: string) => plainFields.has(field) || /^(poll|resolve|error)\./.test(field)

/** What the dialects take beside their paths; where bodies and queries are free, nobody can list them for us. */
const inDialects: readonly Place[] = [
  ...['task_id', 'id'].map((name) => query('scale', 'GET /v1/audits', name, 'scale task', 404)),
  ...['project', 'batch', 'tags'].map((name) => query('scale', 'GET /v1/tasks', name, 'scale name', 200)),
  query('scale', 'GET /v1/tasks', 'unique_id', 'unique_id', 200),
  query('scale', 'GET /v1/tasks', 'next_token', 'cursor', 200),
  query('scale', 'GET /v1/batches', 'project', 'scale name', 200),
  body('scale', 'POST /v1/task/categorization', 'scale name', 404, (project) => ({
    ...categorized,
    project,
  })),
  body('scale', 'POST /v1/task/categorization', 'scale name', 404, (batch) => ({ ...categorized, batch })),
  body('scale', 'POST /v1/task/categorization', 'unique_id', 200, (unique_id) => ({
    ...categorized,
    unique_id,
  })),
  body('scale', 'POST /v1/batches', 'scale name', 404, (project) => ({ name: `of ${project}`, project })),
  body('scale', 'POST /v1/batches', 'scale name', 404, (name) => ({ name, project: name })),
  body('scale', 'POST /v1/projects', 'scale name', 200, (name) => ({ name, type: 'categorization' })),
  body('scale', 'POST /v1/files/import', 'scale name', 404, (project_name) => ({
    file_url: 'https://files.test/x',
    project_name,
  })),
  body('stardust', 'POST /rosetta-open/task/send/status', 'stardust batch', 404, (batchId) => ({ batchId })),
  body('stardust', 'POST /rosetta-open/task/get', 'stardust task', 404, (taskId, { ids }) => ({
    projectId: ids['stardust project']?.[0],
    taskId,
  })),
  body('stardust', 'POST /rosetta-open/project/tasks', 'stardust project', 200, (projectId) => ({
    projectId,
  })),
  body('stardust', 'POST /rosetta-open/tasks/export', 'stardust project', 200, (projectId) => ({
    projectId,
  })),
  body('stardust', 'POST /rosetta-open/tasks/export', 'stardust task', 200, (taskId, { ids }) => ({
    projectId: ids['stardust project']?.[0],
    taskIds: [taskId],
  })),
  query('stardust', 'GET /rosetta-open/project/get', 'projectId', 'stardust project', 200),
  ...(['batchId', 'tags', 'idSearch'] as const).map((name) =>
    query(
      'superai',
      'GET /v1/apps/:app/jobs',
      name,
      { batchId: 'superai batch', tags: 'mark', idSearch: 'superai job' }[name],
      200,
    ),
  ),
  body('asyncqueue', 'POST /v1/tasks', 'asyncqueue token', 400, (token) => ({
    targetUrl: 'https://target.test/',
    headers: { authorization: token },
  })),
]

const categorized = {
  instruction: 'Ripe?',
  attachment_type: 'text',
  attachment: 'pear',
  categories: ['a', 'b'],
  callback_url: 'https://hooks.test/',
}

/** The bodies that the dialects' routes want before they look whether there is what their path names. */
const bodies: Readonly<Record<string, unknown>> = {
  'POST /v1/task/:id/audit': { accepted: true },
  'POST /v1/task/:id/setMetadata': { stolen: true },
  'POST /v1/task/:id/unique_id': { unique_id: 'stolen' },
  'POST /v1/task/:id/tags': ['stolen'],
  'PUT /v1/task/:id/tags': ['stolen'],
  'DELETE /v1/task/:id/tags': ['stolen'],
  'POST /v1/batches/:name/setMetadata': { stolen: true },
  'POST /v1/batches/:name/prioritize': { priority: 1 },
  'POST /v1/projects/:name/setParams': { stolen: true },
  'POST /v1/apps/:app/jobs': { inputs: [{ stolen: true }] },
  'PUT /v1/apps/:app/jobs/tags': { tags: ['stolen'] },
  'DELETE /v1/apps/:app/jobs/tags': { tags: ['stolen'] },
  'PATCH /v1/jobs/:job/review': { correct: true },
  'POST /teams/:teamId/apikeys': { name: 'stolen' },
}

/** What an id that nobody has is answered with, where that is not 404. */
const missing: Readonly<Record<string, number>> = {
  // Any UUID is an app of whoever names it.
  'GET /v1/apps/:app/jobs': 200,
  'POST /v1/apps/:app/jobs': 200,
  'PUT /v1/apps/:app/jobs/tags': 204,
  'DELETE /v1/apps/:app/jobs/tags': 204,
  'GET /v1/apps/:app/batches': 200,
  'POST /v1/apps/:app/job_responses': 200,
  'POST /rosetta-open/task/:taskId/callback': 400,
  'POST /teams/:teamId/apikeys': 403,
}

type Named = { ids: Record<string, string[]> }

/** A place of a request where an id can stand. */
export type Place = {
  dialect: string
  method: string
  /** As it is registered, for people to read. */
  path: string
  /** What is named there. */
  kind: string
  /** What an id that nobody has is answered with. */
  missing: number
  request: (id: string, of: Named) => { path: string; json?: unknown }
}

function query(dialect: string, route: string, name: string, kind: string, status: number): Place {
  const [method = '', path = ''] = route.split(' ')
  const request = (id: string, { ids }: Named) => ({
    path: `/${dialect}${path.replace(':app', ids['superai app']?.[0] ?? '')}?${name}=${encodeURIComponent(id)}`,
  })
  return { dialect, method, path: `${path}?${name}`, kind, missing: status, request }
}

function body(
  dialect: string,
  route: string,
  kind: string,
  status: number,
  json: (id: string, of: Named) => unknown,
): Place {
  const [method = '', path = ''] = route.split(' ')
  const request = (id: string, of: Named) => ({ path: `/${dialect}${path}`, json: json(id, of) })
  return { dialect, method, path, kind, missing: status, request }
}

type Schema = {
  type?: string
  enum?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
}
type Operation = {
  parameters?: { in: string; name: string }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}

/** The smallest value that a schema takes, or about that. */
function sampleOf({ type, enum: words, properties = {}, required = [] }: Schema): unknown {
  if (words !== undefined) return words[0]
  if (type === 'object' || required.length > 0)
    return Object.fromEntries(required.map((name) => [name, sampleOf(properties[name] ?? {})]))
  return type === 'string' ? 'x' : 1
}

const kindIn = (route: string, table: Readonly<Record<string, string>>, key: string): string => {
  const kind = table[key]
  assert.ok(kind !== undefined, `${route}: say in the tables of tenancy-routes.ts what ${key} names`)
  return kind
}

/** The parameters of a path with what they name: `:id` and so on. */
function paramsOf(dialect: string, path: string): [param: string, kind: string][] {
  const segments = path.split('/')
  return segments.flatMap((segment, i): [string, string][] =>
    segment.startsWith(':')
      ? [[segment, kindIn(path, inPaths, `${dialect} ${segments[i - 1]}/${segment}`)]]
      : [],
  )
}

/** The place in a route's path; undefined where there is none of a project's ids. */
function pathPlace(dialect: string, method: string, path: string, json: unknown): Place | undefined {
  const params = paramsOf(dialect, path)
  const [, kind = NO_ID] = params.at(-1) ?? []
  if (params.some(([, each]) => [CAPABILITY, NO_ID].includes(each)) || params.length === 0) return undefined
  const mount = dialect === 'native' ? '' : `/${dialect}`
  const route = `${method} ${path}`
  return {
    dialect,
    method,
    path,
    kind,
    missing: missing[route] ?? 404,
    request: (id, { ids }) => ({
      path:
        mount +
        params.reduce(
          (text, [param, each]) =>
            text.replace(param, encodeURIComponent(each === kind ? id : (ids[each]?.[0] ?? ''))),
          path,
        ),
      ...(json === undefined ? {} : { json }),
    }),
  }
}

/** The names of a schema's members, those of its objects too. */
const fieldsOf = ({ properties = {} }: Schema): string[] =>
  Object.entries(properties).flatMap(([name, schema]) =>
    schema.properties === undefined ? name : fieldsOf(schema).map((field) => `${name}.${field}`),
  )

/** All places of the native API where ids of a project can stand. */
async function nativePlaces({ call }: Pick<Tenancy, 'call'>): Promise<Place[]> {
  const { paths } = JSON.parse((await call('GET', '/openapi.json')).text) as {
    paths: Record<string, Record<string, Operation>>
  }
  const places: (Place | undefined)[] = []
  for (const [template, methods] of Object.entries(paths)) {
    const path = template.replaceAll(/\{(\w+)\}/g, ':$1')
    // Administrators see all projects.
    if (path.startsWith('/v1/admin/')) continue
    for (const [lower, { parameters = [], requestBody }] of Object.entries(methods)) {
      const method = lower.toUpperCase()
      const schema = requestBody?.content['application/json']?.schema ?? {}
      const sample = requestBody === undefined ? undefined : sampleOf(schema)
      places.push(pathPlace('native', method, path, sample))
      const queried = parameters.filter((parameter) => parameter.in === 'query')
      const inside = (id: string, { ids }: Named) => path.replace(':id', ids['own task']?.[0] ?? id)
      for (const { name } of queried) {
        if (isPlain(name)) continue
        const kind = kindIn(path, inFields, name)
        const request = (id: string, of: Named) => ({
          path: `${inside(id, of)}?${name}=${encodeURIComponent(id)}`,
        })
        places.push({ dialect: 'native', method, path: `${path}?${name}`, kind, missing: 200, request })
      }
      for (const field of fieldsOf(schema)) {
        if (isPlain(field)) continue
        const kind = kindIn(path, inFields, field)
        const json = (id: string): object =>
          field === 'request.headers'
            ? { request: { url: 'https://target.test/', headers: { authorization: id } } }
            : { ...(sample as object), [field]: id }
        const status = { 'request.headers': 400, unique_id: 201, destination: 202 }[field] ?? 200
        const request = (id: string) => ({ path, json: json(id) })
        places.push({ dialect: 'native', method, path: `${path} ${field}`, kind, missing: status, request })
      }
    }
  }
  return places.filter((place) => place !== undefined)
}

/** All places of the server where an id of a project can stand. */
export async function placesOf(world: Pick<Tenancy, 'call' | 'routes'>): Promise<Place[]> {
  const registered = world.routes.flatMap(({ dialect, method, path: full }) => {
    const path = full.slice(dialect.length + 1)
    return pathPlace(dialect, method, path, bodies[`${method} ${path}`]) ?? []
  })
  const known = new Set(
    world.routes.map(({ dialect, method, path }) => `${method} ${path.slice(dialect.length + 1)}`),
  )
  for (const route of [...Object.keys(bodies), ...Object.keys(missing)])
    assert.ok(known.has(route), `${route} is in a table of tenancy-routes.ts, but no route`)
  const places = [...(await nativePlaces(world)), ...registered, ...inDialects]
  // First what only looks, and last what makes something: an attacker may well take a name that a tenant has.
  const order = ({ method, missing: status }: Place) => (status >= 400 ? 0 : method === 'GET' ? 1 : 2)
  return places.toSorted((a, b) => order(a) - order(b))
}

/** An id of the same form that nobody has: its last characters are others, so that it tells the same time. */
export const strangerOf = (id: string): string =>
  id.slice(0, -6) + id.slice(-6).replaceAll(/[0-9a-f]/g, (digit) => TURNED[digit] ?? digit)

const DIGITS = '0123456789'
const LETTERS = 'abcdef'
const TURNED: Record<string, string> = Object.fromEntries([
  ...Array.from(DIGITS, (digit, i) => [digit, DIGITS[(i + 5) % 10]]),
  ...Array.from(LETTERS, (letter, i) => [letter, LETTERS[(i + 3) % 6]]),
])

/** What an answer tells besides the id that was asked for, and ids and times that are new with each answer. */
export function told({ status, text }: Pick<Answer, 'status' | 'text'>, id: string): string {
  const forms = [id, encodeURIComponent(id)].map((form) => form.replaceAll(/[^\w-]/g, '\\$&'))
  const whole = new RegExp(`(?<![\\w:-])(${forms.join('|')})(?![\\w-])`, 'g')
  const said = text
    .replaceAll(whole, '<id>')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<new>')
    .replaceAll(/\b[0-9a-f]{24,64}\b/g, '<new>')
    .replaceAll(/"date":"[^"]*"/g, '')
    .replaceAll(/("operationId"|"projectId"|"workflowId"):\d+/g, '$1:<new>')
  return `${status} ${said}`
}
