// The whole program in this process, as `serve` puts it together: API, engine and guard over real sockets, with name servers
// of the test's own. Hostile receivers live on 127.0.0.2, which is opened to it; 127.0.0.1 stands for our own network.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { Attempted } from '../../src/engine/report.ts'
import { createResolver } from '../../src/engine/resolver.ts'
import { startDnsServer, type Zone } from '../support/dns-server.ts'
import { atEnd } from '../support/engine.ts'

/** Where receivers of a test live. */
export const OUTSIDE = '127.0.0.2'
/** Where nothing of ours may ever connect to. */
export const INSIDE = '127.0.0.1'

const ADMIN_KEY = 'an-admin-key-of-more-than-32-characters'

/** What tests look at of an answer; the rest is unknown. */
export type Body = {
  [field: string]: unknown
  id: string
  status: string
  code: string
  detail: string
  error: { message: string } | null
  data: Body[]
  credentials: Record<string, string>
}
type Answer = { status: number; text: string; body: Body }
export type Ask = (
  method: string,
  path: string,
  options?: { headers?: Record<string, string>; json?: unknown },
) => Promise<Answer>

/**
 * Starts a server with one native project, whose callbacks are tried once and within `timeout_ms`; it stops when the test ends.
 * `flags` are settings beside its own.
 */
export async function startServer(
  t: TestContext,
  {
    zone = {},
    ttl_s,
    flags = {},
    timeout_ms = 1000,
  }: { zone?: Zone; ttl_s?: number; flags?: Record<string, string>; timeout_ms?: number } = {},
) {
  const data = await mkdtemp(join(tmpdir(), 'ringback-attack-'))
  const dns = await startDnsServer(zone, ttl_s)
  const clock = { time: 0 }
  const resolver = createResolver({
    servers: [dns.address],
    hosts: { find: async () => undefined },
    now: () => clock.time,
  })
  const lines: string[] = []
  const watchers = new Map<string, (attempted: Attempted) => void>()
  const given = { data, port: '0', 'admin-key': ADMIN_KEY, 'egress-allow': `${OUTSIDE}/32`, ...flags }
  const app = await createApp({
    config: readConfig(given, {}).config,
    secret_key: randomBytes(32),
    public_url: 'https://ring.test',
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    resolver,
    onAttempt: (attempted) => watchers.get(attempted.delivery.task_id)?.(attempted),
  })
  const { port } = await app.start()
  atEnd(t, async () => {
    await app.stop()
    await dns[Symbol.asyncDispose]()
    await rm(data, { recursive: true, force: true })
  })

  const ask: Ask = async (method, path, { headers = {}, json } = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: json === undefined ? headers : { 'content-type': 'application/json', ...headers },
      body: json === undefined ? undefined : JSON.stringify(json),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, text, body: (isJson ? JSON.parse(text) : {}) as Body }
  }

  /** A call with the server's own key. */
  const administer = (method: string, path: string, json?: unknown) =>
    ask(method, path, { headers: { authorization: `Bearer ${ADMIN_KEY}` }, json })

  /** Creates a project; gives its keys and secrets. */
  async function createProject(dialect: string): Promise<Record<string, string>> {
    const { status, text, body } = await administer('POST', '/v1/admin/projects', { name: dialect, dialect })
    assert.equal(status, 201, text)
    return body.credentials
  }

  const { live_key } = await createProject('native')
  /** A call of the native project's customer. */
  const call = (method: string, path: string, json?: unknown) =>
    ask(method, path, { headers: { authorization: `Bearer ${live_key}` }, json })

  /** A call that must succeed. */
  async function must(method: string, path: string, json?: unknown): Promise<Body> {
    const { status, text, body } = await call(method, path, json)
    assert.ok(status < 300, text)
    return body
  }
  await must('PATCH', '/v1/project', { timeout_ms, retry: { retries: 0 } })

  /** Completes a task; gives the one attempt to deliver its callback. */
  async function complete(task_id: string): Promise<Attempted> {
    const { promise, resolve } = Promise.withResolvers<Attempted>()
    watchers.set(task_id, resolve)
    await must('POST', `/v1/tasks/${task_id}/complete`, { response: 1 })
    return promise
  }

  return {
    administer,
    ask,
    call,
    complete,
    createProject,
    dns,
    /** What has been logged. */
    lines,
    must,
    /** The resolver's clock: a later time makes names be asked for anew. */
    clock,
    /** Completes a task whose callback goes to `callback_url`; gives the one attempt to deliver it. */
    deliver: async (callback_url: string, task: object = {}): Promise<Attempted> => {
      const { id } = await must('POST', '/v1/tasks', { callback_url, ...task })
      return complete(id)
    },
    /** Creates a task that makes a call once, and waits for its end; gives the task. */
    callTarget: async (request: object, more: object = {}): Promise<Body> => {
      const task = { request: { retries: 0, timeout_s: 2, ...request }, ...more }
      const { id } = await must('POST', '/v1/tasks', task)
      return must('GET', `/v1/tasks/${id}?wait=20`)
    },
  }
}

export type RunningServer = Awaited<ReturnType<typeof startServer>>

/** A receiver in raw TCP. Each request must come in one packet. */
export type Hostile = { port: number; url: string; connections: Socket[]; requests: string[] }

/** Starts a receiver on `address`, which does `act` for every request. It ends with the test. */
export async function startHostile(
  t: TestContext,
  act: (socket: Socket, request: string) => void,
  address = OUTSIDE,
): Promise<Hostile> {
  const connections: Socket[] = []
  const requests: string[] = []
  const server = createServer((socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const request = bytes.toString('latin1')
      requests.push(request)
      act(socket, request)
    })
  })
  server.listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  atEnd(t, async () => {
    for (const socket of connections) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return { port, url: `http://${address}:${port}`, connections, requests }
}

/** Something of ours that nobody may reach: `connections` must stay empty. */
export const startVictim = (t: TestContext): Promise<Hostile> =>
  startHostile(t, (socket) => socket.write(ok('secret')), INSIDE)

/** A good answer with a body of ASCII, which leaves the connection open. */
export const ok = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`

/** An answer that redirects, and leaves the connection open. */
export const redirect = (location: string, status = 302): string =>
  `HTTP/1.1 ${status} Go\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`

/** Writes `unit` to a socket for as long as the other side takes it. */
export function flood(socket: Socket, unit: string | Buffer): void {
  const more = () => {
    while (socket.writable && socket.write(unit));
  }
  socket.on('drain', more)
  more()
}

/** Writes `unit` to a socket twenty times a second. */
export function drip(socket: Socket, unit: string): void {
  const timer = setInterval(() => socket.write(unit), 50)
  socket.on('close', () => clearInterval(timer))
}
